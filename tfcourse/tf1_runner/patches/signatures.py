"""Functions of TensorFlow whose arguments were once others."""

import functools

import tensorflow.compat.v1 as tf

from tfcourse.tf1_runner.imports.symbol_names import find_symbol, set_symbol


def apply() -> None:
    """Lets them take their old arguments as well."""
    for name, extended in _EXTENDED.items():
        set_symbol(tf, name, extended(find_symbol(tf, name)))


def _concat(concat):
    """`concat(axis, values)` before TensorFlow 1.0."""

    @functools.wraps(concat)
    def either(values=None, axis=None, name="concat", concat_dim=None):
        if concat_dim is not None:
            axis = concat_dim
        elif isinstance(values, int) and not isinstance(axis, int):
            values, axis = axis, values
        return concat(values, axis, name=name)

    return either


def _split(split):
    """`split(split_dim, num_split, value)` before TensorFlow 1.0."""

    @functools.wraps(split)
    def either(
        value=None,
        num_or_size_splits=None,
        axis=0,
        num=None,
        name="split",
        *,
        split_dim=None,
        num_split=None,
    ):
        if split_dim is not None:
            axis = split_dim
        elif isinstance(value, int) and not isinstance(axis, int):
            value, axis = axis, value
        parts = num_split if num_split is not None else num_or_size_splits
        return split(value, parts, axis, num, name)

    return either


def _reverse(reverse):
    """`reverse(tensor, dims)`, a bool for each, before TensorFlow 1.0."""

    @functools.wraps(reverse)
    def either(tensor, axis=None, name=None, dims=None):
        axis = axis if dims is None else dims
        if isinstance(axis, list | tuple) and all(
            isinstance(flag, bool) for flag in axis
        ):
            axis = [place for place, flag in enumerate(axis) if flag]
        return reverse(tensor, axis, name)

    return either


def _sparse_tensor(sparse_tensor):
    """`SparseTensor(indices, values, shape)` before TensorFlow 1.0."""
    make = sparse_tensor.__init__

    @functools.wraps(make)
    def either(self, indices, values, dense_shape=None, shape=None):
        make(
            self, indices, values, shape if dense_shape is None else dense_shape
        )

    sparse_tensor.__init__ = either
    return sparse_tensor


def _resize_images(resize_images):
    """`resize_images(images, height, width)` before TensorFlow 1.0."""

    @functools.wraps(resize_images)
    def either(images, size, *args, **kwargs):
        if isinstance(size, int) and args and isinstance(args[0], int):
            size, args = (size, args[0]), args[1:]
        return resize_images(images, size, *args, **kwargs)

    return either


def _logits_first(cross_entropy):
    """Logits and labels by position before TensorFlow 1.0; `targets`, too."""

    @functools.wraps(cross_entropy)
    def either(*args, targets=None, _sentinel=None, **kwargs):
        # TensorFlow 1 put an empty first argument before the named ones.
        given = [arg for arg in args if arg is not None]
        kwargs.update(zip(["logits", "labels"], given, strict=False))
        if targets is not None:
            kwargs["labels"] = targets
        return cross_entropy(**kwargs)

    return either


def _labels_first(sampled_loss):
    """`nce_loss(weights, biases, inputs, labels, ...)` before 1.0."""

    @functools.wraps(sampled_loss)
    def either(weights, biases, labels, inputs, *args, **kwargs):
        # Labels are integers, and inputs are not.
        if tf.as_dtype(getattr(labels, "dtype", tf.int64)).is_floating:
            labels, inputs = inputs, labels
        return sampled_loss(weights, biases, labels, inputs, *args, **kwargs)

    return either


def _bytes_list(bytes_list):
    """A list of bytes, which a `str` was in Python 2."""

    @functools.wraps(bytes_list, updated=())
    def of_text_too(value=()):
        return bytes_list(
            value=[v.encode() if isinstance(v, str) else v for v in value]
        )

    return of_text_too


_EXTENDED = {
    "concat": _concat,
    "split": _split,
    "reverse": _reverse,
    "SparseTensor": _sparse_tensor,
    "image.resize_images": _resize_images,
    "train.BytesList": _bytes_list,
    "nn.softmax_cross_entropy_with_logits": _logits_first,
    "nn.sparse_softmax_cross_entropy_with_logits": _logits_first,
    "nn.sigmoid_cross_entropy_with_logits": _logits_first,
    # Some scripts went past the front door.
    "python.ops.nn_ops.softmax_cross_entropy_with_logits": _logits_first,
    "python.ops.nn_ops.sparse_softmax_cross_entropy_with_logits": _logits_first,
    "nn.nce_loss": _labels_first,
    "nn.sampled_softmax_loss": _labels_first,
}
# What this file puts back, for the check.
NAMES = frozenset(_EXTENDED)
