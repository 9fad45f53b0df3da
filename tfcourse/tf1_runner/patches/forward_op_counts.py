"""Functions that add other numbers of operations than in TensorFlow 1.

The count of operations is the seed of a random op, so that what a script draws
depends on every function called before. These are TensorFlow 1.12's, measured;
1.4 is the same but for loops, conditions, `tensordot` and metrics.
"""

import functools

import tensorflow.compat.v1 as tf
import tensorflow.compat.v2 as tf2
import tf_keras
import tf_slim
from tensorflow.python.keras.layers import convolutional, core
from tensorflow.python.ops import (
    array_ops,
    math_ops,
    metrics_impl,
    random_ops,
    tensor_array_ops,
)
from tensorflow.python.ops.losses import losses_impl
from tensorflow.python.training import saver

from tfcourse.tf1_runner.patches.seeds import count, counted


def apply() -> None:
    """Makes the functions count as they did, for this process."""
    random_ops.random_uniform = tf.random_uniform = _random_uniform
    tf.random.uniform = _random_uniform
    split = counted(array_ops.split, _split_in_equal_parts)
    array_ops.split = tf.split = tf2.split = split
    transpose = counted(array_ops.transpose, _transpose_backwards)
    array_ops.transpose = tf.transpose = transpose
    one_hot = counted(array_ops.one_hot, _values_of_one_hot)
    array_ops.one_hot = tf.one_hot = one_hot
    math_ops._ReductionDims = counted(math_ops._ReductionDims, _all_axes)
    array = tensor_array_ops._GraphTensorArray
    array.size = counted(array.size, _size_of_array)
    builder = saver.BaseSaverBuilder
    builder._build_internal = counted(builder._build_internal, -2)
    tf.nn.leaky_relu = counted(tf.nn.leaky_relu, 2)
    tensordot = counted(math_ops.tensordot, 4)
    math_ops.tensordot = tf.tensordot = tf2.tensordot = tensordot
    metrics_impl.mean = tf.metrics.mean = counted(metrics_impl.mean, 2)
    losses_impl.compute_weighted_loss = tf.losses.compute_weighted_loss = (
        counted(losses_impl.compute_weighted_loss, 7)
    )
    # TF-Slim is built on the layers inside TensorFlow, `tf.layers` on tf-keras.
    for convolution in (convolutional.Conv, _tf_keras_convolution()):
        convolution.build = counted(convolution.build, 1)
    norm = tf_keras.layers.BatchNormalization.__mro__[1]
    norm._fused_batch_norm = counted(
        norm._fused_batch_norm, _batch_norm_by_constant
    )
    for layers in (core, tf_keras.layers):
        layers.Flatten.call = counted(layers.Flatten.call, 6)
    # `tf.contrib.layers.flatten` was another function until TensorFlow 1.3,
    # from which the published outputs of the deep learning course come.
    tf_slim.layers.flatten = counted(tf_slim.layers.flatten, 6)
    for layers in (convolutional, tf_keras.layers):
        transpose = layers.Conv2DTranspose
        transpose.call = counted(transpose.call, 6)
    tf.nn.dropout = dropout
    tf2.nn.dropout = _dropout_by_rate


_random_uniform_today = random_ops.random_uniform


@functools.wraps(_random_uniform_today)
def _random_uniform(
    shape, minval=0, maxval=None, dtype=tf.float32, seed=None, name=None
):
    """Counts the scaling to [minval, maxval), which is left out today."""
    from_zero = isinstance(minval, int) and minval == 0
    to_one = maxval is None or (isinstance(maxval, int) and maxval == 1)
    before, after = 0, 0
    if from_zero and not tf.as_dtype(dtype).is_integer:
        before, after = (2, 3) if to_one else (0, 2)
    count(before)
    result = _random_uniform_today(shape, minval, maxval, dtype, seed, name)
    count(after)
    return result


def _split_in_equal_parts(value, num_or_size_splits, *args, **kwargs):
    return 1 if isinstance(num_or_size_splits, int) else 0


def _transpose_backwards(a, perm=None, *args, **kwargs):
    backwards = perm is None and isinstance(a, tf.Tensor)
    return 6 if backwards and a.shape.rank is not None else 0


def _values_of_one_hot(
    indices, depth, on_value=None, off_value=None, *args, **kwargs
):
    numbers = [v for v in (on_value, off_value) if isinstance(v, int | float)]
    return len(numbers)


def _all_axes(x, axis):
    # A variable's rank was asked for when run, though it is known.
    known = isinstance(x, tf.Variable) and x.shape.rank
    return 3 if axis is None and known else 0


def _size_of_array(array, *args, **kwargs):
    known = isinstance(array._size, tf.Tensor)
    return 1 if known and not array._dynamic_size else 0


def _batch_norm_by_constant(layer, inputs, mask, training):
    if isinstance(training, tf.Tensor):
        return 0
    return 2 if training else 1


def _tf_keras_convolution():
    return tf_keras.layers.Conv2D.__mro__[1]


def dropout(
    x, keep_prob=None, noise_shape=None, seed=None, name=None, rate=None
):
    r"""Returns `x` with elements set to 0, the others divided by `keep_prob`.

    With $u$ uniform in [0, 1), an element is kept where
    $\lfloor p + u \rfloor = 1$: TensorFlow 1 kept the large draws, and made
    its operations in this order.

    Args:
        x: A tensor of floats.
        keep_prob: $p$, the share that is kept, in (0, 1].
        noise_shape: Of the draws, if elements are to fall together.
        seed: Of the draws.
        name: Of the name scope.
        rate: $1 - p$, another way to give it.
    """
    with tf.name_scope(name, "dropout", [x]):
        x = tf.convert_to_tensor(x, name="x")
        p = 1 - rate if keep_prob is None else keep_prob
        if isinstance(p, int | float) and not 0 < p <= 1:
            raise ValueError(
                "`keep_prob` of dropout must lie in (0, 1]. Received: "
                f"keep_prob={p}"
            )
        if isinstance(p, int | float) and p == 1:
            return x
        p = tf.convert_to_tensor(p, dtype=x.dtype, name="keep_prob")
        shape = tf.shape(x) if noise_shape is None else noise_shape
        kept = p + tf.random_uniform(shape, seed=seed, dtype=x.dtype)
        result = tf.div(x, p) * tf.floor(kept)
        result.set_shape(x.get_shape())
        return result


def _dropout_by_rate(x, rate, noise_shape=None, seed=None, name=None):
    """`tf.nn.dropout` of TensorFlow 2, which the layers call."""
    keep_prob = 1 - rate
    if isinstance(rate, tf.Tensor):
        # The caller had the share to keep, and took it from one for us.
        count(-4)
    return dropout(x, keep_prob, noise_shape, seed, name)
