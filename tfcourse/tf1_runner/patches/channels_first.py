"""Images with channels first, where there is no GPU, which alone takes them."""

import functools
import inspect

import tensorflow.compat.v1 as tf
from tensorflow.python.ops import gen_nn_ops


def apply() -> None:
    """Turns them round for the CPU, if there is no GPU."""
    if tf.config.list_physical_devices("GPU"):
        return
    for name in ("conv2d", "max_pool", "avg_pool"):
        setattr(gen_nn_ops, name, _channels_last(getattr(gen_nn_ops, name)))


def _channels_last(operation):
    """Turns images with channels first, which only a GPU takes, round."""
    signature = inspect.signature(operation)
    first, *_ = signature.parameters

    @functools.wraps(operation)
    def call(*args, **kwargs):
        given = signature.bind(*args, **kwargs).arguments
        if given.get("data_format") != "NCHW":
            return operation(*args, **kwargs)
        given["data_format"] = "NHWC"
        for name in {"ksize", "strides", "dilations"} & {*given}:
            n, c, h, w = given[name]
            given[name] = [n, h, w, c]
        if given.get("explicit_paddings"):
            n, c, *sides = _pairs(given["explicit_paddings"])
            given["explicit_paddings"] = [*n, *sides[0], *sides[1], *c]
        given[first] = tf.transpose(given[first], [0, 2, 3, 1])
        return tf.transpose(operation(**given), [0, 3, 1, 2])

    return call


def _pairs(values):
    return list(zip(values[::2], values[1::2], strict=True))
