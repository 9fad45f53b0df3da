"""The private names of Keras that tfcourse uses; a test holds each.

Should Keras rename one, that test fails and only this file changes.
"""

import dataclasses
from collections.abc import Mapping
from typing import Any

import keras
from keras.src.models.functional import Functional
from keras.src.random.seed_generator import global_seed_generator

# ---------------------------------------------------------------------------
# Models in training (used by tuning.panda)


def every_layer(model: keras.Model) -> list[keras.layers.Layer]:
    """Returns the model and all layers in it, at any depth."""
    return model._flatten_layers()


def begin_at(model: keras.Model, epoch: int | None) -> None:
    """Lets the present `fit` begin at an epoch; `None` forgets it.

    As `keras.callbacks.BackupAndRestore` does, in `on_train_begin`.
    """
    model._initial_epoch = epoch


def global_seed() -> keras.Variable:
    """Returns the state of what draws for all that have no seed of their own.

    `keras.utils.set_random_seed` makes a new one.
    """
    return global_seed_generator().state


def learning_rate_of(optimizer: keras.optimizers.Optimizer) -> Any:
    """Returns the learning rate's variable, or its schedule.

    The public `learning_rate` is the value that the schedule gives now.
    """
    return optimizer._learning_rate


# ---------------------------------------------------------------------------
# The layers and calls inside a model (used by layers, diagnostics and export)


def sublayers(layer: keras.layers.Layer) -> list[keras.layers.Layer]:
    """Returns the layers directly inside a layer or model."""
    return layer._flatten_layers(include_self=False, recursive=False)


def graph_of(model: Any) -> keras.Model | None:
    """Returns the functional model that a model runs as it stands.

    `None` if there is none: the model is a layer, written as a class or, if
    sequential, not built.
    """
    if isinstance(model, keras.Sequential):
        plain = type(model).call is keras.Sequential.call
        return model._functional if plain else None
    if isinstance(model, Functional):
        return model if type(model).call is Functional.call else None
    return None


@dataclasses.dataclass(frozen=True, eq=False)
class Call:
    """One call in a functional model.

    Attributes:
        operation: A layer, or an operation of `keras.ops`.
        inputs: The `KerasTensor`s that it takes, a list.
        outputs: Those that it gives.
        args, kwargs: With what it was called, the inputs in their places.
    """

    operation: Any
    inputs: list
    outputs: list
    _arguments: Any = dataclasses.field(repr=False)

    @property
    def args(self) -> tuple:
        return self._arguments.args

    @property
    def kwargs(self) -> Mapping[str, Any]:
        return self._arguments.kwargs

    def run(self, values: list) -> list:
        """Calls the operation, at inference, on the values of its inputs."""
        args, kwargs = self._arguments.fill_in(
            dict(zip(map(id, self.inputs), values, strict=True))
        )
        if "training" in getattr(self.operation, "_call_context_args", ()):
            kwargs = {**kwargs, "training": False}
        return keras.tree.flatten(self.operation(*args, **kwargs))


def calls(graph: keras.Model) -> list[Call]:
    """Returns the calls that make up a functional model, inputs first."""
    return [
        Call(
            node.operation,
            node.input_tensors,
            node.output_tensors,
            node.arguments,
        )
        for depth in sorted(graph._nodes_by_depth, reverse=True)
        for node in graph._nodes_by_depth[depth]
        if not node.is_input
    ]


def standardized_inputs(graph: keras.Model, x: Any) -> list:
    """Returns the inputs of a functional model as it takes them, flat."""
    return graph._standardize_inputs(x)


def mask_of(tensor: Any) -> Any:
    """Returns the mask that a tensor carries, or `None`."""
    return getattr(tensor, "_keras_mask", None)


def set_mask(tensor: Any, mask: Any) -> None:
    """Gives a tensor the mask to carry."""
    tensor._keras_mask = mask
