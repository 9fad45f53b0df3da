"""Nested tensors, and what functions of them are traced for."""

import tensorflow as tf


def concrete(step, state, data, sizes, **settings):
    """Returns a step, traced for batches of `data`.

    Args:
        step: A function of the state and a mini-batch.
        state: The arrays of the members.
        data: The arrays that batches are taken of.
        sizes: `[batch_size]`, or `[members, batch_size]` where each member has
            a batch of its own.
        **settings: Passed to `tf.function`.
    """

    def of_batch(array):
        return tf.TensorSpec([*sizes, *array.shape[1:]], array.dtype)

    return tf.function(step, autograph=False, **settings).get_concrete_function(
        each_array(spec, state), each_array(of_batch, data)
    )


def spec(array):
    return tf.TensorSpec(array.shape, array.dtype)


def open_spec(array):
    """Returns how an array looks, whatever the length of its first axis."""
    shape = array.shape
    return tf.TensorSpec([None, *shape[1:]] if shape.rank else [], array.dtype)


def shapes(arrays):
    """Returns how nested arrays look, but for the length of the first axis."""
    return str(
        each_array(lambda array: (str(array.dtype), *array.shape[1:]), arrays)
    )


def taken(data, indices):
    return each_array(lambda array: tf.gather(array, indices), data)


def tensors(arrays):
    return each_array(tf.convert_to_tensor, arrays)


def each_array(function, data):
    return tf.nest.map_structure(
        lambda array: None if array is None else function(array), data
    )


def replaced(arrays, indices, values):
    """Returns a list like `arrays`, with other values at some indices."""
    new = list(arrays)
    for i, value in zip(indices, values, strict=True):
        new[i] = value
    return new


def leaves_of(data):
    return [leaf for leaf in tf.nest.flatten(data) if leaf is not None]


def first_line(error):
    lines = [line.strip() for line in str(error).splitlines()]
    lines = [line for line in lines if line and not line.endswith(":")]
    return lines[0] if lines else type(error).__name__
