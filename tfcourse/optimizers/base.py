"""What the course's optimizers share: settings in variables, and `l2`."""

import numbers
import re
from collections.abc import Sequence
from typing import Any

import keras
from keras import ops

from tfcourse.hyperparameter import (
    Hyperparameter,
    current_value,
    hyperparameters_of,
    names_declared,
)
from tfcourse.optimizers.loss_scaling import pass_on

_KERAS_LEARNING_RATE = keras.optimizers.Optimizer.learning_rate
# What Keras and the course call parameters that are not weights: `b1`,
# `input_bias`, `gamma`. A last letter means nothing: `lora_kernel_b` is one.
_NO_KERNEL = re.compile(r"^b_?\d*$|(^|_)(bias|gamma|beta|alpha|scale)_?\d*$")


def is_kernel(variable: Any) -> bool:
    """Returns whether `variable` is a weight, to which `l2` applies.

    A kernel has at least two axes (a matrix, filters, embeddings) and is not
    called a bias, gamma, beta, alpha or scale. Either alone would not do: the
    biases of `GRU` and `MultiHeadAttention` have two axes, and a layer may
    call its matrix what it likes.
    """
    # A `tf.Variable` may be called `dense/kernel:0`.
    name = variable.name.split("/")[-1].split(":")[0]
    return len(variable.shape) >= 2 and not _NO_KERNEL.search(name)


class LearningRate(Hyperparameter):
    """The learning rate, whose variable or schedule Keras itself keeps."""

    def check(self, value: Any, owner: str) -> None:
        if not (callable(value) or ops.is_tensor(value)):
            super().check(value, owner)

    def __get__(self, obj, owner=None):
        return self if obj is None else _KERAS_LEARNING_RATE.__get__(obj)

    def __set__(self, obj, value):
        self.check(value, type(obj).__name__)
        _KERAS_LEARNING_RATE.__set__(obj, value)


class BaseOptimizer(keras.optimizers.Optimizer):
    """The abstract base: a subclass adds its equation and its settings.

    It names its `slots`, the averages that it keeps for every parameter;
    gives the scalars of one step in `settings`; computes in `equation` the
    step of one parameter; and may name a kernel of `tensorflow_kernels` that
    computes the same in `fused_kernel`.
    """

    learning_rate = LearningRate("[0, inf)")
    l2 = Hyperparameter("[0, inf)")
    slots: tuple[str, ...] = ()
    fused_kernel: str | None = None

    def __init__(self, learning_rate: Any, l2: float, **kwargs: Any) -> None:
        type(self).learning_rate.check(learning_rate, type(self).__name__)
        if isinstance(learning_rate, numbers.Real):
            learning_rate = float(learning_rate)
        super().__init__(learning_rate=learning_rate, **kwargs)
        self.l2 = l2

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        pass_on((*names_declared(cls), "hyperparameters"))

    def settings(self, learning_rate: Any) -> dict[str, Any]:
        """Returns the scalar arguments of `equation`, by name."""
        raise NotImplementedError

    def equation(self, g: Any, *slots: Any, **settings: Any) -> tuple[Any, ...]:
        """Returns the step to subtract from the parameter, and its slots."""
        raise NotImplementedError

    @property
    def variable_dtype(self) -> str:
        """The dtype of the hyperparameters, see `moving_average.py`."""
        if keras.config.backend() == "tensorflow":
            return "float64"
        return keras.config.floatx()

    @property
    def hyperparameters(self) -> dict[str, keras.Variable]:
        """The settings that can change in training, by name.

        All are scalar variables. A schedule's constants stand in the place of
        `learning_rate`.
        """
        return {**self._schedule_constants(), **self._own_hyperparameters()}

    @property
    def variables(self) -> list[keras.Variable]:
        return [*super().variables, *self._schedule_constants().values()]

    def _own_hyperparameters(self):
        own = hyperparameters_of(self)
        if not isinstance(own["learning_rate"], keras.Variable):
            # What a schedule gives at this step.
            del own["learning_rate"]
        return own

    def _schedule_constants(self):
        return getattr(self._learning_rate, "hyperparameters", {})

    def build(self, variables: Sequence[keras.Variable]) -> None:
        if self.built:
            return
        super().build(variables)
        self._slots = self.add_optimizer_variables(variables, self.slots)
        self._is_kernel = [is_kernel(variable) for variable in variables]

    def regularizes(self, variable: Any) -> bool:
        """Returns whether `l2` applies to `variable`."""
        return self._is_kernel[self._get_variable_index(variable)]

    def slots_of(self, variable: Any) -> list[keras.Variable]:
        """Returns the variables that hold the averages of `variable`."""
        index = self._get_variable_index(variable)
        return [slot[index] for slot in self._slots]

    def _clip_gradients(self, grads: Sequence[Any]) -> Sequence[Any]:
        # An `Embedding` gives a row for each word of a batch. Those of a word
        # that comes twice are one gradient, whose length is to be limited.
        if self.clipnorm or self.global_clipnorm or self.clipvalue:
            grads = [
                ops.add(g, ops.zeros(_shape(g), g.dtype))
                if hasattr(g, "indices")
                else g
                for g in grads
            ]
        return super()._clip_gradients(grads)

    def update_step(
        self, gradient: Any, variable: Any, learning_rate: Any
    ) -> None:
        slots = self.slots_of(variable)
        # In float16 an epsilon of 1e-8 would be 0.
        dtype = keras.backend.result_type(variable.dtype, "float32")
        if hasattr(gradient, "indices"):
            # An `Embedding` gives a sparse one. The sum is of the size that the
            # values have, where a program leaves that of the variable open.
            gradient = ops.add(gradient, ops.zeros_like(variable + 0))
        g = ops.cast(gradient, dtype)
        if self.regularizes(variable):
            g = g + self._l2_gradient(ops.cast(variable, dtype))
        step, *averages = self.equation(
            g,
            *(ops.cast(slot, dtype) for slot in slots),
            **self.settings(learning_rate),
        )
        for slot, average in zip(slots, averages, strict=True):
            self.assign(slot, average)
        self.assign_sub(variable, step)

    def _l2_gradient(self, w):
        if keras.config.backend() == "tensorflow":
            # Imported late: with JAX there may be no TensorFlow.
            from tfcourse.optimizers import xla_l2

            if xla_l2.applies_to(self.l2):
                return xla_l2.l2_gradient(self.l2, w)
        return ops.cast(self.l2, w.dtype) * w

    def _backend_update_step(self, grads, trainable_variables, learning_rate):
        if keras.config.backend() == "tensorflow":
            from tfcourse.optimizers import tensorflow_kernels

            if tensorflow_kernels.applies_to(self, trainable_variables):
                tensorflow_kernels.update(
                    self, grads, trainable_variables, learning_rate
                )
                return
        super()._backend_update_step(grads, trainable_variables, learning_rate)

    def set_weights(self, weights: Sequence[Any]) -> None:
        super().set_weights(weights)
        constants = self._schedule_constants().values()
        own = len(self.variables) - len(constants)
        for constant, value in zip(constants, weights[own:], strict=False):
            constant.assign(value)

    def get_config(self) -> dict[str, Any]:
        own = {
            name: current_value(variable)
            for name, variable in self._own_hyperparameters().items()
        }
        return {**super().get_config(), **own}


def _shape(gradient: Any) -> Any:
    """Returns the shape of a sparse gradient, which may be left open."""
    known = gradient.shape
    return gradient.dense_shape if None in known else known
