"""A supernet's layers where each member computes in its own size.

Nothing is filled up with zeros there, and members come one at a time: a branch
that one does not take is not computed, or on next to nothing.
"""

from typing import Any

import keras
from keras import layers, ops

from tfcourse.tuning.supernet.blocks.optional_block import (
    FEW,
    Chosen,
    OptionalBlock,
    PaddedFeatures,
    first_of,
)
from tfcourse.utils.keras_private import called, every_layer

_RECURRENT = layers.Bidirectional, layers.RNN
_CELLS = layers.GRUCell, layers.LSTMCell, layers.SimpleRNNCell
# Each step of a sequence is like any other to them.
_STEP_BY_STEP = (
    *_RECURRENT,
    *_CELLS,
    layers.Activation,
    layers.BatchNormalization,
    layers.Dense,
    layers.Dropout,
    layers.ELU,
    layers.GaussianDropout,
    layers.GaussianNoise,
    layers.InputLayer,
    layers.LeakyReLU,
    layers.ReLU,
    layers.SpatialDropout1D,
)


class OwnOptionalBlock(OptionalBlock):
    """Layers that the member has, or whose inputs are its outputs.

    Where it does not have them, they are computed with weights of one feature,
    on a few examples, for nothing but the sake of one program for all.
    """

    def call(self, inputs: Any, training: bool = False) -> Any:
        present = self.present > 0
        first = keras.tree.flatten(inputs)[0]
        shape: Any = ops.shape(first)
        sizes = [ops.where(present, shape[0], ops.minimum(shape[0], FEW))]
        if first.ndim == 3 and _goes_step_by_step(self.body):
            sizes.append(ops.where(present, shape[1], 1))
        some = keras.tree.map_structure(lambda x: first_of(x, sizes), inputs)
        outputs = called(self.body, some, training)
        if not self.passes:
            return outputs
        return ops.cond(present, lambda: outputs, lambda: first)


class OwnChosen(Chosen):
    """That one of its inputs which the member has."""

    def call(self, inputs: Any) -> Any:
        if self.parts:
            branches = [lambda part=part: part(inputs) for part in self.parts]
        else:
            branches = [lambda x=x: x for x in inputs]
        return ops.switch(ops.argmax(self.choice), branches)


class OwnFeatures(PaddedFeatures):
    """Leaves its inputs as they are: those of a member have one width."""

    def call(self, inputs: Any) -> Any:
        return inputs


def _goes_step_by_step(body: Any) -> bool:
    every = [x for x in every_layer(body) if not isinstance(x, keras.Model)]
    recurrent = [x for x in every if isinstance(x, _RECURRENT)]
    return bool(recurrent) and all(isinstance(x, _STEP_BY_STEP) for x in every)
