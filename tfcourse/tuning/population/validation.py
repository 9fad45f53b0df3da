"""What may be in a population, and the errors for what may not."""

from collections.abc import Iterator
from typing import Any

import keras

from tfcourse.errors import CannotVectorize
from tfcourse.tuning.population.structure import first_difference
from tfcourse.tuning.population.structure.overridden import overridden
from tfcourse.tuning.population.structure.values import is_library
from tfcourse.utils.keras_private import (
    compile_argument,
    every_layer,
    learning_rate_of,
)


def check_models(models: list[Any]) -> None:
    """Raises if a population cannot be made of these models."""
    if not models:
        raise ValueError("A Population needs at least one model.")
    for i, model in enumerate(models):
        if not isinstance(model, keras.Model):
            raise TypeError(
                "A Population is made of `keras.Model`s. Received, at "
                f"{i}: {model!r}"
            )
        if not model.compiled or model.optimizer is None:
            raise ValueError(
                "Each model of a Population must be compiled with an "
                f"optimizer. Model {i} ({model.name}) is not: call "
                "`model.compile(optimizer, loss)`."
            )
    if len({id(model) for model in models}) < len(models):
        raise ValueError("A Population was given the same model twice.")
    if all(model.built for model in models):
        check_same_structure(models)


def check_same_structure(models: list[keras.Model]) -> None:
    """Raises if two models differ in structure."""
    for i, model in enumerate(models[1:], start=1):
        difference = first_difference(models[0], model)
        if difference:
            raise ValueError(
                "The models of a Population must have the same structure. "
                f"Model {i} differs from model 0: {difference}"
            )


def check_trains_as_keras_does(model: keras.Model) -> None:
    """Raises `CannotVectorize` if the model trains itself in its own way."""
    for whose, part in _parts_of(model):
        for method in overridden(part):
            raise CannotVectorize(f"{whose} overrides `{method}`")
    if model.run_eagerly:
        raise CannotVectorize("it was compiled with `run_eagerly=True`")


def check_begins_as_reset(model: keras.Model) -> None:
    """Raises `CannotVectorize` if a first epoch begins unlike the others.

    Keras resets a metric before each epoch, but for the first one.

    Args:
        model: A model that was just built, its metrics not used yet.
    """
    for metric in _metrics_of(model):
        if is_library(type(metric).__module__):
            continue
        before: Any = list(map(keras.ops.convert_to_numpy, metric.variables))
        metric.reset_state()
        for variable, value in zip(metric.variables, before, strict=True):
            reset: Any = keras.ops.convert_to_numpy(variable)
            if reset.tobytes() != value.tobytes():
                raise CannotVectorize(
                    f"its metric {metric.name} does not start in the state "
                    "that resetting it gives"
                )


def _parts_of(model: keras.Model) -> Iterator[tuple[str, Any]]:
    """Yields what may have methods of a user's, and how to call it."""
    yield "it", model
    for layer in every_layer(model, itself=False):
        yield f"its layer {layer.name}", layer
    # Members of a supernet may have several.
    for optimizer in getattr(model.optimizer, "optimizers", [model.optimizer]):
        inner = getattr(optimizer, "inner_optimizer", optimizer)
        yield "its optimizer", inner
        yield "its learning rate", learning_rate_of(inner)
    for metric in _metrics_of(model):
        yield f"its metric {metric.name}", metric
    for loss in keras.tree.flatten(compile_argument(model, "loss")):
        yield f"its loss {type(loss).__name__}", loss


def _metrics_of(model: keras.Model) -> list[keras.metrics.Metric]:
    """Returns the metrics of a model, be they built or not."""
    given = [
        compile_argument(model, name)
        for name in ("metrics", "weighted_metrics")
    ]
    found = [*model.metrics, *keras.tree.flatten(given)]
    return [m for m in found if isinstance(m, keras.metrics.Metric)]


def check_jit_compile(jit_compile: Any) -> None:
    """Raises if it is not one of the three."""
    if jit_compile not in (True, False, "auto"):
        raise ValueError(
            "`jit_compile` of Population must be True, False or 'auto'. "
            f"Received: jit_compile={jit_compile!r}"
        )
