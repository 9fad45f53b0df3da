"""Whether models take the data of a search is seen before its first trial."""

from __future__ import annotations

import inspect
import math
from collections.abc import Callable
from typing import Any

import keras
import keras_tuner
import numpy as np
from keras import ops

from tfcourse.data.adapters import length_of
from tfcourse.errors import InputError
from tfcourse.utils.keras_private import (
    build_symbolically,
    compile_argument,
    every_layer,
    loss_arguments,
)
from tfcourse.utils.text import first_line

# So many examples show whether most models take them.
_FEW = 2
_USUAL_SIZE = 32
# What names the metrics, where it is not Keras's.
_STEPS = {
    name: getattr(keras.Model, name)
    for name in ("train_step", "test_step", "evaluate", "compute_metrics")
}
_SPARSE = keras.losses.SparseCategoricalCrossentropy

# `x`, `y` and `sample_weight`, those that are given.
Part = dict[str, Any]


def check_fits(
    build: Callable[[keras_tuner.HyperParameters], Any],
    hp: keras_tuner.HyperParameters,
    model: keras.Model,
    parts: dict[str, Part],
    given: dict[str, Any],
) -> dict[str, float] | None:
    """Evaluates a few examples; returns the metrics, or None for datasets.

    Args:
        build: Builds a model, compiled as the tuner says.
        hp: What the first model was built with; it is not changed.
        model: The first model.
        parts: The data to train on, by `""`, and to validate on.
        given: The arguments of `fit` that are not None, by name.

    Raises:
        InputError: If the data are none for the models.
    """
    logs, evaluated = None, []
    for name, part in parts.items():
        x = part.get("x")
        if x is None or not is_of_arrays(list(part.values())):
            continue
        size = _batch_size(x, given, bool(name))
        try:
            if model.built:
                _check_shape(model, x, name)
                _check_labels(model, part, name)
            kind = _kind_of(part, size)
            if kind not in evaluated:
                # Operation by operation, each time takes a while.
                logs = _evaluate_some(model, part, size)
                evaluated.append(kind)
        except InputError:
            raise
        except Exception as error:
            # Another point of the space may do what the first one cannot.
            other = _failure(build, hp, part, size)
            if type(other) is type(error):
                raise InputError(_complaint(name, part, error)) from error
            continue
        _check_finite(model, part, size, f" of {name}" if name else "")
    return logs


def _kind_of(part: Part, size: int) -> Any:
    """Returns what of arrays decides whether a model takes them."""

    def kind(array: Any) -> str:
        array = np.asarray(array)
        return f"{array.dtype} {array.shape[1:]} {min(len(array), size)}"

    return keras.tree.map_structure(kind, part)


def is_of_arrays(value: Any) -> bool:
    return all(
        hasattr(leaf, "__array__") and getattr(leaf, "shape", ()) != ()
        for leaf in keras.tree.flatten(value)
    )


def _batch_size(x: Any, given: dict[str, Any], validates: bool) -> int:
    """Returns of what size the mini-batches of arrays are."""
    size = given.get("batch_size")
    if validates:
        size = given.get("validation_batch_size", size)
    steps = given.get("validation_steps" if validates else "steps_per_epoch")
    n = length_of(x, "`x`")
    if size is None:
        size = _USUAL_SIZE if steps is None else -(-n // steps)
    return min(size, n)


def _check_finite(
    model: keras.Model, part: Part, size: int, where: str
) -> None:
    """Refuses values that are not finite, and make the loss so.

    Code that is not Keras's may fill them in, or mask them.
    """
    for name, value in part.items():
        arrays = [np.asarray(leaf) for leaf in keras.tree.flatten(value)]
        for array in arrays:
            if array.dtype.kind != "f" or np.isfinite(array).all():
                continue
            row = int(np.argwhere(~np.isfinite(array))[0][0])
            if not _is_kerass(model) or _is_finite_at(model, part, row, size):
                return
            raise InputError(
                f"{name}{where} has a value that is not finite (NaN or "
                f"infinity), first in row {row}: every loss would be NaN. Fill "
                "it in, or leave the row out."
            )


def _is_finite_at(model: keras.Model, part: Part, row: int, size: int) -> bool:
    repeated = keras.tree.map_structure(
        lambda array: np.asarray(array)[[row]], part
    )
    logs = _evaluate_some(model, repeated, size)
    return logs is None or math.isfinite(logs["loss"])


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


def _evaluate_some(
    model: keras.Model, part: Part, size: int
) -> dict[str, float] | None:
    """Returns the metrics of a few examples, or None if nobody knows them.

    Args:
        model: The model.
        part: The examples.
        size: That of a mini-batch, without which some models cannot do.
    """
    if any(x.dtype == "string" for x in getattr(model, "inputs", None) or ()):
        # Keras evaluates no strings of NumPy's but in a compiled function.
        return None
    if not _is_kerass(model):
        # A user's code may change what the trials find.
        build_symbolically(model, **_repeated(part, size))
        own = [n for n in _STEPS if getattr(type(model), n) is not _STEPS[n]]
        return None if own else model.get_metrics_result()
    try:
        return _evaluate(model, _repeated(part, min(_FEW, size)))
    except Exception:
        if size <= _FEW:
            raise
    return _evaluate(model, _repeated(part, size))


def _repeated(part: Part, size: int) -> Part:
    """Returns so many examples, again from the first if there are less."""
    return keras.tree.map_structure(
        lambda array: np.asarray(array)[np.arange(size) % len(array)], part
    )


def _evaluate(model: keras.Model, few: Part) -> dict[str, float]:
    # Few examples are not worth a compiled function.
    eagerly, model.run_eagerly = model.run_eagerly, True
    # Metrics may be the user's own, for all trials.
    kept = [(v, ops.copy(v)) for v in _variables(model)]
    size = length_of(few["x"], "`x`")
    try:
        return model.evaluate(
            **few, batch_size=size, verbose=0, return_dict=True
        )
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
    part: Part,
    size: int,
) -> Exception | None:
    """Returns why a model of another point takes no examples, or None."""
    other = hp.copy()
    for seed, parameter in enumerate(other.space, start=1):
        other.values[parameter.name] = parameter.random_sample(seed)
    try:
        _evaluate_some(build(other), part, size)
    except Exception as error:
        return error
    return None


def _complaint(name: str, part: Part, error: Exception) -> str:
    lacks = "" if "y" in part else " There are no targets y."
    shapes = ", ".join(
        f"{key} {tuple(np.shape(value))}" for key, value in part.items()
    )
    return (
        f"The models cannot be evaluated on the {name or 'training data'} "
        f"({shapes}): {type(error).__name__}: {first_line(error)}{lacks}"
    )


def _check_labels(model: keras.Model, part: Part, of: str) -> None:
    """Refuses classes that a sparse loss has no output for."""
    loss, y = model.loss, part.get("y")
    sparse = loss in (
        "sparse_categorical_crossentropy",
        keras.losses.sparse_categorical_crossentropy,
    )
    if type(loss) is _SPARSE:
        sparse = loss_arguments(loss)[1].get("ignore_class") is None
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
