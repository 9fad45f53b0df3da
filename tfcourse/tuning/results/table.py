"""The trials of a search as a table: its columns, its order, CSV."""

import csv
import dataclasses
import difflib
import io
import pathlib
from collections.abc import Iterable, Sequence
from typing import Any

from tfcourse.data.table.files.formulas import as_text
from tfcourse.errors import InputError
from tfcourse.tuning.results.axes import HyperparameterAxis
from tfcourse.tuning.results.trials import TrialRecord, trial_order
from tfcourse.utils.atomic_files import write_text

_FIRST = ("trial", "status", "score")
_LAST = ("seconds", "best_epoch", "message")


def columns(axes: Sequence[HyperparameterAxis]) -> dict[str, str | None]:
    """Returns the names of the columns of a table of records.

    Returns:
        A dict: the name of a column to that of its hyperparameter, or `None`.
    """
    own = (*_FIRST, *_LAST)
    settings = {
        f"hyperparameter {axis.name}" if axis.name in own else axis.name: (
            axis.name
        )
        for axis in axes
    }
    return {**dict.fromkeys(_FIRST), **settings, **dict.fromkeys(_LAST)}


def row(record: TrialRecord, axes: Sequence[HyperparameterAxis]) -> list[Any]:
    """Returns a record as a list, in the order of `columns`."""
    return [
        getattr(record, column)
        if name is None
        else record.hyperparameters.get(name)
        for column, name in columns(axes).items()
    ]


def arranged(
    records: Iterable[TrialRecord],
    axes: Sequence[HyperparameterAxis],
    column: str,
    direction: str,
) -> list[TrialRecord]:
    """Returns the records sorted by a column of their table.

    By `"score"` the best comes first, by another column the least. Records
    that have no such value come last.

    Args:
        records: A list of `TrialRecord`.
        axes: A list of `HyperparameterAxis`.
        column: One of `columns`.
        direction: `"max"` or `"min"`, of the objective.

    Raises:
        InputError: If there is no such column.
    """
    names = list(columns(axes))
    if column not in names:
        raise InputError(_unknown_column(column, names))
    place = names.index(column)
    cells = [(row(record, axes)[place], record) for record in records]
    present = [cell for cell in cells if cell[0] not in (None, "")]
    missing = [cell for cell in cells if cell[0] in (None, "")]
    if column == "trial":
        present.sort(key=lambda cell: trial_order(cell[0]))
    else:
        present.sort(
            # Categories may mix numbers, words and truth values.
            key=lambda cell: (isinstance(cell[0], str), cell[0]),
            reverse=column == "score" and direction == "max",
        )
    return [record for _, record in present + missing]


def csv_table(
    records: Iterable[TrialRecord], axes: Sequence[HyperparameterAxis]
) -> str:
    """Returns the records as CSV: id, status, score, settings, time, epoch.

    A cell is empty where a trial has no such value; none is computed by a
    spreadsheet.
    """
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(map(as_text, columns(axes)))
    for record in records:
        seconds = record.seconds and round(record.seconds, 3)
        cells = row(dataclasses.replace(record, seconds=seconds), axes)
        writer.writerow(map(as_text, cells))
    return text.getvalue()


def write_table(
    records: Iterable[TrialRecord],
    axes: Sequence[HyperparameterAxis],
    path: pathlib.Path,
) -> None:
    """Writes what `csv_table` returns to a file."""
    write_text(path, csv_table(records, axes))


def _unknown_column(column, names):
    near = difflib.get_close_matches(column, names, n=1, cutoff=0.5)
    hint = f" Did you mean {near[0]!r}?" if near else ""
    return (
        f"There is no column {column!r} to sort by.{hint} Known: "
        f"{', '.join(names)}."
    )
