"""Keeps TensorFlow's start-up messages off the terminal."""

import logging
import os
import sys
import warnings

from tfcourse.cli.terminal.safe_stream import SafeStream
from tfcourse.utils.streams import discard_stderr


def silence_libraries(verbose=False):
    """Sends what libraries write on their own to nowhere, before they load.

    TensorFlow's C++ parts write to file descriptor 2 before any setting of
    theirs is read, so the descriptor itself leads to nowhere from here on;
    Python's `sys.stderr`, and so every message of tfcourse, still reaches the
    terminal.

    Args:
        verbose: Whether to leave everything as it is.
    """
    if verbose:
        return
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    warnings.simplefilter("ignore")
    # A search traces a new program for each model; TensorFlow warns of it.
    logging.getLogger("tensorflow").setLevel(logging.ERROR)
    # How trials were trained, and what to change, is in the report.
    logging.getLogger("tfcourse.tuning.caviar").setLevel(logging.ERROR)
    terminal = discard_stderr()
    stream = os.fdopen(terminal, "w", buffering=1, encoding="utf-8")
    sys.stderr = SafeStream(stream)


def hide_gpus():
    """Makes this process compute on the CPU; before TensorFlow loads."""
    os.environ["CUDA_VISIBLE_DEVICES"] = "-1"
