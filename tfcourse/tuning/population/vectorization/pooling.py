"""Pooling over windows that do not overlap, as XLA compiles it well on CPUs.

XLA's own form of the gradient of max pooling visits the windows one by one.
"""

import tensorflow as tf

from tfcourse.tuning.population.vectorization import Shape, Tensor


def windows(image: Tensor, size: list[int]) -> Tensor:
    """Returns the windows of `(..., h, w, c)`, shape `(..., h', w', s, c)`.

    `s` is the number of pixels of a window; rows and columns that do not fill
    one are left out.
    """
    height, width, channels = image.shape[-3:]
    rows, columns = height // size[0], width // size[1]
    leading = tf.shape(image)[:-3]
    image = image[..., : rows * size[0], : columns * size[1], :]
    inner = [rows, size[0], columns, size[1], channels]
    split = tf.reshape(image, tf.concat([leading, inner], 0))
    split = _swap(split)
    inner = [rows, columns, size[0] * size[1], channels]
    return tf.reshape(split, tf.concat([leading, inner], 0))


def max_pool(image: Tensor, size: list[int]) -> Tensor:
    return tf.reduce_max(windows(image, size), -2)


def average_pool(image: Tensor, size: list[int]) -> Tensor:
    return tf.reduce_mean(windows(image, size), -2)


def max_pool_gradient(
    image: Tensor, gradient: Tensor, size: list[int]
) -> Tensor:
    """Returns the gradient by the image: that of the first largest pixel."""
    seen = windows(image, size)
    largest = tf.equal(seen, tf.reduce_max(seen, -2, keepdims=True))
    first = tf.equal(tf.cumsum(tf.cast(largest, tf.int32), -2), 1)
    taken = tf.cast(tf.logical_and(first, largest), gradient.dtype)
    return _unwindow(taken * gradient[..., None, :], image.shape, size)


def average_pool_gradient(
    gradient: Tensor, shape: Shape, size: list[int]
) -> Tensor:
    """Returns the gradient by an image of `shape`, `(..., h, w, c)`."""
    area = size[0] * size[1]
    spread = tf.repeat(gradient[..., None, :] / area, area, -2)
    return _unwindow(spread, shape, size)


def _unwindow(seen: Tensor, shape: Shape, size: list[int]) -> Tensor:
    rows, columns, _, channels = seen.shape[-4:]
    leading = tf.shape(seen)[:-4]
    inner = [rows, columns, size[0], size[1], channels]
    split = _swap(tf.reshape(seen, tf.concat([leading, inner], 0)))
    inner = [rows * size[0], columns * size[1], channels]
    image = tf.reshape(split, tf.concat([leading, inner], 0))
    missing = [
        [0, shape[-3] - rows * size[0]],
        [0, shape[-2] - columns * size[1]],
        [0, 0],
    ]
    return tf.pad(image, [[0, 0]] * (len(image.shape) - 3) + missing)


def _swap(split: Tensor) -> Tensor:
    rank = len(split.shape)
    order = [*range(rank - 4), rank - 3, rank - 4, rank - 2, rank - 1]
    return tf.transpose(split, order)
