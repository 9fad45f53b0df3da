"""All classes that a saved Keras model of tfcourse's parts may name.

Each of their subpackages imports this module, so that importing any one of them
makes all known to Keras, which does not import a file's modules by itself.
"""

import keras

import tfcourse.initializers
import tfcourse.layers
import tfcourse.optimizers
import tfcourse.regularizers
import tfcourse.schedules  # noqa: F401


def load_model(path, **kwargs):
    """Loads a `.keras` file, of tfcourse's classes too.

    `keras.saving.load_model` does the same once any subpackage of tfcourse with
    classes has been imported.

    Args:
        path: The file.
        **kwargs: Passed to `keras.saving.load_model`.

    Returns:
        The model.
    """
    return keras.saving.load_model(path, **kwargs)
