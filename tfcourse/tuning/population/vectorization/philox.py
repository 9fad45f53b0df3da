"""The random numbers of many members at once, each from a seed of its own.

TensorFlow's stateless random operations take one seed. This is their generator
in ordinary arithmetic, for many seeds: the same numbers, bit for bit, so that a
member drops the very units that it drops when it is trained alone.

Reference:
    Salmon, Moraes, Dror and Shaw (2011), "Parallel random numbers: as easy as
    1, 2, 3", Philox 4x32-10, https://doi.org/10.1145/2063384.2063405.
"""

import math

import tensorflow as tf

from tfcourse.tuning.population.vectorization import Tensor

Words = tuple[Tensor, ...]

_LOW = 0xFFFFFFFF


def philox(counter: Words, key: Words) -> Words:
    """Returns four random words of 32 bits for each counter and key.

    Args:
        counter: Four tensors of `uint64` below 2³².
        key: Two such tensors.
    """
    a, b, c, d = counter
    k, j = key
    for _ in range(10):
        left, right = a * 0xD2511F53, c * 0xCD9E8D57
        a, b = _high(right) ^ b ^ k, right & _LOW
        c, d = _high(left) ^ d ^ j, left & _LOW
        k, j = (k + 0x9E3779B9) & _LOW, (j + 0xBB67AE85) & _LOW
    return a, b, c, d


def key_and_counter(seeds: Tensor) -> tuple[Tensor, Tensor]:
    """Returns the state that TensorFlow makes of seeds of shape `(K, 2)`.

    Returns:
        The keys, of shape `(K, 1)`, and the counters, of shape `(K, 2)`.
    """
    seeds = tf.cast(seeds, tf.uint64)
    first, second = seeds[:, 0], seeds[:, 1]
    words = (first & _LOW, _high(first), second & _LOW, _high(second))
    start = (
        tf.constant(0x3EC8F720, tf.uint64),
        tf.constant(0x02461E29, tf.uint64),
    )
    a, b, c, d = philox(words, start)
    counter = tf.stack([tf.zeros_like(a), _join(c, d)], 1)
    return _join(a, b)[:, None], counter


def uniform(shape: Tensor, keys: Tensor, counters: Tensor) -> Tensor:
    """Returns `float32`s in [0, 1), an array of `shape` for each of K keys."""
    return _arrays(shape, _fractions(shape, keys, counters))


def normal(shape: Tensor, keys: Tensor, counters: Tensor) -> Tensor:
    """Returns standard normal `float32`s, by the Box-Muller transform."""
    words = _fractions(shape, keys, counters)
    # Two words give two numbers.
    first, second = words[..., 0::2], words[..., 1::2]
    radius = tf.sqrt(-2 * tf.math.log(tf.maximum(first, 1e-7)))
    angle = 2 * math.pi * second
    pairs = tf.stack([tf.sin(angle) * radius, tf.cos(angle) * radius], -1)
    return _arrays(shape, pairs)


def _fractions(shape: Tensor, keys: Tensor, counters: Tensor) -> Tensor:
    """Returns numbers in [0, 1), four for each counter in the last axis."""
    blocks = tf.cast(tf.range((tf.reduce_prod(shape) + 3) // 4), tf.uint64)
    low, high = counters[:, :1] + blocks, counters[:, 1:]
    words = philox(
        (low & _LOW, _high(low), high & _LOW, _high(high)),
        (keys & _LOW, _high(keys)),
    )
    bits = tf.cast(tf.stack(words, -1), tf.uint32)
    # The bits are the fraction of a number in [1, 2).
    return tf.bitcast((bits & 0x7FFFFF) | 0x3F800000, tf.float32) - 1


def _arrays(shape: Tensor, numbers: Tensor) -> Tensor:
    members = tf.shape(numbers)[0]
    flat = tf.reshape(numbers, [members, -1])[:, : tf.reduce_prod(shape)]
    return tf.reshape(flat, tf.concat([[members], shape], 0))


def _high(word: Tensor) -> Tensor:
    return tf.bitwise.right_shift(word, tf.constant(32, tf.uint64))


def _join(low: Tensor, high: Tensor) -> Tensor:
    return low | tf.bitwise.left_shift(high, tf.constant(32, tf.uint64))
