"""What is wrong with a search is said before its first trial."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

import keras
import keras_tuner
import numpy as np
from keras import ops

from tfcourse.errors import InputError
from tfcourse.tuning.tuners.dataset_checks import check_datasets
from tfcourse.tuning.tuners.fingerprint import fit_arguments_by_name
from tfcourse.tuning.tuners.fit_checks import check_fit_arguments
from tfcourse.utils.keras_private import (
    build_symbolically,
    compile_argument,
    every_layer,
)
from tfcourse.utils.text import first_line
from tfcourse.utils.validation import unknown_name

_FIT = tuple(inspect.signature(keras.Model.fit).parameters)[1:]
# So many examples show whether a model takes them.
_FEW = 2
# In place of a model that cannot be built.
UNKNOWN = object()
# What names the metrics, where it is not Keras's.
_STEPS = {
    name: getattr(keras.Model, name)
    for name in ("train_step", "test_step", "evaluate", "compute_metrics")
}
_SPARSE = keras.losses.SparseCategoricalCrossentropy


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
        logs = _check_fits(build, hp, model, parts)
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
        if value is not None and _is_of_arrays(value)
    }
    lengths = {n: len(leaf) for n, some in arrays.items() for leaf in some}
    if 0 in lengths.values():
        raise InputError(f"There are no examples: the data{where} are empty.")
    if len(set(lengths.values())) > 1:
        told = " and ".join(f"{n} {name}" for name, n in lengths.items())
        raise InputError(
            f"The data{where} are of different lengths: {told}. Each example "
            "needs one of each."
        )
    for name, some in arrays.items():
        for array in some:
            _check_values(array, f"{name}{where}")


def _is_of_arrays(value: Any) -> bool:
    return all(
        hasattr(leaf, "__array__") and getattr(leaf, "shape", ()) != ()
        for leaf in keras.tree.flatten(value)
    )


def _check_values(array: np.ndarray, what: str) -> None:
    if what.startswith("y") and array.dtype.kind in "USO":
        kind = "objects" if array.dtype.kind == "O" else "strings"
        raise InputError(
            f"{what} has {kind} where Keras takes numbers, the first of them "
            f"{array.flat[0]!r}. Number the classes from 0, by "
            "`numpy.unique(y, return_inverse=True)` say."
        )
    if array.dtype.kind == "f" and not np.isfinite(array).all():
        row = int(np.argwhere(~np.isfinite(array))[0][0])
        raise InputError(
            f"{what} has a value that is not finite (NaN or infinity), first "
            f"in row {row}: every loss would be NaN. Fill it in, or leave the "
            "row out."
        )


# Models


def _check_fits(
    build: Callable[[keras_tuner.HyperParameters], Any],
    hp: keras_tuner.HyperParameters,
    model: keras.Model,
    parts: dict[str, dict[str, Any]],
) -> dict[str, float] | None:
    """Evaluates a few examples; returns the metrics, or None for datasets."""
    logs = None
    evaluated = []
    for name, part in parts.items():
        x = part.get("x")
        if x is None or not _is_of_arrays(list(part.values())):
            continue
        try:
            if model.built:
                _check_shape(model, x, name)
                _check_labels(model, part, name)
            kind = _kind_of(part)
            if kind in evaluated:
                # Operation by operation, each time takes a while.
                continue
            logs = _evaluate(model, part)
            evaluated.append(kind)
        except InputError:
            raise
        except Exception as error:
            # Another point of the space may do what the first one cannot.
            other = _failure(build, hp, part)
            if type(other) is type(error):
                raise InputError(_complaint(name, part, error)) from error
            continue
    return logs


def _kind_of(part: dict[str, Any]) -> Any:
    """Returns what of arrays decides whether a model takes them."""

    def kind(array: Any) -> str:
        array = np.asarray(array)
        return f"{array.dtype} {array.shape[1:]} {min(len(array), _FEW)}"

    return keras.tree.map_structure(kind, part)


def _check_shape(model: keras.Model, x: Any, of: str) -> None:
    expected = getattr(model, "input_shape", None)
    if not isinstance(expected, tuple) or not hasattr(x, "shape"):
        return
    given = tuple(x.shape)
    fits = len(given) == len(expected) and all(
        size in (None, actual)
        for size, actual in zip(expected[1:], given[1:], strict=True)
    )
    # Keras itself adds or drops an axis of size 1.
    if not fits and abs(len(given) - len(expected)) != 1:
        raise InputError(
            f"The examples{f' of {of}' if of else ''} have shape {given[1:]}, "
            f"and the model takes {expected[1:]}. Bring one in line with the "
            "other."
        )


def _evaluate(
    model: keras.Model, part: dict[str, Any]
) -> dict[str, float] | None:
    """Returns the metrics of a few examples, or None if nobody knows them."""
    if any(x.dtype == "string" for x in getattr(model, "inputs", None) or ()):
        # Keras evaluates no strings of NumPy's but in a compiled function.
        return None
    few = keras.tree.map_structure(lambda a: np.asarray(a)[:_FEW], part)
    if not _is_kerass(model):
        # A user's code may change what the trials find.
        build_symbolically(model, **few)
        own = [n for n in _STEPS if getattr(type(model), n) is not _STEPS[n]]
        return None if own else model.get_metrics_result()
    # Two examples are not worth a compiled function.
    eagerly, model.run_eagerly = model.run_eagerly, True
    # Metrics may be the user's own, for all trials.
    kept = [(v, ops.copy(v)) for v in _variables(model)]
    try:
        return model.evaluate(**few, verbose=0, return_dict=True)
    finally:
        model.run_eagerly = eagerly
        for variable, value in kept:
            variable.assign(value)


def _variables(model: keras.Model) -> list[Any]:
    """Returns the variables of a model, and of what it was compiled with."""
    names = ("metrics", "weighted_metrics")
    parts = keras.tree.flatten([compile_argument(model, n) for n in names])
    return [v for p in (model, *parts) for v in getattr(p, "variables", ())]


def _is_kerass(model: keras.Model) -> bool:
    """Whether all that an evaluation runs is code of Keras's."""
    names = ("loss", "metrics", "weighted_metrics")
    given = [compile_argument(model, name) for name in names]
    parts = [model, *every_layer(model), *keras.tree.flatten(given)]
    kinds = [
        part if inspect.isfunction(part) else type(part)
        for part in parts
        if part is not None and not isinstance(part, str)
    ]
    activations = [getattr(x, "activation", None) for x in every_layer(model)]
    return all(
        kind.__module__.startswith(("keras.", "tfcourse."))
        for kind in (*kinds, *filter(inspect.isfunction, activations))
    )


def _failure(
    build: Callable[[keras_tuner.HyperParameters], Any],
    hp: keras_tuner.HyperParameters,
    part: dict[str, Any],
) -> Exception | None:
    """Returns why a model of another point takes no examples, or None."""
    other = hp.copy()
    for seed, parameter in enumerate(other.space, start=1):
        other.values[parameter.name] = parameter.random_sample(seed)
    try:
        _evaluate(build(other), part)
    except Exception as error:
        return error
    return None


def _complaint(name: str, part: dict[str, Any], error: Exception) -> str:
    lacks = "" if "y" in part else " There are no targets y."
    shapes = ", ".join(
        f"{key} {tuple(np.shape(value))}" for key, value in part.items()
    )
    return (
        f"The models cannot be evaluated on the {name or 'training data'} "
        f"({shapes}): {type(error).__name__}: {first_line(error)}{lacks}"
    )


def _check_labels(model: keras.Model, part: dict[str, Any], of: str) -> None:
    """Refuses classes that a sparse loss has no output for."""
    loss, y = model.loss, part.get("y")
    sparse = isinstance(loss, _SPARSE) or loss in (
        "sparse_categorical_crossentropy",
        keras.losses.sparse_categorical_crossentropy,
    )
    shape = getattr(model, "output_shape", None)
    if not sparse or y is None or not isinstance(shape, tuple):
        return
    where, outputs, labels = f" of {of}" if of else "", shape[-1], np.asarray(y)
    if labels.ndim == len(shape) and labels.shape[-1] == outputs > 1:
        raise InputError(
            f"y{where} is one-hot, shape {labels.shape}, and the loss is the "
            "sparse one, which takes the numbers of the classes. Use "
            "`categorical_crossentropy`, or `y.argmax(axis=-1)`."
        )
    low, high = labels.min(), labels.max()
    if low < 0 or high >= outputs:
        raise InputError(
            f"y{where} has the label {low if low < 0 else high}, and the model "
            f"has {outputs} outputs, for labels from 0 to {outputs - 1}."
        )


def _check_metrics(
    objective: Any, logs: dict[str, float] | None, given: dict[str, Any]
) -> None:
    if logs is None:
        return
    known = [*logs, *(f"val_{name}" for name in logs)]
    for name in _names_of(objective):
        if name not in known:
            raise InputError(unknown_name("objective", name, known))
