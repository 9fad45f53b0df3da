"""Rows of a sparse gradient over numbers, for many members at once.

Some optimizers divide the gradient of an embedding, which has rows for the
words of a mini-batch only. Keras looks whether the denominator has a zero or a
NaN anywhere, and if so adds rows for them. How many there are would differ
between members, so here no such row may be: it is an error at run time. XLA
knows no such errors, and does not compile Keras's own way.
"""

import contextlib
from collections.abc import Iterator
from typing import Any

import tensorflow as tf

from tfcourse.utils.keras_private import divide_replaced


@contextlib.contextmanager
def without_branches() -> Iterator[None]:
    """While it lasts, `keras.ops.divide` divides rows without a condition."""
    with divide_replaced(_divided):
        yield


def _divided(divide: Any, x1: Any, x2: Any) -> Any:
    """Does what Keras's `divide` does."""
    is_rows = isinstance(x1, tf.IndexedSlices)
    if not is_rows or isinstance(x2, tf.IndexedSlices) or not _rank(x2):
        return divide(x1, x2)
    x2 = tf.convert_to_tensor(x2)
    adds_rows = tf.reduce_any(tf.logical_or(x2 == 0, tf.math.is_nan(x2)))
    what = "A denominator of a sparse gradient is zero or NaN."
    usable = tf.logical_not(adds_rows)
    with tf.control_dependencies([tf.debugging.Assert(usable, [what])]):
        values = divide(x1.values, tf.gather(x2, x1.indices))
    return tf.IndexedSlices(values, x1.indices, x1.dense_shape)


def _rank(x: Any) -> int:
    return len(getattr(x, "shape", ()))
