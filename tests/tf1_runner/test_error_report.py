"""An error of a script: are its lines there, and no others?"""

import linecache
import textwrap

import pytest

from tfcourse.tf1_runner import run_script
from tfcourse.tf1_runner.error_report import ErrorReport
from tfcourse.tf1_runner.source.program import Source

OF_AN_OPERATION = """
import tensorflow as tf

a = tf.placeholder(tf.float32, [None, 2])
b = tf.placeholder(tf.float32)
product = tf.matmul(a, b)
with tf.Session() as session:
    session.run(product, {a: [[1, 2]], b: [[1.0], [2.0], [3.0]]})
"""


def error_of(text, folder, capsys, full=False):
    """Returns what is printed of the error of a script's text."""
    source = Source("a.py", textwrap.dedent(text))
    lines = source.text.splitlines(keepends=True)
    linecache.cache["a.py"] = (len(source.text), None, lines, "a.py")
    try:
        exec(compile(source.text, "a.py", "exec"), {"__name__": "__main__"})
    except Exception as error:
        error.__traceback__ = error.__traceback__.tb_next  # Less this file's.
        ErrorReport([source], str(folder), full).print(error)
    return capsys.readouterr().err


@pytest.mark.parametrize(
    "text, meant",
    [
        ("learning_rate = 1\nlearning_rat", "'learning_rate'?"),
        ("import math\nmath.sqr(2)", "'sqrt'?"),
        ("nothing_like_it = 1\nxyzzy", None),
    ],
)
def test_what_python_thinks_was_meant_is_said(tmp_path, capsys, text, meant):
    said = error_of(text, tmp_path, capsys)

    if meant:
        assert said.rstrip().endswith(f". Did you mean: {meant}")
    else:
        assert "Did you mean" not in said


def test_lines_of_libraries_are_left_out_and_asked_for(tmp_path, capsys):
    text = "import json\n\n\ndef read(text):\n    json.loads(text)\n\nread('{')"

    short = error_of(text, tmp_path, capsys)
    long = error_of(text, tmp_path, capsys, full=True)

    assert 'File "a.py", line 5, in read' in short
    assert ("decoder.py" in short, "decoder.py" in long) == (False, True)
    assert "Lines of libraries are left out" in short
    assert "JSONDecodeError" in short
    assert "left out" not in long


def test_a_helper_beside_the_script_is_its_own(tmp_path, capsys, monkeypatch):
    (tmp_path / "own_helper.py").write_text("def fail():\n    return 1 / 0\n")
    monkeypatch.syspath_prepend(tmp_path)

    said = error_of("import own_helper\nown_helper.fail()", tmp_path, capsys)

    assert "own_helper.py" in said
    assert "return 1 / 0" in said
    assert "left out" not in said


def test_an_error_raised_from_another_keeps_what_the_script_did(
    tmp_path, capsys
):
    text = """
        try:
            {}["a"]
        except KeyError as error:
            raise ValueError("no a") from error
        """

    said = error_of(text, tmp_path, capsys)

    assert "KeyError: 'a'" in said
    assert "direct cause" in said


def test_an_operation_tells_where_the_script_made_it(
    tmp_path, capfd, monkeypatch
):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "a.py").write_text(OF_AN_OPERATION)

    code = run_script("a.py")

    said = capfd.readouterr().err
    assert code == 1
    assert "Matrix size-incompatible: In[0]: [1,2], In[1]: [3,1]" in said
    places = [line for line in said.split("\n") if 'File "' in line]
    # Where it ran, and where it was made.
    assert places == [
        '  File "a.py", line 8, in <module>',
        '    File "a.py", line 6, in <module>',
    ]
