"""What one member may know of the others that are computed at once."""

from typing import Any

import keras


def any_member(condition: Any) -> Any:
    """Returns whether a condition holds for any member computed at once.

    It is the same for all of them, so that it may decide on sizes. A program
    that XLA compiles has all sizes fixed: there it is always true.

    Args:
        condition: A scalar, boolean tensor.

    Returns:
        A scalar, boolean tensor, or None where nobody can tell.
    """
    if keras.config.backend() != "tensorflow":
        return None
    import tensorflow as tf

    # An operation that gives its input and that is used nowhere else; there is
    # a rule for it in `converters`.
    return tf.raw_ops.Snapshot(input=condition)
