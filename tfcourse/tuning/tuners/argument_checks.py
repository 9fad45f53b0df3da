"""What is wrong with a search is said before its first trial."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

import keras
import keras_tuner
import numpy as np

from tfcourse.errors import InputError
from tfcourse.tuning.tuners.dataset_checks import check_datasets
from tfcourse.tuning.tuners.fingerprint import fit_arguments_by_name
from tfcourse.tuning.tuners.fit_checks import check_fit_arguments
from tfcourse.tuning.tuners.model_checks import (
    check_fits,
    is_of_arrays,
)
from tfcourse.utils.validation import unknown_name

_FIT = tuple(inspect.signature(keras.Model.fit).parameters)[1:]
# In place of a model that cannot be built.
UNKNOWN = object()


def check_search(
    hypermodel: keras_tuner.HyperModel | None,
    build: Callable[[keras_tuner.HyperParameters], Any],
    objective: Any,
    hp: keras_tuner.HyperParameters,
    model: Any,
    args: tuple,
    kwargs: dict[str, Any],
) -> None:
    """Checks the arguments of a search, its data and its first model.

    Nothing is checked where a `HyperModel` or a model has a `fit` of its own,
    which may take anything and return anything.

    Args:
        hypermodel: What builds and fits the models.
        build: Builds a model, compiled as the tuner says.
        objective: The oracle's objective, of one metric or several.
        hp: What the first model was built with; it is not changed.
        model: The first model, or `UNKNOWN` if it cannot be built.
        args: The positional arguments of the search.
        kwargs: The others.

    Raises:
        InputError: If something is wrong that would make each trial fail.
    """
    if hypermodel is None or _fits_by_itself(hypermodel, model):
        return
    _check_names(kwargs)
    given = fit_arguments_by_name(args, kwargs)
    if "x" not in given:
        raise InputError(
            "`search` was given no data. Pass what `model.fit` takes, such as "
            "`tuner.search(x, y, validation_data=(x_val, y_val), epochs=10)`."
        )
    check_fit_arguments(given)
    check_datasets(given)
    _check_objectives(objective, hypermodel, given)
    parts = {"": _part(given), "validation_data": _validation(given)}
    for name, part in parts.items():
        _check_arrays(part, name)
    if model is not UNKNOWN:
        check_model(model)
        logs = check_fits(build, hp, model, parts, given)
        _check_metrics(objective, logs, given)


def check_model(model: Any) -> None:
    """Raises an `InputError` unless it is a compiled Keras model."""
    if not isinstance(model, keras.Model):
        raise InputError(
            "The search space must return a compiled Keras model. It returned "
            f"{model!r}."
        )
    if not model.compiled:
        raise InputError(
            "The search space returned a model that is not compiled. Call "
            "`model.compile(optimizer, loss)` before returning it."
        )


def _fits_by_itself(hypermodel: keras_tuner.HyperModel, model: Any) -> bool:
    inner = getattr(hypermodel, "hypermodel", hypermodel)
    if type(inner).fit is not keras_tuner.HyperModel.fit:
        return True
    # A model class may have one that takes anything, too.
    known = isinstance(model, keras.Model)
    return known and type(model).fit is not _keras_fit(type(model))


def _keras_fit(kind: type) -> Any:
    """Returns the `fit` of a model class that is Keras's own."""
    mine = next(c for c in kind.__mro__ if c.__module__.startswith("keras."))
    return mine.fit


def _check_names(kwargs: dict[str, Any]) -> None:
    for name in kwargs:
        if name not in _FIT:
            raise InputError(unknown_name("argument of `fit`", name, _FIT))


def _check_objectives(
    objective: Any, hypermodel: Any, given: dict[str, Any]
) -> None:
    """Refuses to score by validation data that are not there."""
    validates = (
        "validation_data" in given
        or given.get("validation_split")
        or hasattr(hypermodel, "folds")
    )
    for name in _names_of(objective):
        if name.startswith("val_") and not validates:
            raise InputError(
                f"The objective {name} is of validation data, and there are "
                "none. Pass `validation_data=(x_val, y_val)` or "
                "`validation_split=0.2` to `search`, or choose the objective "
                f"{name.removeprefix('val_')!r}."
            )


def _names_of(objective: Any) -> list[str]:
    several = getattr(objective, "objectives", [objective])
    return [one.name for one in several if one is not None]


# Data


def _part(given: dict[str, Any]) -> dict[str, Any]:
    names = ("x", "y", "sample_weight")
    return {name: given[name] for name in names if name in given}


def _validation(given: dict[str, Any]) -> dict[str, Any]:
    data = given.get("validation_data")
    if not isinstance(data, (tuple, list)):
        return {}
    return dict(zip(("x", "y", "sample_weight"), data, strict=False))


def _check_arrays(part: dict[str, Any], of: str) -> None:
    where = f" of {of}" if of else ""
    arrays = {
        name: [np.asarray(leaf) for leaf in keras.tree.flatten(value)]
        for name, value in part.items()
        if value is not None and is_of_arrays(value)
    }
    lengths = {n: len(leaf) for n, some in arrays.items() for leaf in some}
    if 0 in lengths.values():
        raise InputError(f"There are no examples: the data{where} are empty.")
    if len(set(lengths.values())) > 1:
        told = " and ".join(f"{n} {name}" for name, n in lengths.items())
        raise InputError(
            f"The data{where} differ in length: {told}. Each example needs "
            "one of each."
        )
    for name, some in arrays.items():
        for array in some:
            _check_values(array, f"{name}{where}")


def _check_values(array: np.ndarray, what: str) -> None:
    if what.startswith("y") and array.dtype.kind in "USO":
        kind = "objects" if array.dtype.kind == "O" else "strings"
        raise InputError(
            f"{what} has {kind} where Keras takes numbers, the first of them "
            f"{array.flat[0]!r}. Number the classes from 0, for instance with "
            "`numpy.unique(y, return_inverse=True)`."
        )


# Metrics


def _check_metrics(
    objective: Any, logs: dict[str, float] | None, given: dict[str, Any]
) -> None:
    if logs is None or any(map(_may_log, given.get("callbacks", []))):
        return
    known = [*logs, *(f"val_{name}" for name in logs)]
    for name in _names_of(objective):
        if name not in known:
            raise InputError(unknown_name("objective", name, known))


def _may_log(callback: keras.callbacks.Callback) -> bool:
    """Whether a callback may add values to the logs of an epoch."""
    kind = type(callback)
    return kind is keras.callbacks.LambdaCallback or not (
        kind.__module__.startswith("keras.")
    )
