"""Tables written as text, a line a row."""

import csv
import pathlib
from collections.abc import Iterator

import numpy as np

from tfcourse.data.table.files.formulas import without_apostrophe
from tfcourse.data.table.files.plain_lines import plain_lines
from tfcourse.data.table.files.rows import OnBad, Places, Rows
from tfcourse.data.table.files.text_format import TextFormat, not_decoded
from tfcourse.errors import InputError

# What Excel may write before the header, to know the separator.
_EXCELS_WORD = ["sep=", ""]


class TextTable:
    """Text, its first line the names of the columns."""

    def __init__(self, path: pathlib.Path, form: TextFormat) -> None:
        self._path, self.format = path, form
        with self._open() as file:
            self._header_line, header = next(self._rows(file), (1, []))
        self.columns = [without_apostrophe(name).strip() for name in header]
        if not any(self.columns):
            raise InputError(
                f"{path} is empty. Its first line must name the columns."
            )

    def assumed(self) -> str | None:
        """Returns what was assumed of the file, in a sentence, if anything."""
        return self.format.assumed()

    def chunks(self, size: int, on_bad: OnBad) -> Iterator[Rows]:
        line = self._header_line
        plain = plain_lines(self._path, self.format, self.columns, line)
        if plain is None:
            yield from self._chunks_with_care(size, on_bad)
            return
        for batch in plain.to_batches(max_chunksize=size):
            numbers = np.arange(line + 1, line + 1 + batch.num_rows)
            line += batch.num_rows
            cells = dict(
                zip(self.columns, map(_plain, batch.columns), strict=True)
            )
            yield Rows(Places("line", numbers), cells)

    def _chunks_with_care(self, size, on_bad):
        width = len(self.columns)
        lines, rows = [], []
        with self._open() as file:
            numbered = self._rows(file)
            next(numbered)
            for line, row in numbered:
                if not row:
                    continue  # An empty line, e.g. the last.
                if len(row) != width:
                    on_bad(self._wrong_width(line, len(row)))
                    continue
                lines.append(line)
                rows.append(row)
                if len(lines) == size:
                    yield self._chunk(lines, rows)
                    lines, rows = [], []
        if lines:
            yield self._chunk(lines, rows)

    def _chunk(self, lines, rows):
        import pyarrow as pa

        cells = {
            name: _plain(pa.array(column, pa.large_string()))
            for name, column in zip(
                self.columns, zip(*rows, strict=True), strict=True
            )
        }
        return Rows(Places("line", np.asarray(lines)), cells)

    def _wrong_width(self, line, width):
        sentence = f"line {line} has {width} fields, not {len(self.columns)}"
        if width > len(self.columns) and self.format.separator == ",":
            sentence += " (is a comma in a cell? Put the cell in quotes)"
        return sentence

    def _open(self):
        return self._path.open(encoding=self.format.encoding, newline="")

    def _rows(self, file):
        reader = csv.reader(file, delimiter=self.format.separator, strict=True)
        try:
            for row in reader:
                if reader.line_num == 1 and row == _EXCELS_WORD:
                    continue
                yield reader.line_num, row
        except UnicodeError as error:
            raise not_decoded(
                self._path, self.format.encoding, error
            ) from error
        except csv.Error as error:
            raise InputError(
                f"{self._path} cannot be read as a csv table, near line "
                f"{reader.line_num}: {error}."
            ) from error


def _plain(cells):
    """Returns cells without what keeps spreadsheets from computing them."""
    import pyarrow as pa
    import pyarrow.compute as pc

    if not pc.any(pc.starts_with(cells, "'")).as_py():
        return cells
    return pa.array(
        map(without_apostrophe, cells.to_pylist()), pa.large_string()
    )
