"""A user's own data: CSV, Parquet or NumPy files."""

import os
import pathlib

from tfcourse.data.dataset import Dataset
from tfcourse.data.npz_files import read_labelled_arrays
from tfcourse.data.table.files.formats import SUFFIXES as TABLES
from tfcourse.data.table.options import TableOptions
from tfcourse.data.table.reader import read_table
from tfcourse.errors import InputError

SUFFIXES = (*TABLES, ".npz")


def read(path: str | os.PathLike, target: str | None = None) -> Dataset:
    """Reads a labelled data set from a file.

    Args:
        path: A table with a header (`.csv`, `.parquet` and others), one
            example a row, all columns but the target numbers, without gaps; or
            an `.npz` with arrays `x` `(m, ...)` and `y` `(m,)`. For tables of
            other columns there is `read_table`.
        target: Name of the column with the classes; not for `.npz`.

    Returns:
        A `Dataset` named after the file.

    Raises:
        InputError: If the file is not there or cannot be read so, the target
            is not a column, a feature is text (the first bad value is named),
            missing or infinite, or the classes are too few (see
            `Dataset.from_labels`).
    """
    path = pathlib.Path(path)
    suffix = path.suffix.lower()
    if suffix not in SUFFIXES:
        raise InputError(
            f"{path} has an unknown kind: a data file must end in "
            f"{', '.join(SUFFIXES)}."
        )
    if not path.is_file():
        raise InputError(f"There is no file {path}. Check the path.")
    if suffix != ".npz":
        table = read_table(path, TableOptions(target, "classification"))
        return table.as_dataset(path)
    if target is not None:
        raise InputError(
            "`--target` names a column of a table; in an .npz file the array "
            "`y` holds the classes. Leave it out."
        )
    return read_labelled_arrays(path)
