"""Arrays in NumPy's `.npz` files."""

import os
import pathlib
import zipfile
import zlib

import numpy as np

from tfcourse.data.dataset import Dataset
from tfcourse.data.unpacked_size import check_npz
from tfcourse.errors import InputError
from tfcourse.utils.text import first_line, listed


def read_array(path: str | os.PathLike) -> np.ndarray:
    """Returns the array `x` of an `.npz` file, float32.

    Raises:
        InputError: As `read`.
    """
    path = pathlib.Path(path)
    if not path.is_file():
        raise InputError(f"There is no file {path}. Check the path.")
    return _features(path, _arrays(path, "x")["x"])


def read_labelled_arrays(path: pathlib.Path) -> Dataset:
    """Returns the data set of the arrays `x` and `y` of an `.npz` file.

    Raises:
        InputError: As `read`.
    """
    arrays = _arrays(path, "x", "y")
    x, y = arrays["x"], arrays["y"]
    if x.ndim < 2 or y.ndim not in (1, 2) or y.size != len(x):
        raise InputError(
            f"{path} must hold `x` of shape (m, ...) and `y` of shape (m,). "
            f"It has x {x.shape} and y {y.shape}."
        )
    y = y.reshape(-1)
    # What is missing, a NaN or a NaT, does not equal itself.
    missing = y != y
    if missing.any():
        raise InputError(
            f"`y` of {path} has a missing class, the first at position "
            f"{int(missing.argmax())}. Fill it in or leave the example out."
        )
    return Dataset.from_labels(
        path.stem, _features(path, x), y, source=f"File {path.name}"
    )


def _arrays(path, *names):
    """Returns the named arrays of an `.npz` file, by name."""
    try:
        if not zipfile.is_zipfile(path):
            raise ValueError("it is not a zip archive")
        check_npz(path)
        with np.load(path, allow_pickle=False) as arrays:
            missing = [name for name in names if name not in arrays]
            if not missing:
                return {name: arrays[name] for name in names}
    except InputError:
        raise
    except (OSError, ValueError, zipfile.BadZipFile, zlib.error) as error:
        raise InputError(
            f"{path} cannot be read as an .npz file of plain arrays "
            f"({first_line(error).rstrip('.')}). Save it with "
            "`np.savez(path, x=..., y=...)`."
        ) from error
    raise InputError(
        f"{path} has no array {listed(missing)}. Save it with "
        "`np.savez(path, x=..., y=...)`."
    )


def _features(path, x):
    """Returns the array `x` of an `.npz` file as float32, after checks."""
    if x.size == 0:
        raise InputError(
            f"`x` of {path} is empty. It has shape {x.shape}; save one row "
            "per example."
        )
    if x.dtype.kind not in "biuf":
        raise InputError(
            f"`x` of {path} must be numbers. It is of type {x.dtype}, and its "
            f"first value is {x.flat[0]!r}."
        )
    with np.errstate(over="ignore"):
        x = x.astype("float32")
    if not np.isfinite(x).all():
        where = tuple(map(int, np.argwhere(~np.isfinite(x))[0]))
        raise InputError(
            f"`x` of {path} has a missing or infinite value, the first at "
            f"{where}. Fill it in or leave the example out."
        )
    return x
