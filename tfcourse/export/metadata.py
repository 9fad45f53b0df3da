"""What a SavedModel's folder says of the model."""

import pathlib
from collections.abc import Mapping
from typing import Any

from tfcourse.data.table.columns import KINDS
from tfcourse.errors import InputError
from tfcourse.utils.atomic_files import read_json

# Read by people and by `tfcourse predict`; TensorFlow leaves it alone.
METADATA = pathlib.Path("assets.extra", "tfcourse.json")


def read_metadata(
    path: pathlib.Path, classes: int | None = None
) -> dict[str, Any]:
    """Returns the metadata in the folder of a SavedModel.

    Args:
        path: The folder.
        classes: How many classes the model has, if known.

    Returns:
        A dict, empty if the folder was written by something else.

    Raises:
        InputError: If it cannot be used.
    """
    try:
        metadata = read_json(path / METADATA)
        if not isinstance(metadata, dict):
            raise InputError("it does not hold a JSON object")
        check_metadata(metadata)
        labels = metadata.get("labels")
        if labels and classes and len(labels) != classes:
            raise InputError(f"{len(labels)} `labels` for {classes} classes")
    except FileNotFoundError:
        return {}
    except ValueError as error:
        raise InputError(
            f"{path / METADATA} is damaged: {error}. Export the model again."
        ) from error
    return metadata


def check_metadata(metadata: Mapping[str, Any]) -> None:
    """Raises unless what `tfcourse predict` reads can be used.

    Raises:
        InputError: If it cannot.
    """
    labels = metadata.get("labels")
    if labels is not None and not isinstance(labels, list):
        raise InputError(f"`labels` is not a list: {labels!r}")
    names = metadata.get("feature_names")
    if names is not None and not _are_names(names):
        raise InputError(f"`feature_names` is not a list of names: {names!r}")
    columns = metadata.get("columns")
    if columns is not None and not (
        isinstance(columns, list) and all(map(_is_column, columns))
    ):
        raise InputError("`columns` must have a `name` and a `kind` for each")
    ranges = metadata.get("ranges")
    if ranges is not None and not (
        isinstance(ranges, dict) and all(map(_is_range, ranges.values()))
    ):
        raise InputError(
            "`ranges` must have a lowest and a highest number for each name. "
            f"Received: {ranges!r}"
        )


def _are_names(names):
    return (
        isinstance(names, list | tuple)
        and all(isinstance(name, str) for name in names)
        and len(set(names)) == len(names)
    )


def _is_column(column):
    return (
        isinstance(column, dict)
        and isinstance(column.get("name"), str)
        and column.get("kind") in KINDS
    )


def _is_range(pair):
    try:
        low, high = map(float, pair)
    except (TypeError, ValueError):
        return False
    return low <= high
