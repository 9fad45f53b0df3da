"""Tables whose columns have types: Parquet, Feather and Excel."""

import pathlib
import struct
from collections.abc import Iterator

import numpy as np

from tfcourse.data.table.files.rows import OnBad, Places, Rows
from tfcourse.data.table.files.sheets import read_sheet, sheet_names
from tfcourse.data.table.files.text_format import TextFormat
from tfcourse.data.unpacked_size import (
    check_feather,
    check_parquet,
    check_words,
    words_stored_once,
)
from tfcourse.errors import InputError
from tfcourse.utils.text import first_line

# What the readers raise of a file that is not whole.
_DAMAGE = (OSError, ValueError, KeyError, struct.error)


class ArrowTable:
    """Columns with types, as pyarrow reads them."""

    def __init__(self, path: pathlib.Path, decimal: str = ".") -> None:
        self.format = TextFormat(decimal=decimal)
        self._kind = path.suffix[1:].lower()
        self._path = path
        import pyarrow

        try:
            names, self._batches = _READERS[self._kind](path)
        except InputError:
            raise
        except (*_DAMAGE, pyarrow.ArrowException) as error:
            raise InputError(
                f"{path} cannot be read as a {self._kind} table: "
                f"{first_line(error).rstrip('.')}."
            ) from error
        self.columns = [name.strip() for name in names]

    def assumed(self) -> str | None:
        """Returns what was assumed of the file, in a sentence, if anything."""
        if self._kind != "xlsx":
            return None
        first, *others = sheet_names(self._path)
        if not others:
            return None
        return (
            f"Read the first sheet, {first!r}, of {len(others) + 1}; save "
            "another as a file of its own."
        )

    def chunks(self, size: int, on_bad: OnBad) -> Iterator[Rows]:
        first = 1
        for batch in self._batches(size):
            numbers = np.arange(first, first + batch.num_rows)
            first += batch.num_rows
            cells = {
                name: self._written_out(column)
                for name, column in zip(
                    self.columns, batch.columns, strict=True
                )
            }
            yield Rows(Places("row", numbers), cells)

    def _written_out(self, column):
        import pyarrow as pa

        if not pa.types.is_dictionary(column.type):
            return column
        check_words(self._path, column)
        return column.dictionary_decode()


def _parquet(path):
    import pyarrow.parquet

    # Without pandas' own metadata an index is a column like others.
    file = pyarrow.parquet.ParquetFile(path)
    check_parquet(path, file.metadata)
    return file.schema_arrow.names, lambda size: _batches(path, file, size)


def _batches(path, file, size):
    """Returns the batches of a Parquet file, with large words stored once."""
    import pyarrow.parquet

    words = words_stored_once(file.metadata, size)
    if words:
        file = pyarrow.parquet.ParquetFile(path, read_dictionary=words)
    return file.iter_batches(size)


def _feather(path):
    import pyarrow.feather

    check_feather(path)
    table = pyarrow.feather.read_table(path)
    return table.column_names, table.to_batches


_READERS = {"parquet": _parquet, "feather": _feather, "xlsx": read_sheet}
