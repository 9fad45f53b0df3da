"""Keras's drawings of models, where pydot and Graphviz, their pens, are not."""

import importlib.util
import shutil
import sys
import types

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
        return b""


def install():
    """Lets a script go on that draws its model."""
    if importlib.util.find_spec("pydot") is None:
        sys.modules["pydot"] = types.ModuleType("pydot")
    elif shutil.which("dot"):
        return
    vis_utils.check_graphviz = lambda: True
    for module in (vis_utils, api):
        module.model_to_dot = lambda *args, **kwargs: Undrawn()
