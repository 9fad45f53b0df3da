"""A softmax classifier, as the course built it in TensorFlow 1."""

import itertools

import numpy as np
import tensorflow as tf

from tfcourse.data.minibatches import mini_batches
from tfcourse.errors import InputError
from tfcourse.graph_mode.classifier.checkpoints import SessionCheckpoints
from tfcourse.graph_mode.classifier.inputs import (
    checked_features,
    checked_labels,
)
from tfcourse.graph_mode.classifier.network import ACTIVATIONS
from tfcourse.graph_mode.classifier.saved_model import export_network
from tfcourse.graph_mode.classifier.training_graph import training_graph
from tfcourse.graph_mode.plots import plot_costs
from tfcourse.graph_mode.session import (
    load_variable,
    new_graph,
    new_session,
)
from tfcourse.utils.validation import check_integer, check_number

v1 = tf.compat.v1


class SoftmaxClassifier:
    r"""A network with batch normalization and softmax, in graph and session.

    Each hidden layer computes $a = g(\mathrm{BN}(W a_{prev}))$, without a bias,
    and dropout; the last $z = W a + b$ and $\hat y = \mathrm{softmax}(z)$. With
    $m$ training examples, what falls is

    $$J = \frac{1}{|B|} \sum_{i \in B} -\log \hat y^{(i)}_{y^{(i)}}
      + \frac{\lambda}{2m} \sum_l \lVert W^{[l]} \rVert_F^2$$

    over mini-batches $B$. A Keras model of `Dense`, `BatchNormalization` of
    `tfcourse.layers`, `ReLU` and `tfcourse.regularizers.L2`, given the same
    weights and batches, goes the same way, to float32 rounding.

    The graph and the session are its own: TensorFlow 2 and Keras are not
    touched. It holds the session until `close()`, or the end of a `with`.

    Args:
        features: How many numbers an example has, or the shape of one.
        units: Of each hidden layer; may be empty.
        classes: $C$, at least 2.
        optimizer: A name, see `optimizer_named`; or a function, such as a class
            of `tfcourse.graph_mode`, that is given the learning rate and
            returns a `tf.compat.v1.train.Optimizer`.
        learning_rate: $\alpha > 0$; or a function that is given the global step
            and returns a tensor, e.g.
            `lambda step: exponential_decay(0.01, step, steps_per_epoch=23)`.
        keep_prob: The probability of keeping a hidden unit while training, in
            (0, 1].
        lambda_: $\lambda \ge 0$.
        activation: $g$, `"relu"` or `"tanh"`.
        momentum: Share of the batch statistics' averages kept at each batch, in
            [0, 1).
        epsilon: That of batch normalization, above 0.
        seed: Of initial weights, dropout and the order of the examples.
        device: Where to compute, e.g. `"/cpu:0"`; `None` for any.

    Raises:
        InputError: If there is no such optimizer, activation or device.
        TypeError: If a number is none.
        ValueError: If a setting lies outside its interval.

    Example:

    >>> x = np.array([[0.0, 1.0], [1.0, 0.0]] * 50)
    >>> y = np.array([0, 1] * 50)
    >>> with SoftmaxClassifier(2, (4,), 2, learning_rate=0.1) as classifier:
    ...     _ = classifier.fit(x, y, epochs=3, verbose=False)
    ...     classifier.predict(x[:3]).tolist()
    [0, 1, 0]

    Reference:
        Andrew Ng, Improving Deep Neural Networks, week 3. Ioffe and Szegedy
        (2015), https://arxiv.org/abs/1502.03167.
    """

    def __init__(
        self,
        features,
        units,
        classes,
        *,
        optimizer="adam",
        learning_rate=0.001,
        keep_prob=1.0,
        lambda_=0.0,
        activation="relu",
        momentum=0.9,
        epsilon=1e-8,
        seed=0,
        device=None,
    ):
        shape = (features,) if np.ndim(features) == 0 else tuple(features)
        for i, size in enumerate(shape):
            check_integer(size, f"features[{i}]")
        for i, size in enumerate(units):
            check_integer(size, f"units[{i}]")
        check_integer(classes, "classes", least=2)
        check_integer(seed, "seed", least=0)
        for name, value, interval in [
            ("keep_prob", keep_prob, "(0, 1]"),
            ("lambda_", lambda_, "[0, inf)"),
            ("momentum", momentum, "[0, 1)"),
            ("epsilon", epsilon, "(0, inf)"),
            ("learning_rate", learning_rate, "(0, inf)"),
        ]:
            if not callable(value):
                check_number(value, name, "SoftmaxClassifier", interval)
        if activation not in ACTIVATIONS:
            raise InputError(
                "`activation` of SoftmaxClassifier must be one of "
                f"{', '.join(ACTIVATIONS)}. Received: {activation!r}"
            )
        self.classes = classes
        self._shape = shape
        self._keep_prob = keep_prob
        self._seed = seed
        self._architecture = {
            "shape": shape,
            "units": tuple(units),
            "classes": classes,
            "activation": activation,
            "momentum": momentum,
            "epsilon": epsilon,
            "seed": seed,
        }
        with new_graph(device) as self.graph:
            self._nodes = training_graph(
                self._architecture, optimizer, learning_rate, lambda_
            )
            self._checkpoints = SessionCheckpoints()
            initialize = v1.global_variables_initializer()
        self.session = new_session(self.graph)
        self.session.run(initialize)
        self._costs = []

    @property
    def _variables(self):
        return self._nodes.network.variables

    @property
    def steps(self):
        """How many mini-batches have been trained on: the global step."""
        return int(self.session.run(self._nodes.step))

    @property
    def costs(self):
        """The cost of each mini-batch so far, shape `(steps,)`."""
        return np.array(self._costs, "float32")

    def fit(
        self,
        x,
        y,
        *,
        epochs=10,
        batch_size=64,
        validation_data=None,
        checkpoints=None,
        tensorboard=None,
        verbose=True,
    ):
        """Trains until `epochs` passes over the examples are done in all.

        A classifier that was restored finishes what the saved one had begun,
        in the middle of an epoch too: the order of the examples and dropout
        follow from the seed and the step, so that it ends with the weights of
        one that was never interrupted.

        Args:
            x: Shape `(m, ...)`.
            y: Classes, integers from 0 to C - 1, shape `(m,)`.
            epochs: How many passes, counted from the very first.
            batch_size: Examples in a mini-batch.
            validation_data: `(x, y)` to report on after each epoch.
            checkpoints: A folder to `save` to after each epoch.
            tensorboard: A folder for TensorBoard: the graph, and cost, accuracy
                and learning rate of each mini-batch.
            verbose: Whether to print a line an epoch.

        Returns:
            A dict for each epoch: `epoch`, `cost`, `accuracy`, and, with
            validation data, `val_cost` and `val_accuracy`.

        Raises:
            InputError: If the data do not fit the network, or the cost is not
                finite any more; says at which step.
        """
        x, y = self._checked(x, y)
        if validation_data is not None:
            validation_data = self._checked(*validation_data)
        check_integer(epochs, "epochs")
        check_integer(batch_size, "batch_size")
        batches_per_epoch = -(-len(x) // batch_size)
        step, history = self.steps, []
        writer = self._writer(tensorboard)
        for epoch in range(step // batches_per_epoch, epochs):
            batches = mini_batches(x, y, batch_size, seed=(self._seed, epoch))
            done = step - epoch * batches_per_epoch
            for batch in itertools.islice(batches, done, None):
                step += 1
                self._train_on(*batch, m=len(x), step=step, writer=writer)
            history.append(self._report(epoch, x, y, validation_data))
            if verbose:
                print(_line(history[-1], epochs), flush=True)
            if checkpoints is not None:
                self.save(checkpoints)
        if writer is not None:
            writer.close()
        return history

    def _train_on(self, x, y, *, m, step, writer):
        nodes = self._nodes
        fetched = [nodes.train, nodes.cost]
        if writer is not None:
            fetched.append(nodes.summary)
        feed_dict = {
            nodes.network.x: x,
            nodes.labels: y,
            nodes.m: m,
            nodes.network.keep_prob: self._keep_prob,
            nodes.network.training: True,
        }
        _, cost, *summaries = self.session.run(fetched, feed_dict=feed_dict)
        for summary in summaries:
            writer.add_summary(summary, step)
        self._costs.append(float(cost))
        if not np.isfinite(cost):
            raise InputError(
                f"Training diverged: the cost of step {step} is {cost}. Choose "
                "a smaller learning rate, and look for values in the data that "
                "are not finite."
            )

    def _report(self, epoch, x, y, validation_data):
        report = {"epoch": epoch + 1, **self.evaluate(x, y)}
        if validation_data is not None:
            values = self.evaluate(*validation_data)
            report |= {f"val_{name}": v for name, v in values.items()}
        return report

    def _writer(self, folder):
        if folder is None:
            return None
        with self.graph.as_default():
            return v1.summary.FileWriter(str(folder), self.graph)

    def evaluate(self, x, y, batch_size=1024):
        """Returns the cost, without the penalty, and the accuracy, as a dict.

        Args:
            x: Shape `(m, ...)`.
            y: Classes, shape `(m,)`.
            batch_size: How many examples at once.
        """
        x, y = self._checked(x, y)
        nodes, totals = self._nodes, np.zeros(2)
        for part in _parts(len(x), batch_size):
            values = self.session.run(
                [nodes.cost, nodes.accuracy],
                feed_dict={nodes.network.x: x[part], nodes.labels: y[part]},
            )
            totals += np.multiply(values, len(x[part]))
        cost, accuracy = totals / len(x)
        return {"cost": float(cost), "accuracy": float(accuracy)}

    def predict_proba(self, x, batch_size=1024):
        """Returns the probability of each class, shape `(m, C)`."""
        x, nodes = checked_features(x, self._shape), self._nodes
        parts = [
            self.session.run(
                nodes.probabilities, feed_dict={nodes.network.x: x[part]}
            )
            for part in _parts(len(x), batch_size)
        ]
        return np.concatenate(parts)

    def predict(self, x, batch_size=1024):
        """Returns the most probable class of each example, shape `(m,)`."""
        return self.predict_proba(x, batch_size).argmax(axis=-1)

    def get_weights(self):
        """Returns the network's variables: a dict from name to array."""
        variables = {v.op.name: v for v in self._variables}
        return self.session.run(variables)

    def set_weights(self, weights):
        """Sets the network's variables; the optimizer's averages stay.

        Args:
            weights: A dict such as `get_weights` returns.

        Raises:
            ValueError: If the names or the shapes are not those of
                `get_weights`.
        """
        wanted = {v.op.name: tuple(v.shape) for v in self._variables}
        given = {name: np.shape(value) for name, value in weights.items()}
        if wanted != given:
            raise ValueError(
                "`weights` must have the names and shapes of `get_weights()`: "
                f"{wanted}. Received: {given}"
            )
        for variable in self._variables:
            load_variable(variable, weights[variable.op.name], self.session)

    def save(self, folder):
        """Writes a checkpoint into a folder; the last five are kept.

        With the weights, the optimizer's averages and the global step, and the
        cost curve in `costs.json`.

        Returns:
            The path of the checkpoint.
        """
        return self._checkpoints.save(
            self.session, folder, self.steps, self._costs
        )

    def restore(self, folder):
        """Goes back to the last checkpoint in a folder, or to that of a path.

        Raises:
            InputError: If there is none, or it is of another network.
        """
        known = self._checkpoints.restore(self.session, folder)
        self._costs = known[: self.steps]
        return self

    def export(
        self,
        path,
        *,
        labels=None,
        feature_names=None,
        overwrite=False,
        metadata=None,
    ):
        """Writes a SavedModel, from a session, that TensorFlow 2 loads.

        Its signatures are those of `tfcourse.export_saved_model`: `serve` (also
        the default) gives `outputs`, the probabilities; `classify` gives
        `label`, `probability`, `top_labels`, `top_probabilities` and
        `probabilities`. `tfcourse predict` reads it.

        Args:
            path: The folder to write.
            labels: The classes in their order, text or integers; from 0 on if
                `None`.
            feature_names: The columns of a table that are the features, in
                their order, for `tfcourse predict`.
            overwrite: Whether to replace an existing `path`.
            metadata: What else to write down about the model, for JSON.

        Raises:
            InputError: If `path` exists and `overwrite` is false, if labels or
                names are not as many as classes or features, or if the written
                model does not return what this one does.
        """
        export_network(
            path,
            self._architecture,
            self.get_weights(),
            labels=labels,
            feature_names=feature_names,
            overwrite=overwrite,
            metadata=metadata,
            expected=self.predict_proba,
        )

    def plot(self, file):
        """Draws the cost of each mini-batch into a `.png` or `.svg` file."""
        done = self.steps
        steps = 1 + np.arange(done - len(self._costs), done)
        plot_costs(steps, self._costs, file)

    def close(self):
        """Closes the session; the classifier cannot be used any more."""
        self.session.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def _checked(self, x, y):
        x = checked_features(x, self._shape)
        return x, checked_labels(y, len(x), self.classes)


def _parts(m, size):
    return [slice(start, start + size) for start in range(0, m, size)]


def _line(report, epochs):
    values = {name: v for name, v in report.items() if name != "epoch"}
    shown = "  ".join(f"{name} {value:.4f}" for name, value in values.items())
    return f"epoch {report['epoch']}/{epochs}  {shown}"
