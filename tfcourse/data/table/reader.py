"""A whole table, read to learn from."""

import dataclasses
import functools
import os
import pathlib

import numpy as np

from tfcourse.data.table.bad_rows import BadRows, refuse
from tfcourse.data.table.columns import KINDS, Column
from tfcourse.data.table.dataset import TableDataset
from tfcourse.data.table.files.formats import TEXT, open_table
from tfcourse.data.table.files.rows import Places
from tfcourse.data.table.kinds import column_of, reason_to_leave_out
from tfcourse.data.table.options import TableOptions
from tfcourse.data.table.partition import Partition
from tfcourse.data.table.target import no_target, read_target
from tfcourse.data.table.values import read_values, trimmed
from tfcourse.data.unpacked_size import check_unpacked
from tfcourse.errors import InputError
from tfcourse.utils.text import listed, shortened
from tfcourse.utils.validation import unknown_name

# Text takes some fifty bytes a cell until it is packed.
_CELLS_AT_ONCE = 1_000_000


def read_table(
    path: str | os.PathLike, options: TableOptions | None = None
) -> TableDataset:
    """Reads a labelled table, its columns of any kind.

    Args:
        path: A table with a header, one example a row; see `SUFFIXES`.
        options: Its `target`, and what else is not plain.

    Returns:
        A `TableDataset` named after the file.

    Raises:
        InputError: If the file is not there or cannot be read, or a column,
            the target or an option cannot be understood; says where and what
            to do.
    """
    path = pathlib.Path(path)
    options = options or TableOptions()
    table = open_table(
        path,
        encoding=options.encoding,
        separator=options.separator,
        decimal=options.decimal,
    )
    _check_target(path, options, table)
    options.check_columns(path, table.columns)
    decimal = table.format.decimal
    cells, places, broken = _all_rows(path, table, options.skip_bad)
    bad = BadRows(path, places, options.skip_bad)
    target = cells.pop(options.target)
    bad.add(
        no_target(target, options.task, decimal),
        lambda row: f"has no value in column {options.target!r}, the target",
    )
    partition = _partition(path, options, decimal, cells, places, bad)
    columns, x, notes = _columns(path, options, decimal, cells, places, bad)
    good = ~bad.mask
    if not good.any():
        raise InputError(f"{path} has no row that can be used.")
    places = Places(places.word, places.numbers[good])
    target = read_target(
        options.target,
        target.filter(good),
        places,
        path,
        task=options.task,
        decimal=decimal,
    )
    first = [table.assumed(), *broken, bad.note(), target.recognised]
    return TableDataset(
        path.stem,
        {name: values[good] for name, values in x.items()},
        tuple(columns),
        target,
        source=f"File {path.name}",
        notes=tuple(note for note in [*first, *notes] if note),
        places=places,
        partition=partition
        and dataclasses.replace(partition, values=partition.values[good]),
    )


def _check_target(path, options, table):
    columns = table.columns
    if options.target is None:
        raise InputError(
            f"Say which column of {path} is to be predicted with `--target`. "
            f"It has: {listed(columns)}."
        )
    if options.target not in columns:
        if len(columns) == 1 and path.suffix.lower() in TEXT:
            raise InputError(_one_column(path, columns[0]))
        unknown = unknown_name("column", options.target, columns)
        raise InputError(
            " ".join(filter(None, [f"{path}: {unknown}", table.assumed()]))
        )
    if len(columns) == 1:
        raise InputError(
            f"{path} has no column but the target {options.target!r}. A table "
            "needs one column per feature."
        )


def _one_column(path, name):
    return (
        f"{path} has only one column, to judge by its first line, "
        f"{shortened(name)!r}. If that line does not name the columns, remove "
        "it; if the cells are separated by something other than a comma, "
        "semicolon, tab or bar, give it with --separator."
    )


def _all_rows(path, table, skip):
    """Returns the cells of each column, where rows stand, notes on others."""
    import pyarrow as pa

    broken = []
    on_bad = broken.append if skip else functools.partial(refuse, path)
    size = max(1, _CELLS_AT_ONCE // len(table.columns))
    chunks, unpacked = [], 0
    for chunk in table.chunks(size, on_bad):
        unpacked += sum(cells.nbytes for cells in chunk.cells.values())
        check_unpacked(path, unpacked)
        chunks.append(chunk)
    if not sum(len(chunk.places) for chunk in chunks):
        raise InputError(f"{path} has no rows below its header.")
    cells = {
        name: trimmed(
            pa.chunked_array(
                [chunk.cells[name] for chunk in chunks]
            ).combine_chunks()
        )
        for name in table.columns
    }
    numbers = np.concatenate([chunk.places.numbers for chunk in chunks])
    notes = [f"{len(broken):,} left out: {broken[0]}."] if broken else []
    return cells, Places(chunks[0].places.word, numbers), notes


def _partition(path, options, decimal, cells, places, bad):
    """Returns what a column says of the parts; groups are not features."""
    if options.partition is None:
        return None
    how, name = options.partition
    own = cells[name] if how == "time" else cells.pop(name)
    column = (
        column_of(name, own, places, options, decimal, path)
        if how == "time"
        else Column(name, "category")
    )
    if not column.numeric and how == "time":
        raise InputError(
            f"Column {name!r} of {path} is {KINDS[column.kind]}; --time needs "
            "dates or numbers."
        )
    values = read_values(own, column, decimal)
    bad.add(
        values.missing,
        lambda row: f"has no value in column {name!r}, which --{how} names",
    )
    return Partition(how, name, values.values)


def _columns(path, options, decimal, cells, places, bad):
    """Returns the columns of use, their values, and notes on the others."""
    columns, x, notes = [], {}, []
    for name, own in cells.items():
        if name in options.drop or (options.only and name not in options.only):
            continue
        column = column_of(name, own, places, options, decimal, path)
        values = read_values(own, column, decimal)
        bad.add(
            values.bad | values.infinite,
            # Called at once, for the first of them.
            lambda row: values.complaint(column, row, own[row].as_py()),  # noqa: B023
            f", or the column with --drop {name!r}",
        )
        reason = reason_to_leave_out(column, values, own)
        if reason and name not in options.wanted:
            notes.append(f"Left out: {name!r} {reason}.")
            continue
        _check_name(path, name)
        columns.append(column)
        x[name] = values.values
    _check_some(path, options, columns, notes)
    if notes:
        notes.append("--keep COLUMN uses one that was left out.")
    units = [c for c in columns if c.unit]
    notes += [f"{c.name!r} is numbers with {c.unit!r}." for c in units]
    return columns, x, notes


def _check_name(path, name):
    if not name:
        raise InputError(
            f"{path} has a column without a name. Name it in the header."
        )


def _check_some(path, options, columns, notes):
    if not columns:
        raise InputError(
            f"{path} has no usable column but the target {options.target!r}. "
            f"{' '.join(notes)} --keep COLUMN uses one."
        )
