"""Models without memory: what a trial needs of its model, at a tenth the cost.

Most of the time of building a small model goes into variables, and into
calling its layers on symbolic tensors. Of the K models of a population one is
enough; of the others only the structure is needed, the values of their
hyperparameters, and from what their initial weights are drawn. A model whose
initialization is deferred has just that.
"""

import contextlib
from collections.abc import Callable, Iterable
from typing import Any

import keras
import numpy as np
from keras import ops

from tfcourse.errors import CannotVectorize
from tfcourse.tuning.population.functional.build import build_for
from tfcourse.tuning.population.functional.drawing import nothing_drawn
from tfcourse.tuning.population.functional.keras_optimizers import (
    build_noting_slots,
    make_functional,
)
from tfcourse.utils import global_state
from tfcourse.utils.keras_private import (
    build_shapes,
    deferred_initialization,
    every_layer,
    first_of_sequential,
    global_seed,
    initializer_of,
    unbuilt,
)

# Layers of Keras that draw seeds for initializers when they are built.
_DRAW_WHEN_BUILT = (
    keras.layers.GroupQueryAttention,
    keras.layers.MultiHeadAttention,
    keras.layers.SpectralNormalization,
)

# In bytes.
_LARGE = 2**14
# Each is built when it is made, and may be missing from a model of the same
# structure: a function may serve as an activation, and no noise is none.
_BUILT_WHEN_MADE = (
    keras.layers.Activation,
    keras.layers.AlphaDropout,
    keras.layers.Dropout,
    keras.layers.ELU,
    keras.layers.GaussianDropout,
    keras.layers.GaussianNoise,
    keras.layers.LeakyReLU,
    keras.layers.ReLU,
    keras.layers.SpatialDropout1D,
    keras.layers.SpatialDropout2D,
    keras.layers.SpatialDropout3D,
)

__all__ = [
    "all_variables",
    "build_deferred",
    "build_deferred_for",
    "build_late",
    "deferred_initialization",
    "initial_value",
    "initial_values",
    "stacked",
]


def build_deferred(
    build: Callable[[], keras.Model], seed: int | None = None
) -> keras.Model:
    """Returns the model that `build` makes, without memory for its variables.

    A `keras.Sequential` of Keras's own layers is not built, any other model is
    that has an input. Where `build` does what a deferred model cannot, such as
    reading weights, the model itself is returned: a deferred one is good
    wherever a model is.

    Args:
        build: A function without arguments that returns a compiled model.
        seed: As for `global_state.seeded`.
    """

    def seeded() -> keras.Model:
        return build() if seed is None else global_state.seeded(seed, build)

    # If an error is not for the deferring, it will be raised again.
    with contextlib.suppress(Exception), deferred_initialization():
        model = seeded()
        if _may_wait(model):
            return model
    with (
        contextlib.suppress(Exception),
        deferred_initialization(built=True),
    ):
        return seeded()
    return seeded()


def build_late(build: Callable[[], keras.Model]) -> keras.Model:
    """Returns the model that `build` makes; a `keras.Sequential` is not built.

    Where `build` needs a built model, such as to count its parameters, it is.
    """
    try:
        with unbuilt():
            return build()
    except Exception:
        # If it is not for the waiting, it will be raised again.
        return build()


def build_deferred_for(model: keras.Model, inputs: Any) -> None:
    """Does as `build_for`, for a model without memory."""
    with deferred_initialization(built=not _may_wait(model)):
        build_for(model, inputs)


def initial_values(
    template: keras.Model, deferred: Iterable[keras.Model]
) -> list[np.ndarray]:
    """Returns the initial values of all variables, stacked over the models.

    They are, bit for bit, those that each model would have if it were built
    with memory and the same seed.

    Args:
        template: A compiled and built model of the deferred models' structure.
        deferred: The models that `build_deferred` returned.

    Returns:
        A list of arrays `(K, ...)`, as `PopulationTrainer` takes them.

    Raises:
        CannotVectorize: If something draws from a generator that it shares.
    """
    wanted = all_variables(template)
    seed: Any = ops.convert_to_numpy(global_seed())
    rows = []
    for model in deferred:
        with (
            nothing_drawn("the build of its layers"),
            deferred_initialization(),
        ):
            complete(model, template)
        row = all_variables(model)
        if [tuple(v.shape) for v in row] != [tuple(v.shape) for v in wanted]:
            raise ValueError(
                "The deferred model is not of the template's structure: its "
                "variables have other shapes."
            )
        rows.append(row)
    with nothing_drawn("an initializer"):
        columns = [
            stacked([initial_value(variable) for variable in column])
            for column in zip(*rows, strict=True)
        ]
    now: Any = ops.convert_to_numpy(global_seed())
    if not np.array_equal(now, seed):
        raise CannotVectorize(
            "an initializer draws from Keras's global generator, whose state "
            "depends on what has drawn from it before"
        )
    return columns


def stacked(values: list[np.ndarray]) -> np.ndarray:
    """Returns arrays of one shape as one array, which is not to be written.

    Large ones that are equal, as are those of a frozen part, are held once.
    """
    first, *others = values
    if first.nbytes >= _LARGE and all(
        value is first or np.array_equal(value, first) for value in others
    ):
        return np.broadcast_to(first, (len(values), *first.shape))
    return np.stack(values)


def initial_value(variable: Any) -> np.ndarray:
    """Returns what a variable of a deferred model begins with, in NumPy."""
    initializer = initializer_of(variable)
    # Which most are; TensorFlow takes its time for each.
    if type(initializer) is keras.initializers.Zeros:
        return np.zeros(variable.shape, variable.dtype)
    if type(initializer) is keras.initializers.Ones:
        return np.ones(variable.shape, variable.dtype)
    return np.asarray(ops.convert_to_numpy(variable.value))


def all_variables(model: keras.Model) -> list[Any]:
    """Returns all variables that are saved with a compiled model."""
    return [
        *model.trainable_variables,
        *model.non_trainable_variables,
        *model.optimizer.variables,
    ]


def _may_wait(model: keras.Model) -> bool:
    """Whether a model's layers draw nothing, and make none, when it is built.

    If it is not even a model, others will say so.
    """
    if not isinstance(model, keras.Model):
        return True
    return not isinstance(model, keras.Sequential) or all(
        type(layer).__module__.startswith(("keras.", "tfcourse."))
        and not isinstance(layer, keras.Model)
        and type(layer) not in _DRAW_WHEN_BUILT
        for layer in every_layer(model, itself=False)
    )


def complete(
    model: keras.Model, template: keras.Model, any_sizes: bool = False
) -> dict[int, tuple[int, str]]:
    """Builds the layers of a deferred model, as the template's were built.

    Args:
        model: The model.
        template: One of its structure.
        any_sizes: Whether the model may have other sizes than the template.

    Returns:
        What `build_noting_slots` does of its optimizer, if that was not built.
    """
    if any_sizes and isinstance(model, keras.Sequential) and not model.built:
        build_chain(model)
    for layer, built in zip(
        *(map(_layers_to_build, (model, template))), strict=True
    ):
        if layer.built:
            continue
        shapes = build_shapes(built)
        if shapes:
            layer.build(**shapes)
        # A layer that none calls is not built, and not saved.
        layer.built = built.built
    if model.optimizer.built:
        return {}
    return build_noting_slots(
        make_functional(model.optimizer), model.trainable_variables
    )


def build_chain(model: keras.Sequential) -> None:
    """Builds the layers of a deferred `keras.Sequential` that has an input."""
    shape = first_of_sequential(model).batch_shape
    for layer in model.layers:
        if not layer.built:
            layer.build(shape)
            layer.built = True
        shape = layer.compute_output_shape(shape)


def _layers_to_build(model: keras.Model) -> list[Any]:
    return [
        layer
        for layer in every_layer(model, itself=False)
        if type(layer) not in _BUILT_WHEN_MADE
    ]
