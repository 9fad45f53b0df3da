"""What TensorFlow 1 and its libraries did, put back in a script's process.

Each module has one function, `apply()`. None can be undone.
"""

import importlib

# In this order: the others change the version 1 that the first one makes, and
# those that count operations come before what wraps the same functions.
PATCHES = (
    "tensorflow",
    "seeds",
    "rnn_cells",
    "forward_op_counts",
    "gradient_op_counts",
    "sessions",
    "plot_model",
    "keras.layer_arguments",
    "keras.names",
    "keras.models",
    "keras.custom_layers",
    "keras.logs",
    "channels_first",
    "signatures",
    "flags",
    "libraries",
)


def apply_patches() -> None:
    """Makes this process one of TensorFlow 1, from here on."""
    for name in PATCHES:
        importlib.import_module(f"{__name__}.{name}").apply()
