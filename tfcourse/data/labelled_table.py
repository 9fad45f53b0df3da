"""Tables with a column of classes: CSV and Parquet."""

import contextlib
import pathlib

import numpy as np

from tfcourse.data.dataset import Dataset
from tfcourse.errors import InputError
from tfcourse.utils.text import first_line, listed
from tfcourse.utils.validation import unknown_name

# What stands in a CSV file for "not known", the "?" of the UCI files too.
_MISSING = ["", "?", "NA", "N/A", "n/a", "NaN", "nan", "NULL", "null", "None"]


def read_labelled_table(path: pathlib.Path, target: str | None) -> Dataset:
    """Returns the data set of a table, `target` the column of its classes.

    Raises:
        InputError: As `read`.
    """
    columns = _columns(path)
    if target is None:
        raise InputError(
            f"Say which column of {path} holds the classes with `--target`. "
            f"It has: {listed(columns)}."
        )
    if target not in columns:
        raise InputError(
            f"{path}: {unknown_name('column', target, columns)}"
            + _separator_hint(columns)
        )
    if len(columns) == 1:
        raise InputError(
            f"{path} has no column but the target {target!r}. A table needs "
            "one column a feature."
        )
    table = _read_table(path, [name for name in columns if name != target])
    features = table.drop(columns=target)
    return Dataset.from_labels(
        path.stem,
        _numbers(features, path),
        _labels(table[target], path),
        feature_names=tuple(map(str, features.columns)),
        source=f"File {path.name}",
    )


def _separator_hint(columns):
    if len(columns) > 1 or not any(mark in columns[0] for mark in ";\t|"):
        return ""
    return " The columns of a CSV file must be separated by commas."


def _columns(path):
    with _readable(path):
        if path.suffix.lower() == ".parquet":
            import pyarrow.parquet

            return pyarrow.parquet.read_schema(path).names
        return _read_csv(path, nrows=0).columns.tolist()


def _read_table(path, features):
    """Reads a table; the columns that are no features stay as they are."""
    with _readable(path):
        if path.suffix.lower() == ".parquet":
            import pyarrow.parquet

            # Without pandas' own metadata an index is a column like others.
            table = pyarrow.parquet.read_table(path)
            table = table.to_pandas(ignore_metadata=True)
        else:
            # A class may be called "NA" or "007": it stays text.
            others = set(_columns(path)) - set(features)
            table = _read_csv(
                path,
                dtype=dict.fromkeys(others, str),
                keep_default_na=False,
                na_values=dict.fromkeys(features, _MISSING),
            )
    if table.empty:
        raise InputError(f"{path} has no rows below its header.")
    return table


def _read_csv(path, **kwargs):
    import pandas as pd

    return pd.read_csv(
        path,
        # A byte-order mark would become part of the first column's name.
        encoding="utf-8-sig",
        # Without it a row of too many fields shifts the columns silently.
        index_col=False,
        low_memory=False,
        **kwargs,
    )


@contextlib.contextmanager
def _readable(path):
    """Explains what is wrong with a file that its reader refuses."""
    try:
        yield
    except InputError:
        raise
    except (OSError, ValueError) as error:
        hint = " Save it as UTF-8." if isinstance(error, UnicodeError) else ""
        raise InputError(
            f"{path} cannot be read as a {path.suffix[1:].lower()} table: "
            f"{first_line(error).rstrip('.')}.{hint}"
        ) from error


def _labels(column, path):
    """Returns the classes as integers where all are, else as they are."""
    missing = column.isna() | (column.astype(str).str.strip() == "")
    if missing.any():
        raise InputError(
            f"Column {column.name!r} of {path} has {int(missing.sum())} "
            f"missing classes, the first in {_row(missing)}. Fill them in or "
            "leave the rows out."
        )
    values = column.tolist()
    if not all(isinstance(value, str) for value in values):
        return column.to_numpy()
    try:
        integers = [int(value) for value in values]
    except ValueError:
        return np.asarray(values)
    # "007" and "+7" are names, not numbers.
    same = all(str(i) == v for i, v in zip(integers, values, strict=True))
    return np.asarray(integers if same else values)


def _numbers(features, path):
    import pandas as pd

    for name, column in features.items():
        missing = column.isna()
        # A date would turn into nanoseconds since 1970.
        plain = column.astype(str) if column.dtype.kind in "mM" else column
        values = pd.to_numeric(plain, errors="coerce")
        text = values.isna() & ~missing
        if text.any():
            first = str(column[text].iloc[0])
            raise InputError(
                f"Column {name!r} of {path} must be numbers. Its first other "
                f"value is {first!r}, in {_row(text)}. Encode the column as "
                "numbers or leave it out."
            )
        if missing.any():
            raise InputError(
                f"Column {name!r} of {path} has {int(missing.sum())} missing "
                f"values, the first in {_row(missing)}. Fill them in or leave "
                "the rows out."
            )
        infinite = values.astype("float64").abs() > np.finfo("float32").max
        if infinite.any():
            raise InputError(
                f"Column {name!r} of {path} has an infinite value in "
                f"{_row(infinite)}. Replace it or leave the row out."
            )
    return features.apply(pd.to_numeric).to_numpy(dtype="float32")


def _row(mask):
    """Names the first row where `mask` holds; 1 is below the header."""
    return f"row {int(mask.to_numpy().argmax()) + 1}"
