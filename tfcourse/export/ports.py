"""The inputs and outputs of a model, by name."""

import keras

from tfcourse.errors import InputError


class Ports:
    """Where a Keras model takes tensors and gives them back.

    Args:
        model: A built model: functional, sequential or subclassed.
        names: Names for the inputs; by default `features` for a single one,
            else the names that the model has for them.

    Attributes:
        names: Names of the inputs.
        shapes: Their shapes, `None` for the number of examples.
        dtypes: Their dtypes.

    Raises:
        InputError: If the model is not built, or the names are not as many as
            the inputs or not different.
    """

    def __init__(self, model, names=None):
        if not model.built:
            raise InputError(
                f"The model {model.name!r} is not built. Call it on a batch, "
                "or give it a `keras.Input`, before exporting it."
            )
        self._model = model
        entrances, self._structure = _entrances(model)
        self.shapes = [(None, *entrance.shape[1:]) for entrance in entrances]
        self.dtypes = [entrance.dtype for entrance in entrances]
        own = [entrance.name for entrance in entrances]
        self.names = _checked(names, own, model) if names else _default(own)

    def call(self, *inputs):
        """Returns what the model returns, as a dict by output name."""
        packed = keras.tree.pack_sequence_as(self._structure, inputs)
        return self._named(self._model(packed, training=False))

    def _named(self, outputs):
        if isinstance(outputs, dict):
            return dict(outputs)
        outputs = keras.tree.flatten(outputs)
        if len(outputs) == 1:
            return {"outputs": outputs[0]}
        names = getattr(self._model, "output_names", None)
        if names is None:
            names = [f"output_{i}" for i in range(len(outputs))]
        return dict(zip(names, outputs, strict=True))


def _entrances(model):
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
    names = list(shapes) if isinstance(shapes, dict) else None
    if names:
        # In the order in which a dict is flattened.
        names = sorted(names)
    entrances = keras.tree.flatten(structure)
    for i, entrance in enumerate(entrances):
        entrance.name = names[i] if names else f"input_{i}"
    return entrances, structure


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
