"""Where a program's first mini-batch and Keras's own step differ."""

from collections.abc import Iterator
from typing import Any, NamedTuple

import keras
import numpy as np

from tfcourse.tuning.caviar.verification.keras_step import KerasStep
from tfcourse.tuning.caviar.verification.rounding import (
    Rounding,
    rounding_of,
)
from tfcourse.tuning.population.built import FirstBatch
from tfcourse.tuning.population.deferred import all_variables


class _Pair(NamedTuple):
    """What is compared: its name, both values, by how much they may differ."""

    name: str
    together: Any
    alone: Any
    allowed: np.ndarray


def difference(
    step: KerasStep, first: FirstBatch, k: int, trains_alike: bool = True
) -> str:
    """Returns the first that differs by more than rounding, or `""`.

    Args:
        step: What Keras makes of a member.
        first: What the program makes of all.
        k: The member's number there.
        trains_alike: Whether a training step is to be compared, too.
    """
    for pair in _pairs(step, first, k, trains_alike):
        found = _largest(pair)
        if found:
            return f"`{pair.name}` together than alone: {found}"
    return ""


def _pairs(
    step: KerasStep, first: FirstBatch, k: int, trains_alike: bool
) -> Iterator[_Pair]:
    rounding = rounding_of(step.model)
    variables = all_variables(step.model)
    there = first.before(k)
    counts = np.array(len(there)), np.array(len(step.before))
    yield _Pair("number of variables", *counts, np.zeros(()))
    rows = zip(variables, there, step.before, strict=True)
    for variable, actual, expected in rows:
        digits = 8 * np.finfo(np.float32).eps * np.abs(_numbers(expected))
        yield _Pair(f"initial {variable.path}", actual, expected, digits)
    yield from _metrics(step.logs, first.logs, k, rounding, trains_alike)
    if trains_alike and _is_finite(step):
        yield from _after(step, first.after(k), rounding)


def _metrics(
    own: dict[str, Any],
    logs: dict[str, np.ndarray],
    k: int,
    rounding: Rounding,
    trains_alike: bool,
) -> Iterator[_Pair]:
    for name in sorted(own.keys() | logs.keys(), key=_evaluation_first):
        if not trains_alike and not name.startswith("val_"):
            continue
        expected = own.get(name)
        actual = logs[name][k] if name in logs else None
        known = 0.0 if expected is None else expected
        allowed = rounding.of_values(_numbers(known))
        yield _Pair(name, actual, expected, allowed)


def _evaluation_first(name: str) -> tuple[bool, bool, str]:
    return not name.startswith("val_"), not name.endswith("loss"), name


def _is_finite(step: KerasStep) -> bool:
    known = [g for g in step.gradients if g is not None]
    return all(np.all(np.isfinite(_numbers(g))) for g in known)


def _after(
    step: KerasStep, actual: list[np.ndarray], rounding: Rounding
) -> Iterator[_Pair]:
    """Yields the variables after a training step."""
    variables = all_variables(step.model)
    of_parameters = _gradients(step)
    largest = max(
        (np.max(np.abs(g), initial=0) for g in of_parameters.values()),
        default=0.0,
    )
    rows = zip(variables, actual, step.before, step.after, strict=True)
    for variable, there, before, after in rows:
        gradient = _gradient_of(variable, of_parameters)
        allowed = np.zeros(())
        if keras.backend.is_float_dtype(variable.dtype):
            allowed = rounding.of_steps(
                _numbers(before), _numbers(after), gradient, largest
            )
        yield _Pair(variable.path, there, after, allowed)


def _gradients(step: KerasStep) -> dict[str, np.ndarray]:
    """Returns gradients by the paths of their parameters."""
    return {
        variable.path: _numbers(gradient)
        for variable, gradient in zip(
            step.model.trainable_variables, step.gradients, strict=True
        )
        if gradient is not None
    }


def _gradient_of(
    variable: Any, of_parameters: dict[str, np.ndarray]
) -> np.ndarray | None:
    """Returns that of a parameter, or of the one whose slot a variable is."""
    if variable.path in of_parameters:
        return of_parameters[variable.path]
    owners = [
        path
        for path in of_parameters
        if variable.name.startswith(path.replace("/", "_") + "_")
    ]
    return of_parameters[max(owners, key=len)] if owners else None


def _numbers(values: Any) -> np.ndarray:
    return np.asarray(values).astype("float64")


def _largest(pair: _Pair) -> str:
    """Returns by how much values differ, or `""` if that is allowed."""
    _, actual, expected, allowed = pair
    if actual is None or expected is None:
        return "it is not there " + ("together" if actual is None else "alone")
    actual, expected = _numbers(actual), _numbers(expected)
    if actual.shape != expected.shape:
        return f"it is of shape {actual.shape}, not {expected.shape}"
    with np.errstate(invalid="ignore"):
        apart = np.abs(actual - expected)
        alike = apart <= allowed
    finite = np.isfinite(expected)
    alike |= ~finite & ~np.isfinite(actual)
    if np.all(alike):
        return ""
    largest = np.max(np.abs(expected[finite]), initial=0)
    return (
        f"they differ by up to {np.max(apart[~alike]):.3g}, of up to "
        f"{largest:.3g}"
    )
