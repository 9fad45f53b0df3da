"""A softmax classifier, as the course built it in TensorFlow 1."""

import itertools
import os
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Self

import numpy as np
import tensorflow as tf

from tfcourse.data.minibatches import mini_batches
from tfcourse.errors import InputError
from tfcourse.graph_mode.classifier.checkpoints import SessionCheckpoints
from tfcourse.graph_mode.classifier.evaluation import (
    evaluated,
    probabilities,
)
from tfcourse.graph_mode.classifier.inputs import (
    checked_features,
    checked_labels,
)
from tfcourse.graph_mode.classifier.saved_model import export_network
from tfcourse.graph_mode.classifier.settings import (
    check_training,
    checked_architecture,
)
from tfcourse.graph_mode.classifier.training_graph import training_graph
from tfcourse.graph_mode.plots import plot_costs
from tfcourse.graph_mode.session import (
    load_variable,
    new_graph,
    new_session,
)
from tfcourse.utils.validation import check_integer

v1 = tf.compat.v1


class SoftmaxClassifier:
    r"""A network with batch normalization and softmax, in graph and session.

    Each hidden layer computes $a = g(\mathrm{BN}(W a_{prev}))$, without a bias,
    and dropout; the last $z = W a + b$ and $\hat y = \mathrm{softmax}(z)$. With
    $m$ training examples, what training minimizes is

    $$J = \frac{1}{|B|} \sum_{i \in B} -\log \hat y^{(i)}_{y^{(i)}}
      + \frac{\lambda}{2m} \sum_l \lVert W^{[l]} \rVert_F^2$$

    over mini-batches $B$. A Keras model of `Dense`, `BatchNormalization` of
    `tfcourse.layers`, `ReLU` and `tfcourse.regularizers.L2`, given the same
    weights and batches, takes the same path, up to float32 rounding.

    It has its own graph and session: TensorFlow 2 and Keras are not touched. It
    holds the session until `close()`, or the end of a `with`.

    Args:
        features: How many numbers an example has, or its shape.
        units: The number of units of each hidden layer; may be empty.
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
        epsilon: The ε of batch normalization, above 0.
        seed: The seed of the initial weights, dropout and the order of the
            examples.
        device: Where to compute, e.g. `"/cpu:0"`; `None` for any.

    Raises:
        InputError: If there is no such optimizer, activation or device.
        TypeError: If a number is expected and something else is given.
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
        features: int | Sequence[int],
        units: Sequence[int],
        classes: int,
        *,
        optimizer: str | Callable[..., v1.train.Optimizer] = "adam",
        learning_rate: float | Callable[[tf.Variable], tf.Tensor] = 0.001,
        keep_prob: float = 1.0,
        lambda_: float = 0.0,
        activation: str = "relu",
        momentum: float = 0.9,
        epsilon: float = 1e-8,
        seed: int = 0,
        device: str | None = None,
    ) -> None:
        self._architecture = checked_architecture(
            features, units, classes, activation, momentum, epsilon, seed
        )
        check_training(learning_rate, keep_prob, lambda_)
        self.classes = classes
        self._shape = self._architecture["shape"]
        self._keep_prob = keep_prob
        self._seed = seed
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
    def steps(self) -> int:
        """How many mini-batches have been trained on: the global step."""
        return int(self.session.run(self._nodes.step))

    @property
    def costs(self) -> np.ndarray:
        """The cost of each mini-batch so far, shape `(steps,)`."""
        return np.array(self._costs, "float32")

    def fit(
        self,
        x: np.ndarray,
        y: np.ndarray,
        *,
        epochs: int = 10,
        batch_size: int = 64,
        validation_data: tuple[np.ndarray, np.ndarray] | None = None,
        checkpoints: str | os.PathLike | None = None,
        tensorboard: str | os.PathLike | None = None,
        verbose: bool = True,
    ) -> list[dict[str, float]]:
        """Trains until `epochs` passes over the examples are done in total.

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
            verbose: Whether to print a line per epoch.

        Returns:
            A dict for each epoch: `epoch`, `cost`, `accuracy`, and, with
            validation data, `val_cost` and `val_accuracy`.

        Raises:
            InputError: If the data do not fit the network, or the cost is no
                longer finite; the message names the step.
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
                f"Training diverged: the cost of step {step} is {cost}. "
                "Choose a smaller learning rate, and look for non-finite "
                "values in the data."
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

    def evaluate(
        self, x: np.ndarray, y: np.ndarray, batch_size: int = 1024
    ) -> dict[str, float]:
        """Returns the cost, without the penalty, and the accuracy, as a dict.

        Args:
            x: Shape `(m, ...)`.
            y: Classes, shape `(m,)`.
            batch_size: How many examples at once.
        """
        x, y = self._checked(x, y)
        return evaluated(self.session, self._nodes, x, y, batch_size)

    def predict_proba(
        self, x: np.ndarray, batch_size: int = 1024
    ) -> np.ndarray:
        """Returns the probability of each class, shape `(m, C)`."""
        x = checked_features(x, self._shape)
        return probabilities(self.session, self._nodes, x, batch_size)

    def predict(self, x: np.ndarray, batch_size: int = 1024) -> np.ndarray:
        """Returns the most probable class of each example, shape `(m,)`."""
        return self.predict_proba(x, batch_size).argmax(axis=-1)

    def get_weights(self) -> dict[str, np.ndarray]:
        """Returns the network's variables: a dict from name to array."""
        variables = {v.op.name: v for v in self._variables}
        return self.session.run(variables)

    def set_weights(self, weights: Mapping[str, np.ndarray]) -> None:
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

    def save(self, folder: str | os.PathLike) -> str:
        """Writes a checkpoint into a folder; the last five are kept.

        With the weights, the optimizer's averages and the global step, and the
        cost curve in `costs.json`.

        Returns:
            The path of the checkpoint.
        """
        return self._checkpoints.save(
            self.session, folder, self.steps, self._costs
        )

    def restore(self, folder: str | os.PathLike) -> Self:
        """Goes back to the last checkpoint in a folder, or to a given one.

        Raises:
            InputError: If there is none, or it is of another network.
        """
        known = self._checkpoints.restore(self.session, folder)
        self._costs = known[: self.steps]
        return self

    def export(
        self,
        path: str | os.PathLike,
        *,
        labels: Sequence[str | int] | None = None,
        feature_names: Sequence[str] | None = None,
        overwrite: bool = False,
        metadata: Mapping[str, Any] | None = None,
    ) -> None:
        """Writes a SavedModel from the session; TensorFlow 2 can load it.

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
            InputError: If `path` exists and `overwrite` is false, if there are
                not as many labels as classes or names as features, or if the
                written model does not return what this one does.
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

    def plot(self, file: str | os.PathLike) -> None:
        """Draws the cost of each mini-batch into a `.png` or `.svg` file."""
        done = self.steps
        steps = 1 + np.arange(done - len(self._costs), done)
        plot_costs(steps, self._costs, file)

    def close(self) -> None:
        """Closes the session; the classifier can no longer be used."""
        self.session.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _checked(self, x, y):
        x = checked_features(x, self._shape)
        return x, checked_labels(y, len(x), self.classes)


def _line(report, epochs):
    values = {name: v for name, v in report.items() if name != "epoch"}
    shown = "  ".join(f"{name} {value:.4f}" for name, value in values.items())
    return f"epoch {report['epoch']}/{epochs}  {shown}"
