"""Development and test set from files of their own."""

import dataclasses
import pathlib

import numpy as np

from tfcourse.data.chunks import TableReader
from tfcourse.data.splits import held_out
from tfcourse.data.table.columns import Column
from tfcourse.data.table.dataset import TableDataset
from tfcourse.data.table.files.rows import Places
from tfcourse.data.table.options import TableOptions
from tfcourse.data.table.partition import Partition
from tfcourse.data.table.spelling import spelled
from tfcourse.errors import InputError

_ROWS_AT_ONCE = 65_536


@dataclasses.dataclass(frozen=True)
class JoinedPlaces:
    """Where rows stand that are of several files.

    Attributes:
        parts: The name of each file, and the places there.
    """

    parts: tuple[tuple[str, Places], ...]

    def __getitem__(self, position: int) -> str:
        for name, places in self.parts:
            if position < len(places):
                return f"{places[position]} of {name}"
            position -= len(places)
        raise IndexError(position)

    def __len__(self):
        return sum(len(places) for _, places in self.parts)


def with_files(
    dataset: TableDataset, options: TableOptions, seed: int
) -> TableDataset:
    """Returns a data set with the development or test set of other files.

    Args:
        dataset: What the first file holds.
        options: With `dev`, `test` or both. What is not given is drawn from
            the first file.
        seed: Of that draw.

    Raises:
        InputError: As `joined`.
    """
    part_of = np.full(len(dataset), "train", dtype=object)
    files = {"dev": options.dev, "test": options.test}
    for part, path in files.items():
        if path is None:
            part_of[held_out(dataset, seed)] = part
    for part, path in files.items():
        if path is not None:
            dataset = joined(dataset, path, options)
            more = np.full(len(dataset) - len(part_of), part, dtype=object)
            part_of = np.concatenate([part_of, more])
    partition = Partition("split", "of the files", part_of)
    return dataclasses.replace(dataset, partition=partition)


def joined(
    dataset: TableDataset, path: str | pathlib.Path, options: TableOptions
) -> TableDataset:
    """Returns a data set with the rows of another file behind its own.

    Args:
        dataset: What the first file holds; the other needs its columns.
        path: The other file.
        options: Of the first; its skip-bad and the form of text hold for both.

    Raises:
        InputError: If it cannot be read so, or has a class that the first has
            not.
    """
    path = pathlib.Path(path)
    left_out = []
    reader = TableReader(
        path,
        dataset.columns,
        apart=[_target_column(dataset)],
        on_bad=left_out.append if options.skip_bad else None,
        size=_ROWS_AT_ONCE,
        encoding=options.encoding,
        separator=options.separator,
        decimal=options.decimal,
    )
    chunks = list(reader)
    name = dataset.target.name
    y = [value for chunk in chunks for value in chunk.others[name]]
    x = {
        column: np.concatenate(
            [values, *(chunk.features[column] for chunk in chunks)]
        )
        for column, values in dataset.x.items()
    }
    places = Places(
        chunks[0].places.word,
        np.concatenate([chunk.places.numbers for chunk in chunks]),
    )
    known = getattr(dataset.places, "parts", None)
    known = known or ((dataset.name, dataset.places),)
    y = np.concatenate([dataset.y, _coded(dataset, y, path, places)])
    note = f"{len(left_out)} left out of {path.name}: {(left_out or [0])[0]}."
    return dataclasses.replace(
        dataset,
        x=x,
        target=dataclasses.replace(dataset.target, y=y),
        notes=(*dataset.notes, *([note] if left_out else [])),
        places=JoinedPlaces((*known, (path.name, places))),
    )


def _target_column(dataset):
    regression = dataset.task == "regression"
    return Column(dataset.target.name, "number" if regression else "category")


def _coded(dataset, values, path, places):
    """Returns the targets of another file as those of the first."""
    if dataset.task == "regression":
        return np.array(values, "float64")
    codes = {spelled(label): i for i, label in enumerate(dataset.labels)}
    for row, value in enumerate(values):
        if value not in codes:
            raise InputError(
                f"Column {dataset.target.name!r} of {path} has the class "
                f"{value!r} in {places[row]}, which no row for training has. "
                f"They have: {', '.join(codes)}. Correct it, or leave such "
                "rows out of the file."
            )
    return np.array([codes[value] for value in values], "int32")
