"""What Python, NumPy, pandas, ... had and did at the time of TensorFlow 1.

Each module has `PATCHES`: from the name of a library's module to the function
that changes it once it is imported.
"""

from tfcourse.tf1_runner.imports import hooks
from tfcourse.tf1_runner.patches.libraries import (
    images,
    matplotlib_2,
    numpy_1,
    pandas_0,
    python,
    scikit_learn_0,
)


def apply() -> None:
    """Puts it back: Python's own at once, a library's when it is imported."""
    patches = {}
    for module in (images, matplotlib_2, numpy_1, pandas_0, scikit_learn_0):
        patches |= module.PATCHES
    patches |= dict.fromkeys(_RNN_CELLS, _rnn_cells)
    hooks.after_import(patches)
    python.restore()


def _rnn_cells(module):
    from tfcourse.tf1_runner.shims.rnn_cells.linear import linear

    module._linear = linear


_RNN_CELLS = (
    "tensorflow.python.ops.rnn_cell",
    "tensorflow.python.ops.rnn_cell_impl",
    "tf_keras.api._v1.keras.__internal__.legacy.rnn_cell",
)
