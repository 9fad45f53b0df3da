"""Tables that are read a chunk at a time, whatever their size.

A table has `columns`, and `chunks(size, on_bad)`, which yields the places of
some rows (for people to find them) and their cells, a sequence for each column.
"""

import csv
import os
import pathlib
from collections.abc import Callable, Iterator

from tfcourse.errors import InputError
from tfcourse.utils.text import first_line


def open_table(path: str | os.PathLike) -> "CsvTable | ParquetTable":
    """Returns the table in a `.csv` or `.parquet` file.

    Raises:
        InputError: If it is not there, of another kind or has no header; while
            reading, if it is damaged.
    """
    path = pathlib.Path(path)
    kind = {".csv": CsvTable, ".parquet": ParquetTable}.get(path.suffix.lower())
    if kind is None or not path.is_file():
        raise InputError(
            f"{path} is no table of examples. Give an existing file that ends "
            "in .csv or .parquet."
        )
    return kind(path)


class CsvTable:
    """Text separated by commas, its first line the names of the columns."""

    def __init__(self, path: pathlib.Path) -> None:
        self._path = path
        with self._open() as file:
            self.columns = next(self._rows(file), (1, None))[1]
        if not self.columns:
            raise InputError(
                f"{path} is empty. Its first line must name the columns."
            )

    def chunks(
        self, size: int, on_bad: Callable[[str], object]
    ) -> Iterator[tuple[list[str], list]]:
        width = len(self.columns)
        lines, cells = [], []
        with self._open() as file:
            rows = self._rows(file)
            next(rows)
            for line, row in rows:
                if not row:
                    continue  # An empty line, e.g. the last.
                if len(row) != width:
                    on_bad(f"line {line} has {len(row)} fields, not {width}")
                    continue
                lines.append(f"line {line}")
                cells.append(row)
                if len(lines) == size:
                    yield lines, list(zip(*cells, strict=True))
                    lines, cells = [], []
        if lines:
            yield lines, list(zip(*cells, strict=True))

    def _open(self):
        # A byte-order mark would become part of the first column's name.
        return self._path.open(encoding="utf-8-sig", newline="")

    def _rows(self, file):
        reader = csv.reader(file, strict=True)
        try:
            for row in reader:
                yield reader.line_num, row
        except UnicodeError as error:
            raise InputError(
                f"{self._path} cannot be read as a csv table: {error}. Save "
                "it as UTF-8."
            ) from error
        except csv.Error as error:
            raise InputError(
                f"{self._path} cannot be read as a csv table, near line "
                f"{reader.line_num}: {error}."
            ) from error


class ParquetTable:
    """Columns as pyarrow reads them."""

    def __init__(self, path: pathlib.Path) -> None:
        import pyarrow
        import pyarrow.parquet

        try:
            self._file = pyarrow.parquet.ParquetFile(path)
        except (OSError, pyarrow.ArrowException) as error:
            raise InputError(
                f"{path} cannot be read as a parquet table: {first_line(error)}"
            ) from error
        self.columns = self._file.schema_arrow.names

    def chunks(
        self, size: int, on_bad: Callable[[str], object]
    ) -> Iterator[tuple[list[str], list]]:
        row = 0
        for batch in self._file.iter_batches(size):
            rows = [f"row {row + i + 1}" for i in range(batch.num_rows)]
            row += batch.num_rows
            yield rows, [column.to_pylist() for column in batch.columns]
