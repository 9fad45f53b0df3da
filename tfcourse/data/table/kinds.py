"""What the columns of a table are, by what is in them."""

import re
from typing import TYPE_CHECKING

import numpy as np

from tfcourse.data.table.calendar import (
    looks_like_date,
    order_of,
    what_is_unclear,
)
from tfcourse.data.table.columns import Column
from tfcourse.data.table.files.rows import Places
from tfcourse.data.table.files.units import unit_of
from tfcourse.data.table.options import TableOptions
from tfcourse.data.table.spelling import spelled
from tfcourse.data.table.values import (
    Values,
    is_text,
    missing_text,
    numbers,
    read_values,
)
from tfcourse.errors import InputError

if TYPE_CHECKING:
    import pyarrow

# So many of the values must be numbers (or dates) for the others to be faults.
_MOSTLY = 0.5
# A name in every other row is not a category: it identifies the row.
_MANY_NAMES = 20
# Fewer rows may count by chance.
_FEW_ROWS = 20
_NAMES_OF_IDENTIFIERS = re.compile(
    r"|index|unnamed: 0|__index_level_\d+__|(.*[ _.-])?(id|key|uuid|guid)",
    re.IGNORECASE,
)
# Beyond it whole numbers are not apart as floats: such are names.
_MOST_EXACT = 2.0**53
_LEADING_ZERO = r"^[+-]?0\d"


def column_of(
    name: str,
    cells: "pyarrow.Array",
    places: Places,
    options: TableOptions,
    decimal: str,
    path: object,
) -> Column:
    """Returns what a column is.

    Args:
        name: Its header.
        cells: A `pyarrow.Array`.
        places: A `Places`.
        options: What the user says of it.
        decimal: What stands before decimals in text.
        path: Of the file, for errors.

    Raises:
        InputError: If it is not plain; says where and what to do.
    """
    import pyarrow as pa

    if name in options.text:
        return Column(name, "text")
    if name in options.category or pa.types.is_dictionary(cells.type):
        return Column(name, "category")
    kind = cells.type
    if is_text(cells):
        return _of_text(name, cells, places, options, decimal, path)
    if pa.types.is_boolean(kind):
        return Column(name, "boolean")
    if pa.types.is_timestamp(kind) or pa.types.is_date(kind):
        return Column(name, "date")
    if (
        pa.types.is_integer(kind)
        or pa.types.is_floating(kind)
        or pa.types.is_decimal(kind)
        or pa.types.is_null(kind)
    ):
        return Column(name)
    raise InputError(
        f"Column {name!r} of {path} is of type {kind}, which is neither "
        f"number, text nor date. Leave it out with --drop {name!r}."
    )


def _of_text(name, cells, places, options, decimal, path):
    import pyarrow.compute as pc

    found = numbers(cells, decimal)
    missing = found.missing
    known = int((~missing).sum())
    if not found.bad.any():
        zeros = pc.match_substring_regex(cells, _LEADING_ZERO)
        # "007" is a name, as a postal code is.
        return Column(name, "category" if pc.any(zeros).as_py() else "number")
    words = pc.unique(cells.filter(~missing)).to_pylist()
    if {word.lower() for word in words} in ({"true"}, {"false"}, _BOTH):
        return Column(name, "boolean")
    dates = {word for word in words if looks_like_date(word)}
    if dates:
        order = options.dates or order_of(np.array(sorted(dates)))
        read = read_values(cells, Column(name, "date", order or "dmy"))
        if (~read.bad & ~read.missing).sum() >= _MOSTLY * known:
            if not options.skip_bad:
                _refuse_strangers(name, cells, places, read.bad, "dates", path)
            return Column(name, "date", _known_order(name, order, path))
    column = Column(name, "number", unit=unit_of(words))
    found = read_values(cells, column, decimal) if column.unit else found
    if (~found.bad & ~missing).sum() >= _MOSTLY * known:
        if not options.skip_bad:
            kind = f"numbers with {column.unit!r}" if column.unit else "numbers"
            _refuse_strangers(name, cells, places, found.bad, kind, path)
        return column
    _refuse_unclear_dates(name, cells, words, places, path)
    return Column(name, "category")


_BOTH = {"true", "false"}


def _refuse_strangers(name, cells, places, bad, kind, path):
    if not bad.any():
        return
    first = int(bad.argmax())
    raise InputError(
        f"Column {name!r} of {path} is mostly {kind}, but has "
        f"{cells[first].as_py()!r} in {places[first]}. Correct it, leave out "
        "such rows with --skip-bad, treat all its values as names with "
        f"--category {name!r}, or leave out the column with --drop {name!r}."
    )


def _refuse_unclear_dates(name, cells, words, places, path):
    unclear = [word for word in words if what_is_unclear(word)]
    if len(unclear) < _MOSTLY * len(words):
        return
    first = cells.index(unclear[0]).as_py()
    raise InputError(
        f"Column {name!r} of {path} has {unclear[0]!r} in {places[first]}, "
        f"{what_is_unclear(unclear[0])}. Write dates such as 2024-12-31 17:30 "
        "(hours alone as numbers), treat the values as names with --category "
        f"{name!r}, or leave out the column with --drop {name!r}."
    )


def _known_order(name, order, path):
    if order is None:
        raise InputError(
            f"Column {name!r} of {path} has dates that may begin with the day "
            "or with the month. Say which with --dates dmy or --dates mdy."
        )
    return order


def reason_to_leave_out(
    column: Column, values: Values, cells: "pyarrow.Array"
) -> str | None:
    """Returns why a column is of no use to a model, if it is of none.

    Args:
        column: What it is.
        values: All its values.
        cells: As the file has them.
    """
    known = values.values[~values.missing]
    if not len(known):
        return "has no value"
    distinct = _count_distinct(known)
    number = column.kind == "number"
    large = number and np.abs(known).max() > _MOST_EXACT
    if large and not _are_floats(cells) and _are_integers(cells):
        return "has whole numbers of more than 15 digits, which are names"
    if distinct == 1 and not values.missing.any():
        return f"is {spelled(known[0])} in every row"
    if column.kind == "category":
        if distinct > max(_MANY_NAMES, len(known) / 2):
            return (
                f"has {distinct} different values in {len(known)} rows, too "
                "many for categories (to use its words: --text "
                f"{column.name!r})"
            )
        return None
    if not number or len(known) < _FEW_ROWS or distinct < len(known):
        return None
    return _reason_of_identifiers(column.name, known, cells)


def _are_integers(cells):
    import pyarrow as pa
    import pyarrow.compute as pc

    if not is_text(cells):
        # Integers with gaps become floats in pandas.
        whole = pa.types.is_floating(cells.type) or pa.types.is_integer(
            cells.type
        )
        return whole and not (numbers(cells).values % 1 > 0).any()
    written = cells.filter(~missing_text(cells))
    return pc.all(pc.match_substring_regex(written, r"^[+-]?\d+$")).as_py()


def _are_floats(cells):
    import pyarrow as pa

    return pa.types.is_floating(cells.type)


def _count_distinct(values):
    import pyarrow as pa
    import pyarrow.compute as pc

    return pc.count_distinct(pa.array(values)).as_py()


def _reason_of_identifiers(name, known, cells):
    """Returns why numbers that all differ tell the rows apart, if they do."""
    if not _are_integers(cells):
        return None
    if (np.diff(known) == 1).all():
        return "counts the rows"
    if _NAMES_OF_IDENTIFIERS.fullmatch(name):
        return "numbers the rows, to judge by its name"
    return None
