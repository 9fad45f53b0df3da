"""Encoding, separator and decimal mark of a text file."""

import pytest

from tfcourse.data.table.files.text_format import TextFormat, text_format
from tfcourse.errors import InputError

LINES = "城市,u\n北京市,1\n上海市,2\n广州市，天河,3\n"
PLAIN_THOUSANDS = TextFormat("utf-8-sig", thousands=True)


@pytest.fixture
def file(tmp_path):
    def write(content):
        content = content if isinstance(content, bytes) else content.encode()
        (tmp_path / "t.csv").write_bytes(content)
        return tmp_path / "t.csv"

    return write


@pytest.mark.parametrize(
    "content, expected",
    [
        ("a,b\n1,2\n", TextFormat("utf-8-sig")),
        ("a;b\n1,5;2\n", TextFormat("utf-8-sig", ";", ",")),
        ("a;b\n1.5;2,5\n", TextFormat("utf-8-sig", ";", ".")),
        ("a\tb\n1,5\t2\n", TextFormat("utf-8-sig", "\t", ",")),
        ("a|b\nx,y|2\n", TextFormat("utf-8-sig", "|")),
        ('a,b\n"1;2",3\n', TextFormat("utf-8-sig")),
        ("a\n1\n", TextFormat("utf-8-sig")),
        # Cells with commas between commas: of thousands, if they can be.
        ('a,b\n"1,000",2\n"12,345",3\n', PLAIN_THOUSANDS),
        ('a,b\n"1,000",2.5\n"0.5",3\n', PLAIN_THOUSANDS),
        ('a,b\n"1,234.5",2\n', PLAIN_THOUSANDS),
        ('a,b\n"1,000",2\n"0,500",3\n', TextFormat("utf-8-sig", ",", ",")),
        ('a,b\n"1,2",1.234\n', TextFormat("utf-8-sig")),
        ("a;b\n1,000;2\n", TextFormat("utf-8-sig", ";", ",")),
        ("a;b\n1,000;2.5\n", TextFormat("utf-8-sig", ";", ".", True)),
        ("a;b\n1,234,567;2\n", TextFormat("utf-8-sig", ";", ".", True)),
        ("a;b\n1.000,5;2\n", TextFormat("utf-8-sig", ";", ",", True)),
        ("a;b\n1.000;2,5\n", TextFormat("utf-8-sig", ";", ",", True)),
        ("a;b\n1.000;2\n", TextFormat("utf-8-sig", ";")),
        ("a;b\n1 000;2,5\n", TextFormat("utf-8-sig", ";", ",", True)),
        ("a,b\n1'000.5,2\n", PLAIN_THOUSANDS),
        ("a,b\n10.100.200.100,2\n", TextFormat("utf-8-sig")),
        # Both fit the header; rows of one width decide.
        ("a;b,c;d\n1;2;3\n", TextFormat("utf-8-sig", ";")),
        # Two of one width each, or more than one: more cells, more numbers.
        ("p, net;n\n1,5;3\n2,5;4\n", TextFormat("utf-8-sig", ";", ",")),
        ("x, y;z;u\n1,5;2;3\n", TextFormat("utf-8-sig", ";", ",")),
        ("a;b,c\nu;v,1\n;;;;;;,2\nw;x,3\n", TextFormat("utf-8-sig")),
        # None fits: what the header has, so that the row is named.
        ("a,b\n1,5,2\n", TextFormat("utf-8-sig")),
        (LINES.encode("gbk"), TextFormat("gb18030")),
        (LINES.encode("utf-16"), TextFormat("utf-16")),
        (
            b"a,b\n\xff\xfe"[4:] + "a,b\n1,2\n".encode("utf-16-le"),
            TextFormat("utf-16"),
        ),
    ],
)
def test_what_is_plain_is_recognised(file, content, expected):
    assert text_format(file(content)) == expected


@pytest.mark.parametrize(
    "text", ["größe,u\n1,2\n", "été,u\nÀÉ,2\n", "Straße,u\nFuß,2\n"]
)
def test_western_text_is_not_taken_for_chinese(file, text):
    path = file(text.encode("cp1252"))

    with pytest.raises(InputError, match="utf-8.*--encoding cp1252"):
        text_format(path)
    assert text_format(path, "cp1252").encoding == "cp1252"


def test_what_is_given_is_taken(file):
    path = file("a;b,c\n1;2,5\n")

    assert text_format(path, separator=",", decimal=".") == TextFormat(
        "utf-8-sig"
    )
    assert text_format(path, separator="tab").separator == "\t"


@pytest.mark.parametrize(
    "given, message",
    [
        ({"encoding": "utf-99"}, "--encoding 'utf-99' is not known"),
        ({"encoding": "utf-16"}, "cannot be read as text in utf-16"),
        ({"separator": "ab"}, "--separator"),
        ({"separator": '"'}, "--separator"),
        ({"decimal": "'"}, "--decimal"),
    ],
)
def test_what_cannot_be_is_refused(file, given, message):
    with pytest.raises(InputError, match=message):
        text_format(file("a,b\n1,2\n3"), **given)


@pytest.mark.parametrize(
    "form, sentence",
    [
        (TextFormat(), None),
        (TextFormat("utf-8-sig"), None),
        (TextFormat("gb18030"), "Read as text in gb18030."),
        (
            TextFormat("utf-8", ";", ","),
            "Read as text separated by semicolon, with decimal commas.",
        ),
    ],
)
def test_what_is_assumed_is_said(form, sentence):
    assert form.assumed() == sentence


def test_a_character_cut_by_the_sample_is_no_fault(file):
    # The sample ends within the character.
    content = b"a,b\n" + b"x" * ((1 << 20) - 5) + "é,1\n".encode()

    assert text_format(file(content)).encoding == "utf-8-sig"
