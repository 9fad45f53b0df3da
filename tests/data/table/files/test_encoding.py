"""What is text, and in which encoding."""

import codecs

import pytest

from tfcourse.data.table.files.encoding import encoding_of
from tfcourse.errors import InputError

TEXT = "name,u\nx,1\ny,2\n"


@pytest.mark.parametrize(
    "raw, encoding",
    [
        (TEXT.encode(), "utf-8-sig"),
        (TEXT.encode("utf-16-le"), "utf-16-le"),
        (TEXT.encode("utf-16-be"), "utf-16-be"),
        (codecs.BOM_UTF16_BE + TEXT.encode("utf-16-be"), "utf-16"),
        (TEXT.encode("utf-32"), "utf-32"),
        (codecs.BOM_UTF32_BE + TEXT.encode("utf-32-be"), "utf-32"),
        ("城市,数\n北京,12\n".encode("utf-16-le"), "utf-16-le"),
    ],
)
def test_what_is_plain(raw, encoding):
    assert encoding_of("t.csv", raw, True) == encoding
    assert raw.decode(encoding)[-2:] in ("2\n",)


@pytest.mark.parametrize(
    "raw, message",
    [
        (b"PK\x03\x04\x14", "Excel file .xlsx"),
        (b"\x1f\x8b\x08", "compressed by gzip: unpack it"),
        (b"PAR1\x15\x04", "name it .parquet"),
        (b"\xd0\xcf\x11\xe0\xa1", "old Excel file: save it as .xlsx or CSV"),
        (b"%PDF-1.7\n", "PDF"),
        (TEXT.encode() + b"z\0z,3\n", "zero byte in line 4, .* damaged"),
    ],
)
def test_what_is_no_text_says_what_it_is(raw, message):
    with pytest.raises(InputError, match=message):
        encoding_of("t.csv", raw, True)
