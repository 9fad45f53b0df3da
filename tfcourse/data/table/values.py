"""From cells, as a file has them, to values of a column's kind."""

import dataclasses
from typing import TYPE_CHECKING

import numpy as np

from tfcourse.data.table.calendar import seconds_of_text
from tfcourse.data.table.columns import KINDS, Column
from tfcourse.data.table.files.number_marks import SPACES, grouped
from tfcourse.data.table.files.units import without_unit
from tfcourse.data.table.spelling import spelled

if TYPE_CHECKING:
    import pyarrow

# What stands in a file for "not known", the "?" of the UCI files too.
MISSING = (
    *("", "?", "NA", "N/A", "n/a", "#N/A", "<NA>"),
    *("NaN", "nan", "NaT", "NULL", "null", "None"),
)
_NUMBER = r"^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?$"
_INFINITE = r"^[+-]?(?i:inf|infinity)$"
# Beyond it a value would be infinite in the network's arithmetic.
_MOST = float(np.finfo("float32").max)


@dataclasses.dataclass(frozen=True)
class Values:
    """The values of a column, shape `(m,)` each.

    Attributes:
        values: float64, `NaN` where missing: a number; 0 or 1 of a boolean;
            of a date the seconds since 1970. Else text, `""` where missing.
        missing: Where there is none.
        bad: Where there is something else than the kind wants.
        infinite: Where it is a number, but too large.
    """

    values: np.ndarray
    missing: np.ndarray
    bad: np.ndarray
    infinite: np.ndarray

    def complaint(self, column: Column, row: int, cell: object) -> str:
        """Returns what is wrong in a row, without its place.

        Args:
            column: Whose values these are.
            row: The position of the row.
            cell: What the file has there.
        """
        if self.missing[row]:
            return f"has no value in column {column.name!r}"
        must = f"which must be {KINDS[column.kind]}"
        if column.unit:
            must += f" with {column.unit!r}"
        if self.infinite[row]:
            must += " and not infinite"
        return f"has {cell!r} in column {column.name!r}, {must}"


def read_values(
    cells: "pyarrow.Array", column: Column, decimal: str = "."
) -> Values:
    """Returns the values of a column.

    Args:
        cells: What the file has, `trimmed`; text is read as a person would.
        column: Its kind decides how.
        decimal: What stands before decimals in text.
    """
    import pyarrow as pa

    if isinstance(cells, pa.ChunkedArray):
        cells = cells.combine_chunks()
    if pa.types.is_dictionary(cells.type):
        cells = cells.dictionary_decode()
    if column.kind in ("category", "text"):
        return _texts(cells)
    if pa.types.is_null(cells.type):
        return _of_numbers(np.full(len(cells), np.nan))
    read = {"number": numbers, "boolean": _booleans, "date": _dates}
    if column.kind == "date":
        return _dates(cells, column.order)
    if column.unit and is_text(cells):
        cells = without_unit(cells, column.unit)
    return read[column.kind](cells, decimal)


def trimmed(cells: "pyarrow.Array") -> "pyarrow.Array":
    """Returns cells without the spaces around text."""
    import pyarrow.compute as pc

    return pc.utf8_trim_whitespace(cells) if is_text(cells) else cells


def is_text(cells: "pyarrow.Array") -> bool:
    """Returns whether cells are text."""
    import pyarrow as pa

    return pa.types.is_string(cells.type) or pa.types.is_large_string(
        cells.type
    )


def numbers(cells: "pyarrow.Array", decimal: str = ".") -> Values:
    """Returns cells as numbers."""
    import pyarrow as pa
    import pyarrow.compute as pc

    if is_text(cells):
        plain = _plain_numbers(cells) if decimal == "." else None
        if plain is not None:
            return plain
        missing = missing_text(cells)
        cells = _with_points(cells, decimal)
        fits = pc.match_substring_regex(cells, _NUMBER)
        plain = pc.if_else(fits, cells, None)
        infinite = pc.match_substring_regex(cells, _INFINITE)
        values = _floats(pc.cast(plain, pa.float64()))
        values[_mask(infinite)] = np.inf
        return _of_numbers(values, missing)
    kind = cells.type
    if (
        pa.types.is_integer(kind)
        or pa.types.is_floating(kind)
        or pa.types.is_decimal(kind)
        or pa.types.is_boolean(kind)
    ):
        return _of_numbers(_floats(pc.cast(cells, pa.float64(), safe=False)))
    return _none_fits(cells)


def _with_points(cells, decimal):
    """Returns numbers with decimal points and no marks between thousands."""
    import pyarrow.compute as pc

    other = "." if decimal == "," else ","
    pattern = rf"^{grouped(other + SPACES)}(?:[{decimal}]\d+)?$"
    with_marks = pc.match_substring_regex(cells, pattern)
    if pc.any(with_marks).as_py():
        plain = pc.replace_substring_regex(cells, f"[{other}{SPACES}]", "")
        cells = pc.if_else(with_marks, plain, cells)
    if decimal == ",":
        # A point is then no mark of decimals.
        cells = pc.replace_substring(cells, ".", "x")
        cells = pc.replace_substring(cells, ",", ".")
    return cells


def _plain_numbers(cells):
    """Returns the values where every cell is a finite number, or `None`.

    As nearly all columns are, and at once, without a look at each cell.
    """
    import pyarrow as pa
    import pyarrow.compute as pc

    if cells.null_count:
        return None
    try:
        values = _floats(pc.cast(cells, pa.float64()))
    except pa.ArrowInvalid:
        return None
    return _of_numbers(values) if np.isfinite(values).all() else None


def missing_text(cells: "pyarrow.Array") -> np.ndarray:
    """Returns where text says that a value is not known."""
    import pyarrow as pa
    import pyarrow.compute as pc

    marks = pa.array(MISSING, cells.type)
    return _mask(pc.or_(pc.is_null(cells), pc.is_in(cells, marks)))


def _booleans(cells, decimal):
    import pyarrow.compute as pc

    if is_text(cells):
        lower = pc.utf8_lower(cells)
        for word, digit in {"true": "1", "false": "0"}.items():
            lower = pc.if_else(pc.equal(lower, word), digit, lower)
        found = numbers(lower, decimal)
        found = dataclasses.replace(found, missing=missing_text(cells))
    else:
        found = numbers(cells, decimal)
    other = ~np.isin(found.values, (0, 1)) & ~found.missing
    return dataclasses.replace(found, bad=other, infinite=other & False)


def _dates(cells, order):
    import pyarrow as pa
    import pyarrow.compute as pc

    if is_text(cells):
        missing = missing_text(cells)
        seconds = np.full(len(cells), np.nan)
        texts = np.asarray(cells.to_numpy(zero_copy_only=False))[~missing]
        seconds[~missing] = seconds_of_text(texts, order)
        return _of_numbers(seconds, missing)
    if pa.types.is_timestamp(cells.type) or pa.types.is_date(cells.type):
        zone = getattr(cells.type, "tz", None)
        micro = pc.cast(cells, pa.timestamp("us", zone), safe=False)
        micro = pc.cast(micro, pa.int64())
        # Whole seconds apart, which float64 holds exactly.
        return _of_numbers(_floats(micro) / 1e6)
    return _none_fits(cells)


def _texts(cells):
    import pyarrow as pa
    import pyarrow.compute as pc

    try:
        places = pc.dictionary_encode(cells)
    except pa.ArrowNotImplementedError:  # Lists and such are not text.
        found = _none_fits(cells)
        return dataclasses.replace(
            found, values=np.full(len(cells), "", dtype=object)
        )
    words = np.array(
        [spelled(word) for word in places.dictionary.to_pylist()] + [""],
        dtype=object,
    )
    codes = places.indices.fill_null(len(words) - 1)
    values = words[codes.to_numpy(zero_copy_only=False)]
    missing = values == ""
    if not is_text(cells):
        # A missing number has no text.
        missing |= values == "nan"
        values = np.where(missing, "", values)
    no = np.zeros(len(values), bool)
    return Values(values, missing, no, no)


def _of_numbers(values, missing=None):
    none = np.isnan(values)
    missing = none if missing is None else missing
    infinite = np.abs(values) > _MOST
    return Values(values, missing, none & ~missing, infinite)


def _none_fits(cells):
    missing = _mask(cells.is_null())
    values = np.full(len(cells), np.nan)
    return Values(values, missing, ~missing, np.zeros(len(cells), bool))


def _floats(array):
    return np.array(array.to_numpy(zero_copy_only=False), dtype="float64")


def _mask(array):
    return array.fill_null(False).to_numpy(zero_copy_only=False)
