"""What one member of a population computes, as functions without side effect.

Each takes the values of all of the member's variables and returns new ones. An
engine writes the gradient and the mapping over members around them.
"""

import contextlib

import keras
from keras import ops

from tfcourse.tuning.population.errors import CannotVectorize
from tfcourse.tuning.population.optimizer import stateless

_LONGEST_UNROLLED = 32


class Member:
    """A compiled, built model, seen as functions of its variables' values.

    Args:
        model: The `keras.Model`. Its variables are read, never written.

    Attributes:
        variables: All variables, in the order in which values are given:
            trainable ones, the other ones of the model, the optimizer's, the
            metrics'.

    Raises:
        CannotVectorize: If the model trains itself in its own way.
    """

    def __init__(self, model):
        if not model.trainable_variables:
            raise CannotVectorize("it has no trainable variables")
        self.model = model
        self.optimizer = stateless(model.optimizer, model.trainable_variables)
        self.trainable = list(model.trainable_variables)
        self.others = list(model.non_trainable_variables)
        self.optimizer_variables = list(self.optimizer.variables)
        self.metric_variables = list(model.metrics_variables)
        self.variables = [
            *self.trainable,
            *self.others,
            *self.optimizer_variables,
            *self.metric_variables,
        ]

    @property
    def saved(self):
        """How many variables, from the first, make up a saved model."""
        return len(self.variables) - len(self.metric_variables)

    @property
    def any_batches_will_do(self):
        """Whether an evaluation does not depend on how data are batched.

        That is so for the weighted means that Keras's own losses and metrics
        are; anybody else's may be another thing.
        """
        model = self.model
        losses = keras.tree.flatten(model.loss)
        metrics = model._compile_metrics and model._compile_metrics.metrics
        return (
            type(model).compute_loss is keras.Model.compute_loss
            and type(model).compute_metrics is keras.Model.compute_metrics
            and all(_is_mean(loss) for loss in losses)
            and all(_is_kerass(metric) for metric in metrics or [])
            and not any(layer._losses for layer in model._flatten_layers())
        )

    def forward(self, values, batch, training):
        """Returns the loss to differentiate, and the new values."""
        x, y, sample_weight = batch
        model = self.model
        with self._scope(values) as scope:
            y_pred = self._predict(x, training)
            loss = model._compute_loss(
                x=x,
                y=y,
                y_pred=y_pred,
                sample_weight=sample_weight,
                training=training,
            )
            model._loss_tracker.update_state(
                loss, sample_weight=ops.shape(keras.tree.flatten(x)[0])[0]
            )
            self._update_metrics(x, y, y_pred, sample_weight)
            if training:
                loss = self.optimizer.scale_loss(loss)
            new = self._read(scope)
        for variable, old, now in zip(
            self.variables, values, new, strict=False
        ):
            if variable.trainable and now is not old:
                raise CannotVectorize(
                    f"its forward pass assigns to the parameter {variable.path}"
                )
        return loss, new

    def apply(self, values, gradients):
        """Returns the values after the optimizer's step."""
        with self._scope(values) as scope:
            self.optimizer.apply(gradients, self.trainable)
            return self._read(scope)

    def finish(self, values):
        """Returns the values at the end of training.

        The same, but for optimizers that leave an average of the parameters.
        """
        with self._scope(values) as scope:
            self.optimizer.finalize_variable_values(self.trainable)
            return self._read(scope)

    def results(self, values):
        """Returns the metrics, by the names that `fit` gives them."""
        with self._scope(values):
            return dict(self.model.get_metrics_result())

    def predict(self, values, x):
        with self._scope(values):
            return self._predict(x, training=False)

    def initial_metrics(self):
        """Returns the values of the metrics' variables before any batch."""
        self.model.reset_metrics()
        return [ops.convert_to_numpy(v) for v in self.metric_variables]

    def _update_metrics(self, x, y, y_pred, sample_weight):
        model = self.model
        if type(model).compute_metrics is not keras.Model.compute_metrics:
            model.compute_metrics(x, y, y_pred, sample_weight=sample_weight)
        elif model._compile_metrics is not None:
            # The same, without results that nobody reads at each batch.
            model._compile_metrics.update_state(y, y_pred, sample_weight)

    def _predict(self, x, training):
        with _unrolled(self.model):
            if self.model._call_has_training_arg:
                return self.model(x, training=training)
            return self.model(x)

    def _scope(self, values):
        return _Scope(
            zip(self.variables, values, strict=True), collect_losses=True
        )

    def _read(self, scope):
        return [scope.get_current_value(v) for v in self.variables]


class _Scope(keras.StatelessScope):
    """A scope that keeps values, where Keras's would keep a variable."""

    def add_update(self, update):
        variable, value = update
        if isinstance(value, keras.Variable):
            value = ops.convert_to_tensor(value.value)
        super().add_update((variable, value))


def _is_mean(loss):
    if loss is None or isinstance(loss, str):
        return True
    return _is_kerass(loss) and loss.reduction == "sum_over_batch_size"


def _is_kerass(thing):
    function = getattr(thing, "_fn", None)
    if function and not function.__module__.startswith("keras."):
        return False
    return type(thing).__module__.startswith("keras.")


def build(model, batch):
    """Creates the variables of a model, its loss and its metrics.

    Args:
        model: A compiled `keras.Model`.
        batch: `(x, y, sample_weight)`, a few examples.
    """
    x, y, sample_weight = batch
    keyword = {"training": False} if model._call_has_training_arg else {}
    y_pred = model(x, **keyword)
    model._compute_loss(
        x=x, y=y, y_pred=y_pred, sample_weight=sample_weight, training=False
    )
    model.compute_metrics(x, y, y_pred, sample_weight=sample_weight)
    model.reset_metrics()


def check_trains_as_keras_does(model):
    """Raises `CannotVectorize` if the model trains itself in its own way."""
    for method in ("train_step", "test_step", "make_train_function"):
        ours = getattr(type(model), method)
        if getattr(keras.Model, method) is not ours:
            raise CannotVectorize(f"it overrides `{method}`")
    if model.run_eagerly:
        raise CannotVectorize("it was compiled with `run_eagerly=True`")


@contextlib.contextmanager
def _unrolled(model):
    """Short recurrences are written out: loops vectorise far more slowly."""
    changed = []
    for layer in model._flatten_layers():
        if not isinstance(layer, keras.layers.RNN) or layer.unroll:
            continue
        shapes = layer._build_shapes_dict or {}
        shape = next(iter(shapes.values()), None)
        steps = shape[1] if shape and len(shape) > 1 else None
        if steps and steps <= _LONGEST_UNROLLED:
            changed.append(layer)
    for layer in changed:
        layer.unroll = True
    try:
        yield
    finally:
        for layer in changed:
            layer.unroll = False
