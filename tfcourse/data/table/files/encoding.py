"""In which encoding text is, by its first bytes."""

import codecs
import re

from tfcourse.errors import InputError

# The mark of UTF-32 begins as that of UTF-16 does.
_MARKS = {
    codecs.BOM_UTF8: "utf-8-sig",
    codecs.BOM_UTF32_LE: "utf-32",
    codecs.BOM_UTF32_BE: "utf-32",
    codecs.BOM_UTF16_LE: "utf-16",
    codecs.BOM_UTF16_BE: "utf-16",
}
_OTHER_KINDS = {
    b"PK\x03\x04": (
        "a zip archive, as Excel's files are: name an Excel file .xlsx, "
        "unpack another"
    ),
    b"\x1f\x8b": "compressed by gzip: unpack it",
    b"PAR1": "a Parquet file: name it .parquet",
    b"ARROW1": "a Feather file: name it .feather",
    b"\xd0\xcf\x11\xe0": "an old Excel file: save it as .xlsx or CSV",
    b"%PDF": "a PDF file: save its table as CSV",
}
# Of Latin text in UTF-16 half of the bytes are zero, of Chinese tables some.
_LEAST_ZEROS = 0.1
# In Chinese text most characters are of GB 2312's first level or its
# punctuation; what only looks like GBK has few of them.
_COMMON_CHINESE = re.compile(rb"[\xa1\xa3\xb0-\xd7][\xa1-\xfe]")


def encoding_of(path: object, raw: bytes, whole: bool) -> str:
    """Returns the encoding of text, a name that Python knows.

    Args:
        path: Of the file, for errors.
        raw: Its first bytes.
        whole: Whether it has no others.

    Raises:
        InputError: If that is not plain, or it is not text.
    """
    for mark, kind in _OTHER_KINDS.items():
        if raw.startswith(mark):
            raise InputError(f"{path} is not text, but {kind}.")
    for mark, encoding in _MARKS.items():
        if raw.startswith(mark):
            return encoding
    zeros = raw.count(0)
    if zeros:
        return _with_zeros(path, raw, zeros)
    try:
        codecs.getincrementaldecoder("utf-8")().decode(raw, final=whole)
    except UnicodeError as error:
        if _is_chinese(raw, whole):
            return "gb18030"
        raise not_decoded(path, "utf-8", error) from error
    return "utf-8-sig"


def not_decoded(path: object, encoding: str, error: object) -> InputError:
    """Returns the error of bytes that are not text in an encoding."""
    return InputError(
        f"{path} cannot be read as text in {encoding}: {error}. Save it as "
        "UTF-8, or name its encoding with --encoding, e.g. --encoding cp1252."
    )


def _with_zeros(path, raw, zeros):
    if zeros < _LEAST_ZEROS * len(raw):
        line = raw[: raw.index(0)].count(b"\n") + 1
        raise InputError(
            f"{path} has a zero byte in line {line}, which text never has: it "
            "is damaged, or not text. Save it again as UTF-8."
        )
    # Every other byte of Latin text in UTF-16, and none in the others.
    low = raw[1::2].count(0) > raw[::2].count(0)
    return "utf-16-le" if low else "utf-16-be"


def _is_chinese(raw, whole):
    try:
        codecs.getincrementaldecoder("gb18030")().decode(raw, final=whole)
    except UnicodeError:
        return False
    high = sum(byte > 0x7F for byte in raw)
    return 2 * len(_COMMON_CHINESE.findall(raw)) >= 0.7 * high
