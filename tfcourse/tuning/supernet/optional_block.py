"""Layers that some members have, and others do not."""

from typing import Any

import keras
from keras import ops

from tfcourse.tuning.population.vectorization.cross_member import any_member
from tfcourse.utils.keras_private import called

# Of how many examples the layers are computed if nobody has them: so few that
# it costs nothing, and enough for a batch's variance.
_FEW = 2


class OptionalBlock(keras.layers.Layer):
    """Layers that a member has, or whose inputs are its outputs.

    Args:
        layers: The layers, which change no shape.
    """

    def __init__(self, layers: list[keras.layers.Layer]) -> None:
        super().__init__()
        self.layers = layers

    def build(self, input_shape: tuple) -> None:
        self.present = self.add_weight(
            (), "ones", trainable=False, name="present"
        )
        for layer in self.layers:
            layer.build(input_shape)
            input_shape = layer.compute_output_shape(input_shape)

    def call(self, inputs: Any, training: bool = False) -> Any:
        present = self.present > 0
        some = any_member(present)
        if some is None:
            outputs = self._compute(inputs, training)
        else:
            outputs = self._compute_where(some, inputs, training)
        return ops.where(present, outputs, inputs)

    def compute_output_shape(self, input_shape: tuple) -> tuple:
        return input_shape

    def _compute_where(
        self, condition: Any, inputs: Any, training: bool
    ) -> Any:
        """Returns the outputs, or anything else unless the condition holds."""
        shape: Any = ops.shape(inputs)
        examples = ops.where(condition, shape[0], ops.minimum(shape[0], _FEW))
        start, rest = [0] * inputs.ndim, [[0, 0]] * (inputs.ndim - 1)
        outputs = self._compute(
            ops.slice(inputs, start, [examples, *shape[1:]]), training
        )
        return ops.pad(outputs, [[0, shape[0] - examples], *rest])

    def _compute(self, outputs: Any, training: bool) -> Any:
        for layer in self.layers:
            outputs = called(layer, outputs, training)
        return outputs
