"""Layers that some members have, and others do not."""

import functools
from collections.abc import Sequence
from typing import Any

import keras
from keras import ops

from tfcourse.tuning.population.vectorization.cross_member import any_member
from tfcourse.utils.keras_private import called, mask_of, set_mask

# Of how many examples the layers are computed if nobody has them: so few that
# it costs nothing, and enough for a batch's variance.
FEW = 2


class OptionalBlock(keras.layers.Layer):
    """Layers that a member has, or whose inputs are its outputs.

    Where outputs have more features than inputs, or fewer, the missing ones are
    zero.

    Args:
        body: The layers, as a model or layer. It takes what the block takes.
        passes: Whether the inputs are the outputs of members that do not have
            the layers, which then change no more of a shape than its features.
            If not, nobody looks at their outputs.

    Call arguments:
        inputs: What is given back by members that do not have the layers, or a
            list of that and of further inputs of the layers.
    """

    def __init__(self, body: Any, passes: bool = True) -> None:
        super().__init__()
        self.body = body
        self.passes = passes
        # Masks go past it, and through it.
        self.supports_masking = body.supports_masking = True

    def build(self, input_shape: Any) -> None:
        self.present = self.add_weight(
            (), "ones", trainable=False, name="present"
        )

    def call(self, inputs: Any, training: bool = False) -> Any:
        present = self.present > 0
        some = any_member(present)
        if some is None:
            outputs = called(self.body, inputs, training)
        else:
            outputs = self._compute_where(some, inputs, training)
        if not self.passes:
            return outputs
        first = keras.tree.flatten(inputs)[0]
        width = max(outputs.shape[-1], first.shape[-1])
        return ops.where(
            present, with_features(outputs, width), with_features(first, width)
        )

    def compute_mask(self, inputs: Any, previous_mask: Any) -> Any:
        return keras.tree.flatten(previous_mask)[0] if self.passes else None

    def compute_output_shape(self, input_shape: Any) -> tuple:
        nested = isinstance(input_shape[0], (list, tuple))
        first = input_shape[0] if nested else input_shape
        shape = self.body.compute_output_shape(input_shape)
        if not self.passes:
            return shape
        return (*shape[:-1], max(shape[-1], first[-1]))

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "body": self.body,
            "passes": self.passes,
        }

    def _compute_where(
        self, condition: Any, inputs: Any, training: bool
    ) -> Any:
        """Returns the outputs, or anything else unless the condition holds."""
        shape: Any = ops.shape(keras.tree.flatten(inputs)[0])
        examples = ops.where(condition, shape[0], ops.minimum(shape[0], FEW))
        few = keras.tree.map_structure(
            lambda x: first_of(x, [examples]), inputs
        )
        outputs = called(self.body, few, training)
        rest = [[0, 0]] * (outputs.ndim - 1)
        return ops.pad(outputs, [[0, shape[0] - examples], *rest])


class Chosen(keras.layers.Layer):
    """That one of its inputs which a member has, with zeros after it.

    Args:
        parts: Layers, of which all see the same input, or none: then the
            inputs are what is chosen from.
    """

    def __init__(self, parts: Sequence[Any] = ()) -> None:
        super().__init__()
        self.parts = list(parts)

    def build(self, input_shape: Any) -> None:
        count = len(self.parts) or len(input_shape)
        self.choice = self.add_weight(
            (count,), "zeros", trainable=False, name="choice"
        )

    def call(self, inputs: Any) -> Any:
        given = [part(inputs) for part in self.parts] or inputs
        width = max(x.shape[-1] for x in given)
        outputs, *others = (with_features(x, width) for x in given)
        for i, other in enumerate(others, start=1):
            outputs = ops.where(self.choice[i] > 0, other, outputs)
        return outputs

    def compute_output_shape(self, input_shape: Any) -> tuple:
        shapes = [
            part.compute_output_shape(input_shape) for part in self.parts
        ] or input_shape
        return (*shapes[0][:-1], max(shape[-1] for shape in shapes))

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "parts": self.parts}


class SmallerKernels:
    """A convolution that takes a part of its kernel for all of it.

    It comes before a class of Keras's in a `masked_convolution`.
    """

    # What that class has.
    add_weight: Any
    compute_dtype: Any
    kernel_size: Any
    padding: Any

    def build(self, input_shape: Any) -> None:
        convolution: Any = super()
        convolution.build(input_shape)
        self.kernel_mask = self.add_weight(
            self.kernel_size, "ones", trainable=False, name="kernel_mask"
        )

    @property
    def kernel(self) -> Any:
        mask: Any = ops.cast(self.kernel_mask, self.compute_dtype)
        convolution: Any = super()
        return convolution.kernel * mask[..., None, None]


@functools.cache
def masked_convolution(cls: type) -> type:
    """Returns a class of convolutions whose members have smaller kernels."""
    return type(cls.__name__, (SmallerKernels, cls), {"__module__": __name__})


class MaskedFeatures(keras.layers.Layer):
    """Sets features that a member does not have to zero."""

    def __init__(self) -> None:
        super().__init__()
        self.supports_masking = True

    def build(self, input_shape: tuple) -> None:
        self.mask = self.add_weight(
            (input_shape[-1],), "ones", trainable=False, name="mask"
        )

    def call(self, inputs: Any) -> Any:
        # A product would make a gradient of what is infinite no number.
        return ops.where(self.mask > 0, inputs, ops.zeros_like(inputs))

    def compute_output_shape(self, input_shape: tuple) -> tuple:
        return input_shape


class PaddedFeatures(keras.layers.Layer):
    """Adds features that are zero.

    Args:
        width: How many features there are then.
    """

    def __init__(self, width: int) -> None:
        super().__init__()
        self.width = width
        self.supports_masking = True

    def call(self, inputs: Any) -> Any:
        return with_features(inputs, self.width)

    def compute_output_shape(self, input_shape: tuple) -> tuple:
        return (*input_shape[:-1], self.width)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "width": self.width}


def with_features(x: Any, width: int) -> Any:
    """Returns a tensor with zeros after its features, up to so many."""
    missing = width - x.shape[-1]
    if not missing:
        return x
    return ops.pad(x, [*[[0, 0]] * (x.ndim - 1), [0, missing]])


def first_of(x: Any, sizes: list[Any]) -> Any:
    """Returns the first examples of a tensor, and with them their mask.

    Args:
        x: The tensor.
        sizes: How many of them, and, if more is given, how many of what the
            next axes hold.
    """
    some = _part(x, sizes)
    mask = mask_of(x)
    if mask is not None:
        set_mask(some, _part(mask, sizes))
    return some


def _part(x: Any, sizes: list[Any]) -> Any:
    shape: Any = ops.shape(x)
    return ops.slice(x, [0] * x.ndim, [*sizes, *shape[len(sizes) :]])
