"""Sessions that may be fed at any tensor, as they might then.

Today's arithmetic optimizer lets two transpositions cancel where the tensor
between them is fed, and then asks for the placeholder before them.
"""

import functools

import tensorflow.compat.v1 as tf
from tensorflow.core.protobuf import rewriter_config_pb2
from tensorflow.python.client import session
from tensorflow.python.eager import context

_SWITCH = rewriter_config_pb2.RewriterConfig


def install():
    """Makes sessions run without that optimizer, for this process."""
    begin = session.BaseSession.__init__

    @functools.wraps(begin)
    def begin_as_then(self, target="", graph=None, config=None):
        begin(self, target, graph, _without_arithmetic(config))

    session.BaseSession.__init__ = begin_as_then


def _without_arithmetic(config):
    """Returns a session's settings, that one changed if it was left open."""
    if config is not None and not isinstance(config, tf.ConfigProto):
        return config  # An error of the script's, told by the session.
    settings = tf.ConfigProto()
    settings.CopyFrom(config or context.context().config)
    rewrites = settings.graph_options.rewrite_options
    if rewrites.arithmetic_optimization == _SWITCH.DEFAULT:
        rewrites.arithmetic_optimization = _SWITCH.OFF
    return settings
