"""Is a script of TensorFlow 1? Told by its names; nothing is imported."""

import functools
import importlib.util
import pathlib
import sys

from tfcourse.graph_mode.runner.program import read_program
from tfcourse.graph_mode.runner.usage import names_used

# Modules of Keras 2 that course notebooks import and Keras 3 has not.
_KERAS_2 = (
    "keras.engine",
    "keras.layers.core",
    "keras.layers.convolutional",
    "keras.layers.embeddings",
    "keras.layers.merge",
    "keras.layers.normalization",
    "keras.layers.recurrent",
    "keras.objectives",
    "keras.preprocessing.image",
    "keras.preprocessing.text",
    "keras.utils.data_utils",
    "keras.utils.layer_utils",
    "keras.utils.np_utils",
    "keras.utils.vis_utils",
)
_REMOVED = (
    "tf.contrib",
    "tf.examples",
    "tf.compat.v1",
    "tf.layers",
    "tf.estimator",
)


def is_tensorflow_1(pieces, folder):
    """Returns whether a program, or a helper beside it, is of TensorFlow 1."""
    seen = set()

    def old(pieces):
        names, modules = _names_and_modules(pieces)
        if any(_is_old(name) for name in names):
            return True
        for module in modules:
            helper = pathlib.Path(folder, *module.split(".")).with_suffix(".py")
            if helper not in seen and helper.is_file():
                seen.add(helper)
                if old(read_program(helper)):
                    return True
        return False

    return old(pieces)


def _names_and_modules(pieces):
    names, modules = set(), set()
    aliases = {}
    for piece in pieces:
        try:
            tree = piece.parse()
        except SyntaxError:
            continue  # Told when it runs, as Python would.
        for use in names_used(tree, aliases):
            names.add(use.name)
            modules.add(use.name)
    return names, modules


def _is_old(name):
    if name.startswith(_KERAS_2):
        return True
    if not name.startswith("tf."):
        return False
    if name.startswith(_REMOVED):
        return True
    parts = name.split(".")
    starts = (".".join(parts[:n]) for n in range(2, len(parts) + 1))
    return any(start in _names_lost_in_2() for start in starts)


@functools.cache
def _names_lost_in_2():
    """Returns the TensorFlow 1 names that TensorFlow 2 has elsewhere or not.

    The table of TensorFlow's own upgrade script, read without importing
    TensorFlow; and the names that were gone before TensorFlow 1.0.
    """
    from tfcourse.graph_mode.runner.renamed import RENAMED

    return {*renames(), *(f"tf.{name}" for name in RENAMED)}


@functools.cache
def renames():
    """Returns TensorFlow's table of v1 names and what they are called in v2."""
    loaded = sys.modules.get("tensorflow")
    spec = importlib.util.find_spec("tensorflow")
    folders = loaded.__path__ if loaded else spec.submodule_search_locations
    table = pathlib.Path("tools", "compatibility", "renames_v2.py")
    file = next(
        f for f in (pathlib.Path(p, table) for p in folders) if f.exists()
    )
    spec = importlib.util.spec_from_file_location("_renames_v2", file)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.renames
