"""Sessions, and the devices that they compute on."""

import contextlib
from collections.abc import Iterator

import numpy as np
import tensorflow as tf

from tfcourse.errors import InputError

v1 = tf.compat.v1


@contextlib.contextmanager
def new_graph(device: str | None = None) -> Iterator[tf.Graph]:
    """Gives an empty graph, whose operations are placed on `device`.

    Args:
        device: `"cpu"`, `"/gpu:0"`, ... or `None` for TensorFlow's choice.

    Raises:
        InputError: If there is no such device; names those there are.
    """
    if device is not None:
        _check_device(device)
    with tf.Graph().as_default() as graph, tf.device(device):
        yield graph


def new_session(graph: tf.Graph) -> v1.Session:
    """Returns a session that computes each operation as it is written.

    Without rewriting the graph first: a loop in the graph then gives the very
    numbers of a loop around it, and a small graph starts sooner.
    """
    # What a GPU has no kernel for, such as text, goes to the CPU.
    config = v1.ConfigProto(allow_soft_placement=True)
    config.graph_options.rewrite_options.disable_meta_optimizer = True
    # TensorFlow 2, in the same process, needs memory too.
    config.gpu_options.allow_growth = True
    return v1.Session(graph=graph, config=config)


def load_variable(
    variable: tf.Variable, value: np.ndarray, session: v1.Session
) -> None:
    """Sets a variable, with its initial value fed."""
    with session.graph.as_default():
        feed_dict = {variable.initial_value: value}
    session.run(variable.initializer, feed_dict=feed_dict)


def _check_device(device):
    present = tf.config.list_logical_devices()
    names = [d.name.removeprefix("/device:") for d in present]
    try:
        wanted = tf.DeviceSpec.from_string(device)
    except (ValueError, TypeError, AttributeError):
        wanted = tf.DeviceSpec(device_type="none")
    found = any(
        d.device_type == wanted.device_type
        and wanted.device_index in (None, int(d.name.rpartition(":")[-1]))
        for d in present
    )
    if not found:
        raise InputError(
            f"There is no device {device!r}. This machine has: "
            f"{', '.join(names)}. Leave out `device` to let TensorFlow choose."
        )
