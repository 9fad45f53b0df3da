"""What may be in a population, and the errors for what may not."""

from typing import Any

import keras

from tfcourse.errors import CannotVectorize
from tfcourse.tuning.population.structure import first_difference


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
    for method in ("train_step", "test_step", "make_train_function"):
        ours = getattr(type(model), method)
        if getattr(keras.Model, method) is not ours:
            raise CannotVectorize(f"it overrides `{method}`")
    if model.run_eagerly:
        raise CannotVectorize("it was compiled with `run_eagerly=True`")


def check_jit_compile(jit_compile: Any) -> None:
    """Raises if it is not one of the three."""
    if jit_compile not in (True, False, "auto"):
        raise ValueError(
            "`jit_compile` of Population must be True, False or 'auto'. "
            f"Received: jit_compile={jit_compile!r}"
        )
