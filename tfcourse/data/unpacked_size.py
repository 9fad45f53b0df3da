"""How large what a packed file holds may be: a small file may hold a lot.

A few kilobytes that others have made can unpack to more than any memory. So the
sizes that a file's own headers give are looked at before it is unpacked; what
holds more than its headers say is refused where it is read.
"""

import math
import os
import pathlib
import struct
import zipfile
from collections.abc import Iterator

import numpy as np

from tfcourse.errors import InputError

VARIABLE = "TFCOURSE_MAX_GB"
_DEFAULT = 8.0
# No table that people have shrinks so far, however alike its rows.
_MOST_TIMES = 1000


def check_unpacked(path: pathlib.Path, size: int) -> None:
    """Raises if a file would take more bytes unpacked than allowed.

    Raises:
        InputError: If not; it names the variable that allows more.
    """
    allowed = _allowed()
    if size > allowed * 1e9:
        raise InputError(
            f"{path} would take {size / 1e9:,.1f} GB unpacked, and "
            f"{allowed:g} GB are allowed. If you trust its source, allow more "
            f"with the environment variable {VARIABLE}."
        )


def check_zip(path: pathlib.Path) -> None:
    """Raises unless all that a zip archive holds may be unpacked.

    Raises:
        InputError: As `check_unpacked`.
        zipfile.BadZipFile: If it is none.
    """
    with zipfile.ZipFile(path) as archive:
        check_unpacked(path, sum(i.file_size for i in archive.infolist()))


def check_npz(path: pathlib.Path) -> None:
    """Raises unless the arrays of an `.npz` file may be unpacked.

    Raises:
        InputError: As `check_unpacked`.
        ValueError: If an array has not the size that its header says.
        zipfile.BadZipFile: If it is not a zip archive.
    """
    check_zip(path)
    with zipfile.ZipFile(path) as archive:
        for info in archive.infolist():
            if info.filename.endswith(".npy"):
                with archive.open(info) as file:
                    size = _array_size(file)
                # NumPy takes the memory before it reads.
                if size > info.file_size:
                    raise ValueError(f"{info.filename} is cut off")


def check_parquet(path: pathlib.Path, metadata) -> None:
    """Raises unless a Parquet file may be read.

    One that is larger than is allowed may be, a part at a time, unless it is
    so much smaller packed that nobody has such a table.

    Args:
        path: The file.
        metadata: Its `pyarrow.parquet.FileMetaData`.

    Raises:
        InputError: As `check_unpacked`.
    """
    groups = [
        metadata.row_group(n).total_byte_size
        for n in range(metadata.num_row_groups)
    ]
    check_unpacked(path, max(groups, default=0))
    # A value that all rows share is stored once.
    cells = metadata.num_rows * metadata.num_columns
    size = max(sum(groups), 8 * cells)
    if size > _MOST_TIMES * path.stat().st_size:
        check_unpacked(path, size)


def words_stored_once(metadata, size: int) -> list[str]:
    """Returns the columns of a Parquet file whose words may be a great many.

    Where a word is stored once and named by number a row, no header says how
    long the rows are; see `check_words`.

    Args:
        metadata: Its `pyarrow.parquet.FileMetaData`.
        size: How many rows are read at once.
    """
    most = _allowed() * 1e9
    found = set()
    for n in range(metadata.num_row_groups):
        group = metadata.row_group(n)
        for i in range(group.num_columns):
            column = group.column(i)
            flat = "." not in column.path_in_schema
            if (
                flat
                and column.physical_type == "BYTE_ARRAY"
                and column.has_dictionary_page
                and column.total_uncompressed_size
                * min(size, column.num_values)
                > most
            ):
                found.add(column.path_in_schema)
    return sorted(found)


def check_words(path: pathlib.Path, words) -> None:
    """Raises unless words that are named by number may be written out.

    Args:
        path: The file they are of.
        words: A `pyarrow.DictionaryArray`.

    Raises:
        InputError: As `check_unpacked`.
    """
    import pyarrow.compute as pc

    try:
        lengths = pc.binary_length(words.dictionary)
    except NotImplementedError:
        return  # Numbers, which are all of one size.
    taken = lengths.cast("int64").take(words.indices)
    check_unpacked(path, pc.sum(taken).as_py() or 0)


def check_feather(path: pathlib.Path) -> None:
    """Raises unless a Feather file (Arrow IPC) may be unpacked.

    Raises:
        InputError: As `check_unpacked`.
    """
    import pyarrow as pa

    with pa.memory_map(str(path)) as file:
        if file.read(6) != b"ARROW1":
            return  # The first version, which is not packed; or damaged.
        file.seek(8)
        reader = pa.ipc.MessageReader.open_stream(file)
        size = 0
        while (message := _next(reader)) is not None:
            if message.body is not None:
                size += _message_size(message)
                check_unpacked(path, size)


def _allowed():
    text = os.environ.get(VARIABLE, str(_DEFAULT))
    try:
        allowed = float(text)
    except ValueError:
        allowed = -1.0
    if not allowed > 0:
        raise InputError(
            f"The environment variable {VARIABLE} must be a number of "
            f"gigabytes above 0. Received: {VARIABLE}={text!r}"
        )
    return allowed


def _array_size(file):
    """Returns the bytes of the array in an open `.npy` file."""
    version = np.lib.format.read_magic(file)
    if version == (1, 0):
        shape, _, dtype = np.lib.format.read_array_header_1_0(file)
    elif version == (2, 0):
        shape, _, dtype = np.lib.format.read_array_header_2_0(file)
    else:
        # What NumPy writes for names of fields that are no Latin.
        raise ValueError(f"version {version} of arrays is not read")
    return 0 if dtype.hasobject else math.prod(shape) * dtype.itemsize


def _next(reader):
    try:
        return reader.read_next_message()
    except StopIteration:
        return None


def _message_size(message) -> int:
    """Returns the bytes that the body of an Arrow message unpacks to."""
    body = memoryview(message.body)
    size = body.nbytes
    for offset, length in _packed_buffers(memoryview(message.metadata)):
        if length >= 8:
            # Each begins with its size unpacked, or -1 if it is not packed.
            size += max(struct.unpack_from("<q", body, offset)[0], 0)
    return size


def _packed_buffers(data: memoryview) -> Iterator[tuple[int, int]]:
    """Yields where the packed buffers of a batch lie: offset and length.

    The header is a flatbuffer, `Message` of Arrow's Message.fbs; there is no
    public reader for it in Python.
    """
    message = struct.unpack_from("<I", data, 0)[0]
    kind = _field(data, message, 1)
    header = _field(data, message, 2)
    if not kind or not header or data[kind] not in (2, 3):
        return  # A schema has no buffers.
    batch = _followed(data, header)
    if data[kind] == 2:
        batch = _followed(data, _field(data, batch, 1))
    buffers, compression = _field(data, batch, 2), _field(data, batch, 3)
    if not buffers or not compression:
        return
    start = _followed(data, buffers)
    for n in range(struct.unpack_from("<I", data, start)[0]):
        yield struct.unpack_from("<qq", data, start + 4 + 16 * n)


def _field(data: memoryview, table: int, number: int) -> int:
    """Returns where a field of a flatbuffer's table lies, 0 if it has none."""
    fields = table - struct.unpack_from("<i", data, table)[0]
    if 4 + 2 * number >= struct.unpack_from("<H", data, fields)[0]:
        return 0
    offset = struct.unpack_from("<H", data, fields + 4 + 2 * number)[0]
    return table + offset if offset else 0


def _followed(data: memoryview, position: int) -> int:
    return position + struct.unpack_from("<I", data, position)[0]
