"""Functions in the place of those of Keras's data sets, of any Keras."""

from collections.abc import Callable

from tfcourse.tf1_runner.imports import hooks

# Where each Keras has them: 3 as `keras` and as `tf.keras`, and tf-keras.
_PLACES = (
    "keras.datasets",
    "keras.src.datasets",
    "keras._tf_keras.keras.datasets",
    "tf_keras.api._v1.keras.datasets",
    "tf_keras.src.datasets",
)


def serve_keras(name: str, **functions: Callable) -> None:
    """Gives a data set's module these functions, now or when it is imported.

    Args:
        name: Of the data set, such as `mnist`.
        **functions: By their names in the module.
    """

    def change(module):
        vars(module).update(functions)

    hooks.after_import({f"{place}.{name}": change for place in _PLACES})
