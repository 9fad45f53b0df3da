"""Lets scripts that were written for a GPU run where there is none."""

import functools
import inspect

import tensorflow.compat.v1 as tf
from tensorflow.python.client import session
from tensorflow.python.eager import context
from tensorflow.python.ops import gen_nn_ops


def install():
    """Moves to the CPU what the script places on a GPU, if there is none."""
    if tf.config.list_physical_devices("GPU"):
        return
    base = session.BaseSession
    base.__init__ = _placing_softly(base.__init__)
    for name in ("conv2d", "max_pool", "avg_pool"):
        setattr(gen_nn_ops, name, _channels_last(getattr(gen_nn_ops, name)))


def _placing_softly(initialize):
    @functools.wraps(initialize)
    def initialize_softly(self, target="", graph=None, config=None):
        if config is None or isinstance(config, tf.ConfigProto):
            given = config or context.context().config
            config = tf.ConfigProto()
            config.CopyFrom(given)
            config.allow_soft_placement = True
        initialize(self, target, graph, config)

    return initialize_softly


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
        given[first] = tf.transpose(given[first], [0, 2, 3, 1])
        return tf.transpose(operation(**given), [0, 3, 1, 2])

    return call
