"""Nested tensors, and what functions of them are traced for."""

from collections.abc import Callable, Iterable
from typing import Any

import tensorflow as tf

from tfcourse.tuning.population.engines.base import Tensor, Tensors


def concrete(
    step: Callable[..., Any],
    state: list[Tensor],
    data: Tensors,
    sizes: list[int | None],
    **settings: Any,
) -> Callable[..., Any]:
    """Returns a step, traced for batches of `data`.

    Args:
        step: A function of the state and a mini-batch.
        state: The arrays of the members.
        data: The arrays that batches are taken of.
        sizes: `[batch_size]`, or `[members, batch_size]` where each member has
            a batch of its own.
        **settings: Passed to `tf.function`.
    """

    def of_batch(array: Tensor) -> tf.TensorSpec:
        return tf.TensorSpec([*sizes, *array.shape[1:]], array.dtype)

    return tf.function(step, autograph=False, **settings).get_concrete_function(
        each_array(spec, state), each_array(of_batch, data)
    )


def spec(array: Tensor) -> tf.TensorSpec:
    return tf.TensorSpec(array.shape, array.dtype)


def open_spec(array: Tensor) -> tf.TensorSpec:
    """Returns how an array looks, whatever the length of its first axis."""
    shape = array.shape
    return tf.TensorSpec([None, *shape[1:]] if shape.rank else [], array.dtype)


def shapes(arrays: Tensors) -> str:
    """Returns how nested arrays look, but for the length of the first axis."""
    return str(
        each_array(lambda array: (str(array.dtype), *array.shape[1:]), arrays)
    )


def gathered(data: Tensors, indices: Tensor) -> Tensors:
    return each_array(lambda array: tf.gather(array, indices), data)


def tensors(arrays: Tensors) -> Tensors:
    return each_array(tf.convert_to_tensor, arrays)


def each_array(function: Callable[[Any], Any], data: Tensors) -> Any:
    return tf.nest.map_structure(
        lambda array: None if array is None else function(array), data
    )


def replaced(
    arrays: list[Any], indices: Iterable[int], values: Iterable[Any]
) -> list[Any]:
    """Returns a list like `arrays`, with other values at some indices."""
    new = list(arrays)
    for i, value in zip(indices, values, strict=True):
        new[i] = value
    return new


def leaves(data: Tensors) -> list[Tensor]:
    return [leaf for leaf in tf.nest.flatten(data) if leaf is not None]
