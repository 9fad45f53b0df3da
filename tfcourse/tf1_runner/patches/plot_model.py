"""Keras's drawings of models, where pydot and Graphviz, their pens, are not."""

import importlib.machinery
import importlib.util
import shutil
import sys

import tf_keras.api._v1.keras.utils as api
from tf_keras.src.utils import vis_utils


class Undrawn:
    """A drawing of a model that nobody draws."""

    def write(self, path, *args, **kwargs):
        print(
            f"tfcourse: {path} is not drawn without pydot and Graphviz.",
            file=sys.stderr,
        )

    write_png = write_svg = write_pdf = write

    def create(self, *args, **kwargs):
        return b'<svg xmlns="http://www.w3.org/2000/svg"/>'


def apply() -> None:
    """Lets a script go on that draws its model."""
    if importlib.util.find_spec("pydot") is None:
        # Such a script imports it only to see that Keras can draw.
        spec = importlib.machinery.ModuleSpec("pydot", None)
        sys.modules["pydot"] = importlib.util.module_from_spec(spec)
    elif shutil.which("dot"):
        return
    for module in (vis_utils, api):
        module.model_to_dot = lambda *args, **kwargs: Undrawn()
        module.plot_model = _plot_model


def _plot_model(model, to_file="model.png", *args, **kwargs):
    """Keras's own would return the file as an image, which is not there."""
    Undrawn().write(to_file)
