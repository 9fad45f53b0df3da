"""The quick way reads what the careful one does, or leaves it to it."""

import pytest

from tfcourse.data.table.files.delimited import TextTable
from tfcourse.data.table.files.plain_lines import plain_lines
from tfcourse.data.table.files.text_format import text_format

QUICK = {
    "plain": b"a,b\n1,x\n2,y\n3,z",
    "an end of line": b"a,b\n1,x\n2,y\n",
    "of Windows": b"a,b\r\n1,x\r\n2,y\r\n",
    "a mark": b"\xef\xbb\xbfa,b\n1,x\n2,y\n",
    "spaces and gaps": " a ,b\n 1, \n,\nNA,é\n".encode(),
    "semicolons": b"a;b\n1,5;x,y\n2;y\n",
    "header only": b"a,b\n",
    "Excel's word": b"sep=;\na;b\n1;x\n2;y\n",
}
CAREFUL = {
    "quotes": b'a,b\n1,"x, y"\n2,y\n',
    "an empty line": b"a,b\n1,x\n\n2,y\n",
    "an empty line at the end": b"a,b\n1,x\n2,y\n\n",
    "a long row": b"a,b\n1,x,3\n2,y\n",
    "a short row": b"a,b\n1\n2,y\n",
    "of old Macs": b"a,b\r1,x\r2,y\r",
    "another encoding": "a,b\n1,é\n2,y\n".encode("utf-16"),
}


@pytest.fixture(params=[*QUICK, *CAREFUL])
def case(request, tmp_path):
    path = tmp_path / "t.csv"
    path.write_bytes({**QUICK, **CAREFUL}[request.param])
    return request.param, TextTable(path, text_format(path))


def rows(chunks):
    found = []
    for chunk in chunks:
        columns = [cells.to_pylist() for cells in chunk.cells.values()]
        places = [chunk.places[i] for i in range(len(chunk.places))]
        found += zip(places, *columns, strict=True)
    return found


def test_both_ways_give_the_same_rows(case):
    _, table = case
    quick, careful = [], []

    found = rows(table.chunks(2, quick.append))

    assert found == rows(table._chunks_with_care(2, careful.append))
    assert quick == careful


def test_what_is_plain_is_read_quickly(case):
    name, table = case
    line = table._header_line

    found = plain_lines(table._path, table.format, table.columns, line)

    assert (found is not None) == (name in QUICK)
