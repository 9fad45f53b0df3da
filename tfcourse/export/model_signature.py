"""The inputs and outputs of a model, by name."""

import keyword
import re
from collections.abc import Sequence
from typing import Any

import keras

from tfcourse.errors import InputError
from tfcourse.export.call_dtypes import with_dtypes_of_call

# What TensorFlow lets no input of a signature have in its name, without a
# change of its own.
_NO_NAME = re.compile(r"[^A-Za-z0-9_]")


class ModelSignature:
    """Where a Keras model takes tensors and gives them back.

    Args:
        model: A built model: functional, sequential or subclassed.
        names: Names for the inputs; by default `features` for a single one,
            else the names that the model has for them.

    Attributes:
        names: Names of the inputs.
        spec_names: The same as a SavedModel's signature can have them:
            letters of the Latin alphabet, digits and underscores.
        shapes: Their shapes, `None` for the number of examples.
        dtypes: Their dtypes.

    Raises:
        InputError: If the model is not built, or the names are not as many as
            the inputs or not different.
    """

    def __init__(
        self, model: keras.Model, names: str | Sequence[str] | None = None
    ) -> None:
        if not model.built:
            raise InputError(
                f"The model {model.name!r} is not built. Call it on a batch, "
                "or give it a `keras.Input`, before exporting it."
            )
        self._model = model
        inputs, self._structure = _inputs(model)
        # A list or a dict of one is called with the tensor alone.
        self._alone = len(inputs) == 1
        self.shapes = [(None, *tensor.shape[1:]) for tensor in inputs]
        self.dtypes = [tensor.dtype for tensor in inputs]
        own = _own_names(inputs, self._structure)
        self.names = _checked(names, own, model) if names else _default(own)
        self.spec_names = spec_names(self.names)

    def pack(self, values: Sequence[Any]) -> Any:
        """Returns values, one for each name, in the form that `call` takes."""
        if self._alone:
            return values[0]
        return keras.tree.pack_sequence_as(self._structure, values)

    def call(self, inputs: Any) -> dict[str, Any]:
        """Returns what the model returns, as a dict by output name."""
        if self._alone:
            inputs = keras.tree.pack_sequence_as(self._structure, [inputs])
        outputs = self._model(inputs, training=False)
        named = keras.tree.flatten_with_path(outputs)
        paths = ["_".join(map(str, path)) for path, _ in named]
        names = self._output_names(outputs, paths)
        tensors = [tensor for _, tensor in named]
        return dict(zip(names, tensors, strict=True))

    def _output_names(self, outputs, paths):
        if isinstance(outputs, dict):
            return paths
        if len(paths) == 1:
            return ["outputs"]
        own = getattr(self._model, "output_names", None) or ()
        # A layer that is called twice gives two outputs one name.
        if len(set(own)) == len(paths):
            return own
        return [f"output_{path}" for path in paths]


def spec_names(names: Sequence[str]) -> list[str]:
    """Returns names that TensorFlow can give the inputs of a signature.

    Args:
        names: Any names, all different.

    Returns:
        The names in their order, all different: other characters become
        underscores.

    Example:

    >>> spec_names(["age", "size (cm)", "size [cm]", "年龄", "class"])
    ['age', 'size__cm_', 'size__cm__2', 'x__', 'class_']
    """
    found = []
    for name in names:
        plain = _NO_NAME.sub("_", name)
        plain = plain if re.match("[A-Za-z]", plain) else f"x{plain}"
        # TensorFlow makes parameters of them, which no word of Python's is.
        plain = f"{plain}_" if keyword.iskeyword(plain) else plain
        number = 2
        wanted = plain
        # TensorFlow has one name whatever the case.
        while wanted.lower() in map(str.lower, found):
            wanted = f"{plain}_{number}"
            number += 1
        found.append(wanted)
    return found


def _inputs(model):
    """Returns the inputs as a list of `KerasTensor`, and their structure."""
    if isinstance(model, keras.Sequential):
        return model.inputs, model.inputs[0]
    if getattr(model, "inputs", None):
        return model.inputs, model.input
    # A subclassed model knows the shapes that it was built with.
    shapes = (model.get_build_config() or {}).get("input_shape")
    if shapes is None:
        raise InputError(
            f"The inputs of the model {model.name!r} are not known. Call it "
            "on a batch of one argument (an array, a list or a dict of them) "
            "before exporting it."
        )
    structure = keras.tree.map_shape_structure(
        lambda shape: keras.KerasTensor(shape, model.input_dtype), shapes
    )
    structure = with_dtypes_of_call(model, structure)
    return keras.tree.flatten(structure), structure


def _own_names(inputs, structure):
    if isinstance(structure, dict):
        paths = [path for path, _ in keras.tree.flatten_with_path(structure)]
        return ["_".join(map(str, path)) for path in paths]
    return [
        # Keras counts all that a process makes, which tells nobody anything.
        f"input_{i}" if tensor.name.startswith("keras_tensor") else tensor.name
        for i, tensor in enumerate(inputs)
    ]


def _default(own):
    return ["features"] if len(own) == 1 else own


def _checked(names, own, model):
    names = [names] if isinstance(names, str) else list(names)
    if len(names) != len(own) or len(set(names)) != len(names):
        raise InputError(
            "`input_names` must have a different name for each input of the "
            f"model {model.name!r}: {', '.join(own)}. Received: {names}"
        )
    return names
