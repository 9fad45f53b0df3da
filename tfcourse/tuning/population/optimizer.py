"""An optimizer as a pure function of the values of its variables.

Keras's optimizers for TensorFlow update `tf.Variable`s in place, through
`tf.distribute`, and refuse `stateless_apply`. Each method that makes them so
overrides one of `BaseOptimizer`, which is written for any backend: put back,
the optimizer computes on whatever values a `keras.StatelessScope` holds.
"""

import functools

import keras
from keras import ops
from keras.src.optimizers.base_optimizer import BaseOptimizer

from tfcourse.tuning.population.errors import CannotVectorize


def stateless(optimizer, variables):
    """Returns a copy of `optimizer`, built, to be used in a `StatelessScope`.

    Args:
        optimizer: A Keras optimizer; it is left as it is.
        variables: The trainable variables that it shall update.

    Raises:
        CannotVectorize: If it averages gradients over several batches, or
            cannot be copied.
    """
    if isinstance(optimizer, keras.optimizers.LossScaleOptimizer):
        return _LossScale(optimizer, variables)
    if optimizer.gradient_accumulation_steps:
        raise CannotVectorize(
            "its optimizer accumulates gradients over several batches "
            "(`gradient_accumulation_steps`)"
        )
    copy = _copy(optimizer)
    # Which variables decay is asked of the original: its answer depends on
    # `exclude_from_weight_decay`, which its config does not tell.
    copy._exclude_from_weight_decay_cache = {
        id(v): optimizer._use_weight_decay(v) for v in variables
    }
    copy.build(variables)
    return copy


def learning_rate_value(optimizer):
    """Returns the variable of the learning rate, or None for a schedule."""
    optimizer = getattr(optimizer, "inner_optimizer", optimizer)
    rate = optimizer._learning_rate
    return rate if isinstance(rate, keras.Variable) else None


def _copy(optimizer):
    config = optimizer.get_config()
    try:
        copy = type(optimizer).from_config(config)
    except Exception as error:
        raise CannotVectorize(
            f"its optimizer {type(optimizer).__name__} cannot be made anew "
            f"from its `get_config()` ({error})"
        ) from error
    return make_stateless(copy)


def make_stateless(optimizer):
    """Changes an optimizer, not yet built, to work in a `StatelessScope`."""
    inner = getattr(optimizer, "inner_optimizer", None)
    if inner is not None:
        make_stateless(inner)
    if keras.config.backend() == "tensorflow":
        cls = type(optimizer)
        optimizer.__class__ = type(cls.__name__, (cls, _in_place_undone()), {})
    return optimizer


# The second serves sparse gradients and changes nothing in place.
_KEPT = ("__init__", "_clip_by_norm")


@functools.cache
def _in_place_undone():
    """Returns a class to inherit from, between an optimizer and Keras's."""
    from keras.src.backend.tensorflow.optimizer import TFOptimizer

    # A subclass of `TFOptimizer`, so that it comes just before it in the order
    # of resolution, and after what an optimizer itself overrides.
    methods = {
        name: getattr(BaseOptimizer, name)
        for name in vars(TFOptimizer)
        if name in vars(BaseOptimizer) and name not in _KEPT
    }
    return type("InPlaceUndone", (TFOptimizer,), methods)


class _LossScale:
    """`keras.optimizers.LossScaleOptimizer`, without its branches.

    Keras skips the step where a gradient has overflowed. Here it is computed
    and its result not taken, which is the same and does not depend on a
    condition that differs between members.
    """

    def __init__(self, optimizer, variables):
        self.inner = stateless(optimizer.inner_optimizer, variables)
        self._growth_steps = optimizer.dynamic_growth_steps
        self._counter = keras.Variable(
            0, dtype="int", trainable=False, name="step_counter"
        )
        self._scale = keras.Variable(
            optimizer.initial_scale,
            dtype="float32",
            trainable=False,
            name="dynamic_scale",
        )
        # In the order of the original's own variables, see `matching`.
        self._unused = [
            keras.Variable(
                keras.ops.convert_to_numpy(v), dtype=v.dtype, trainable=False
            )
            for v in optimizer._variables[:2]
        ]

    @property
    def variables(self):
        own = [*self._unused, self._counter, self._scale]
        return [*own, *self.inner.variables]

    def scale_loss(self, loss):
        return ops.multiply(loss, self._scale)

    def apply(self, gradients, variables):
        known = [g for g in gradients if g is not None]
        finite = ops.all(ops.stack([ops.all(ops.isfinite(g)) for g in known]))
        scale = ops.convert_to_tensor(self._scale)
        kept = [*variables, *self.inner.variables]
        before = [ops.convert_to_tensor(v.value) for v in kept]
        self.inner.apply(
            [None if g is None else ops.divide(g, scale) for g in gradients],
            variables,
        )
        for variable, old in zip(kept, before, strict=True):
            variable.assign(ops.where(finite, variable.value, old))

        count = ops.convert_to_tensor(self._counter)
        grow = ops.equal(count, self._growth_steps - 1)
        factor = ops.where(finite, ops.where(grow, 2.0, 1.0), 0.5)
        self._scale.assign(ops.multiply(scale, factor))
        goes_on = ops.logical_and(finite, ops.logical_not(grow))
        self._counter.assign(ops.where(goes_on, count + 1, 0))

    def finalize_variable_values(self, variables):
        self.inner.finalize_variable_values(variables)
