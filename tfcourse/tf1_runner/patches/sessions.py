"""Sessions that may be fed at any tensor, and do without a GPU.

Today's arithmetic optimizer lets two transpositions cancel where the tensor
between them is fed, and then asks for the placeholder before them.
"""

import functools

import tensorflow.compat.v1 as tf
from tensorflow.core.protobuf import rewriter_config_pb2
from tensorflow.python.client import session
from tensorflow.python.eager import context

_SWITCH = rewriter_config_pb2.RewriterConfig


def apply() -> None:
    """Makes sessions run without that optimizer, for this process.

    What the script places on a GPU is moved to the CPU if there is none.
    """
    has_gpu = bool(tf.config.list_physical_devices("GPU"))
    begin = session.BaseSession.__init__

    @functools.wraps(begin)
    def begin_as_then(self, target="", graph=None, config=None):
        begin(self, target, graph, _settings(config, has_gpu))

    session.BaseSession.__init__ = begin_as_then


def _settings(config, has_gpu):
    """Returns a session's settings, with what the script left open changed."""
    if config is not None and not isinstance(config, tf.ConfigProto):
        return config  # An error of the script's, told by the session.
    settings = tf.ConfigProto()
    settings.CopyFrom(config or context.context().config)
    rewrites = settings.graph_options.rewrite_options
    if rewrites.arithmetic_optimization == _SWITCH.DEFAULT:
        rewrites.arithmetic_optimization = _SWITCH.OFF
    if not has_gpu:
        settings.allow_soft_placement = True
    return settings
