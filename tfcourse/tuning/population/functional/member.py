"""What one member of a population computes, as functions without side effect.

Each takes the values of all of the member's variables and returns new ones. An
engine writes the gradient and the mapping over members around them.
"""

import contextlib

import keras
from keras import ops

from tfcourse.errors import CannotVectorize
from tfcourse.tuning.population.functional.optimizers import (
    functional_optimizer,
)
from tfcourse.tuning.population.functional.packing import Packing
from tfcourse.tuning.population.functional.parameter_groups import parameters
from tfcourse.tuning.population.functional.scope import Scope

_LONGEST_UNROLLED = 32


class Member:
    """A compiled, built model, seen as functions of its variables' values.

    These are held in `arrays`, each a variable or several of them flat, see
    `Packing`: first the parameters, then the other variables of the model, the
    optimizer's, and the metrics'.

    Args:
        model: The `keras.Model`. Its variables are read, never written.

    Attributes:
        packing: How the variables lie in the arrays: the model's
            `trainable_variables`, its `non_trainable_variables`, its
            optimizer's `variables`, its `metrics_variables`.
        parameters: How many arrays, from the first, are parameters.
        of_model: How many are the model's.
        saved: How many make up a saved model.

    Raises:
        CannotVectorize: If the model trains itself in its own way.
    """

    def __init__(self, model):
        if not model.trainable_variables:
            raise CannotVectorize("it has no trainable variables")
        self.model = model
        self._layers = list(model._flatten_layers())
        optimizers = getattr(model.optimizer, "optimizers", [model.optimizer])
        params = parameters(model, optimizers)
        self._updated = [p.variable for p in params]
        self._optimizer = functional_optimizer(model.optimizer, params)
        sections = [
            (model.trainable_variables, [p.indices for p in params]),
            _by_dtype(model.non_trainable_variables),
            (model.optimizer.variables, self._optimizer.groups),
            _by_dtype(model.metrics_variables),
        ]
        self._variables = [v for variables, _ in sections for v in variables]
        self.packing = Packing(self._variables, _joined(sections))
        counts = [len(groups) for _, groups in sections]
        self.parameters = counts[0]
        self.of_model = sum(counts[:2])
        self.saved = sum(counts[:3])

    @property
    def finishes(self):
        """Whether `finish` changes anything."""
        return self._optimizer.finishes

    @property
    def convolves(self):
        return any("Conv" in type(layer).__name__ for layer in self._layers)

    @property
    def acts_by_members(self):
        """Whether a part of it is probably computed member by member.

        On TensorFlow that goes for convolutions, and for drawing numbers.
        """
        return self.convolves or any(map(_draws, self._layers))

    @property
    def saved_variables(self):
        """How many variables, from the first, are not those of metrics."""
        return len(self._variables) - len(self.model.metrics_variables)

    @property
    def dtypes(self):
        """The dtypes of the arrays."""
        return [
            self._variables[group[0]].dtype for group in self.packing.groups
        ]

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

    def forward(self, arrays, batch, training):
        """Returns the loss to differentiate, and the new arrays."""
        x, y, sample_weight = batch
        model = self.model
        with self._scope(arrays) as scope:
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
                loss = self._optimizer.scale_loss(loss)
            return loss, self._read(scope, arrays)

    def apply(self, arrays, gradients):
        """Returns the arrays after the optimizer's step."""
        return self._with_optimizer(
            arrays, lambda: self._optimizer.apply(gradients)
        )

    def finish(self, arrays):
        """Returns the arrays at the end of training.

        The same, but for optimizers that leave an average of the parameters.
        """
        return self._with_optimizer(arrays, self._optimizer.finish)

    def results(self, arrays):
        """Returns the metrics, by the names that `fit` gives them.

        Args:
            arrays: Those that `needed_for_results` returns.
        """
        unused = len(self.packing.groups) - len(arrays)
        with self._scope([None] * unused + arrays):
            return dict(self.model.get_metrics_result())

    def needed_for_results(self, arrays):
        """Returns the last of the arrays, which the metrics are told by.

        For Keras's own metrics that is what they have counted; anybody else's
        may look at the weights.
        """
        model = self.model
        compiled = model._compile_metrics
        metrics = [*model.metrics, *(compiled.metrics if compiled else [])]
        told_by = type(model).get_metrics_result
        if told_by is keras.Model.get_metrics_result and all(
            map(_is_in_keras, metrics)
        ):
            return arrays[self.saved :]
        return arrays

    def predict(self, arrays, x):
        with self._scope(arrays):
            return self._predict(x, training=False)

    def zeros(self, members):
        """Returns arrays for so many members, all zeros."""
        return [
            ops.convert_to_tensor(array, dtype)
            for array, dtype in zip(
                self.packing.zeros(members), self.dtypes, strict=True
            )
        ]

    def initial_metrics(self):
        """Returns the values of the metrics' variables before any batch."""
        self.model.reset_metrics()
        return [ops.convert_to_numpy(v) for v in self.model.metrics_variables]

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

    def _scope(self, arrays):
        """Returns a scope with the values of one member's variables."""
        slots = zip(self._optimizer.variables, self._slots(arrays), strict=True)
        values = [slot for slot in slots if slot[1] is not None]
        for number in self._of_graph():
            if arrays[number] is None:
                continue
            for i, value in self.packing.read(arrays[number], number):
                values.append((self._variables[i], value))
        return Scope(values, collect_losses=True)

    def _read(self, scope, arrays):
        """Returns the arrays with what has changed in the scope."""
        new = list(arrays)
        for number in self._of_graph():
            variables = [
                self._variables[i] for i in self.packing.groups[number]
            ]
            if not any(scope.has_changed(v) for v in variables):
                continue
            if number < self.parameters:
                raise CannotVectorize(
                    "its forward pass assigns to the parameter "
                    f"{variables[0].path}"
                )
            new[number] = self.packing.write(
                [scope.get_current_value(v) for v in variables]
            )
        return new

    def _of_graph(self):
        """The numbers of the arrays that the model and its metrics use."""
        numbers = range(len(self.packing.groups))
        return [*numbers[: self.of_model], *numbers[self.saved :]]

    def _slots(self, arrays):
        return arrays[self.of_model : self.saved]

    def _with_optimizer(self, arrays, action):
        known = [*self._updated, *self._optimizer.variables]
        values = [*arrays[: self.parameters], *self._slots(arrays)]
        with Scope(zip(known, values, strict=True)) as scope:
            action()
            new = [scope.get_current_value(variable) for variable in known]
        return [
            *new[: self.parameters],
            *arrays[self.parameters : self.of_model],
            *new[self.parameters :],
            *arrays[self.saved :],
        ]


def _draws(layer):
    rates = [getattr(layer, n, 1) for n in ("dropout", "recurrent_dropout")]
    # A cell of a recurrent network has a generator, with or without dropout.
    return getattr(layer, "seed_generator", None) and any(rates)


def _by_dtype(variables):
    """Returns variables, and which of their indices are of one dtype."""
    groups = {}
    for i, variable in enumerate(variables):
        groups.setdefault(variable.dtype, []).append(i)
    return list(variables), list(groups.values())


def _joined(sections):
    """Returns the groups of sections that follow each other."""
    groups, first = [], 0
    for variables, some in sections:
        groups += [[first + i for i in group] for group in some]
        first += len(variables)
    return groups


def _is_mean(loss):
    if loss is None or isinstance(loss, str):
        return True
    return _is_kerass(loss) and loss.reduction == "sum_over_batch_size"


def _is_kerass(thing):
    function = getattr(thing, "_fn", None)
    if function and not function.__module__.startswith("keras."):
        return False
    return _is_in_keras(thing)


def _is_in_keras(thing):
    return type(thing).__module__.startswith("keras.")


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
