"""Whether two models are the same one."""

import pathlib
from typing import Any

import keras

from tfcourse.errors import InputError
from tfcourse.tuning.panda.state.model import inner_optimizer


def fingerprint(model: keras.Model) -> dict[str, Any]:
    """Returns what makes two models the same one, for JSON.

    Names that Keras numbers by itself do not count: they depend on what else
    was built before.
    """
    return {
        "optimizer": type(inner_optimizer(model)).__name__,
        "variables": [
            [variable.path, list(variable.shape), str(variable.dtype)]
            for variable in model.variables
        ],
    }


def require_same(
    known: dict[str, Any], model: keras.Model, folder: pathlib.Path
) -> None:
    """Raises unless a run's model is this one; names the first difference.

    Args:
        known: The `fingerprint` of the run's model.
        model: The model to compare.
        folder: The folder of the run.

    Raises:
        InputError: If they differ.
    """
    difference = _difference(known, fingerprint(model))
    if difference:
        raise InputError(
            f"The run in {folder} is of another model: {difference}. Choose "
            "another folder, or restore the model."
        )


def _difference(old: dict, new: dict) -> str | None:
    pairs = zip(old["variables"], new["variables"], strict=False)
    for (path, *kind), (new_path, *new_kind) in pairs:
        if kind != new_kind or _leaf(path) != _leaf(new_path):
            return (
                f"{path} was {_kind(*kind)}, and in its place is {new_path}, "
                f"{_kind(*new_kind)}"
            )
    counts = [len(old["variables"]), len(new["variables"])]
    if counts[0] != counts[1]:
        longer = max(old["variables"], new["variables"], key=len)
        path, *kind = longer[min(counts)]
        where = "this model" if counts[1] < counts[0] else "that run"
        return f"{path}, {_kind(*kind)}, is not in {where}"
    if old["optimizer"] != new["optimizer"]:
        return (
            f"its optimizer was {old['optimizer']}, and is {new['optimizer']}"
        )
    return None


def _leaf(path):
    return path.rpartition("/")[-1]


def _kind(shape, dtype):
    return f"{tuple(shape)} of {dtype}"
