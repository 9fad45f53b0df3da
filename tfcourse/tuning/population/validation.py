"""What may be in a population, and the errors for what may not."""

from typing import Any

import keras

from tfcourse.errors import CannotVectorize
from tfcourse.tuning.population.structure import first_difference
from tfcourse.tuning.population.structure.values import is_library
from tfcourse.utils.keras_private import compile_argument

# What a class of the user's may override, as a population calls it or need not:
# all else that Keras's base classes have is called by `fit` only.
_CONFIGS = {"__init__", "get_config", "from_config", "get_build_config"}
OF_MODELS = _CONFIGS | {
    "build",
    "build_from_config",
    "call",
    "compute_loss",
    "compute_mask",
    "compute_output_shape",
    "compute_output_spec",
    "summary",
}
OF_OPTIMIZERS = _CONFIGS | {"build", "update_step"}
OF_METRICS = _CONFIGS | {"update_state", "result"}


def overridden(kind: type, base: type, allowed: set[str]) -> list[str]:
    """Returns which methods of a base class the user's classes override.

    Args:
        kind: A class, derived from the base or not.
        base: Keras's base class.
        allowed: Those that may be overridden.
    """
    known = {
        name
        for owner in base.__mro__[:-1]
        for name, value in vars(owner).items()
        if callable(value) or isinstance(value, (property, classmethod))
    }
    own = {
        name
        for owner in kind.__mro__
        if not owner.__module__.startswith(("keras.", "tfcourse."))
        and owner not in base.__mro__
        for name in vars(owner)
    }
    return sorted((own & known) - allowed)


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
                "The models of a Population must be of one structure. Model "
                f"{i} differs from model 0: {difference}"
            )


def check_trains_as_keras_does(model: keras.Model) -> None:
    """Raises `CannotVectorize` if the model trains itself in its own way."""
    for method in overridden(type(model), keras.Model, OF_MODELS):
        raise CannotVectorize(f"it overrides `{method}`")
    optimizer = getattr(model.optimizer, "inner_optimizer", model.optimizer)
    for method in overridden(
        type(optimizer), keras.optimizers.Optimizer, OF_OPTIMIZERS
    ):
        raise CannotVectorize(f"its optimizer overrides `{method}`")
    for metric in _metrics_of(model):
        for method in overridden(
            type(metric), keras.metrics.Metric, OF_METRICS
        ):
            raise CannotVectorize(
                f"its metric {metric.name} overrides `{method}`"
            )
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
        before = list(map(keras.ops.convert_to_numpy, metric.variables))
        metric.reset_state()
        for variable, value in zip(metric.variables, before, strict=True):
            reset = keras.ops.convert_to_numpy(variable)
            if reset.tobytes() != value.tobytes():
                raise CannotVectorize(
                    f"its metric {metric.name} begins unlike it is reset"
                )


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
