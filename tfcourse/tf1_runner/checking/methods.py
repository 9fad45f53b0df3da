"""Methods and arguments that are put back, of whatever they are called."""

import ast
from collections.abc import Iterator

# What no library has today, so that it is plain what was meant.
_METHODS = {
    "_parse_flags": "tfcourse",
    "as_matrix": "pandas",
    "evaluate_generator": "tf-keras",
    "fit_generator": "tf-keras",
    "get_axis_bgcolor": "matplotlib",
    "has_key": "Python 2",
    "iteritems": "Python 2, pandas",
    "iterkeys": "Python 2",
    "itervalues": "Python 2",
    "ix": "pandas",
    "predict_classes": "Keras 1",
    "predict_generator": "tf-keras",
    "predict_proba": "Keras 1",
    "set_axis_bgcolor": "matplotlib",
    "set_color_cycle": "matplotlib",
    "set_window_title": "matplotlib",
}
_ARGUMENTS = {
    "axisbg": "matplotlib",
    "border_mode": "Keras 1",
    "dim_ordering": "Keras 1",
    "nb_epoch": "Keras 1",
    "nb_val_samples": "Keras 1",
    "normed": "matplotlib, NumPy",
    "samples_per_epoch": "Keras 1",
    "show_accuracy": "Keras 0",
}


def put_back(tree: ast.Module) -> Iterator[tuple[int, str, str]]:
    """Yields a line, `.name` or `name=`, and whose it was."""
    for node in ast.walk(tree):
        match node:
            case ast.Attribute(_, name) if name in _METHODS:
                yield node.lineno, f".{name}", _METHODS[name]
            case ast.keyword(name) if name in _ARGUMENTS:
                yield node.value.lineno, f"{name}=", _ARGUMENTS[name]
