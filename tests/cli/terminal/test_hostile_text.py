"""Text from files reaches a terminal as text."""

import io
import os
import pty
import re
import subprocess
import sys

import numpy as np
import pytest
from run_folders import SPACE, draw, make_run

from tfcourse.cli import predict
from tfcourse.cli.terminal.console import Console
from tfcourse.cli.terminal.safe_stream import SafeStream
from tfcourse.cli.terminal.tables import key_value_table
from tfcourse.utils.text import printable

# Bells, escapes, C1, carriage returns, a turned direction, and rich's markup.
HOSTILE = (
    "\x1b[2J\x1b]0;owned\x07\x9b31m\x1b]8;;http://evil.example\x1b\\"
    "\r\u202e[/x][link=http://evil.example]a[/link]"
)
# And what rich needs to write in the same place again.
_COLOURS = re.compile(r"\r?\x1b\[([\d;]*m|\?25[lh]|\d*[AK])|\r(?=\x1b\[2K)")
_OBEYED = re.compile(
    "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]"
    "|\r(?!\n)"
)


def shown_on_a_terminal(code, *arguments, folder=None):
    """Returns what a Python program writes to a terminal, both streams."""
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-c", code, *map(str, arguments)],
        stdout=theirs,
        stderr=theirs,
        cwd=folder,
        env={**os.environ, "COLUMNS": "400", "TERM": "xterm"},
    )
    os.close(theirs)
    written = b""
    try:
        while part := os.read(ours, 65536):
            written += part
    except OSError:
        pass  # The other end is closed.
    os.close(ours)
    process.wait()
    return written.decode(errors="replace")


def obeyed(text):
    """Returns what a terminal would obey, but for colours."""
    return _OBEYED.findall(_COLOURS.sub("", text))


_EACH = """
import sys
from tfcourse.cli import main
for words in {commands}:
    sys.argv = ["tfcourse", *words]
    try:
        main()
    except SystemExit as end:
        print("ended with", end.code)
"""


@pytest.mark.parametrize("code", [*range(0x20), *range(0x7F, 0xA0), 0x202E])
def test_what_a_terminal_obeys_is_written_out(code):
    shown = printable(f"a{chr(code)}b")

    if chr(code) in "\t\n":
        assert shown == f"a{chr(code)}b"
    else:
        assert shown.isprintable()
        assert shown == f"a{ascii(chr(code))[1:-1]}b"


def test_words_of_any_language_stay():
    words = "żółć naïve 東京 עברית العربية 🙂 e\u0301"

    assert printable(words) == words


def test_a_name_that_is_no_utf_8_can_be_printed():
    name = b"caf\xe9.csv".decode("utf-8", "surrogateescape")

    assert printable(name).encode() == b"caf\\udce9.csv"


def test_a_stream_writes_no_control_characters():
    stream = io.StringIO()

    print(HOSTILE, file=SafeStream(stream))

    assert obeyed(stream.getvalue()) == []
    assert stream.getvalue().endswith("[/link]\n")


def test_a_console_takes_no_text_for_markup():
    console = Console(file=io.StringIO(), force_terminal=True, width=400)

    console.print(HOSTILE)
    console.print(key_value_table([(HOSTILE, HOSTILE)]))

    written = console.file.getvalue()
    assert obeyed(written) == []
    plain = re.sub(r"\x1b\[[\d;]*m", "", written)
    assert plain.count("[/x][link=http://evil.example]a[/link]") == 3
    assert plain.count(r"\x1b]8;;http") == 3


def test_hostile_classes_are_named_as_they_are(capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "400")
    labels = ["[/x]", HOSTILE]
    row = {"precision": 1, "recall": 1, "f1-score": 1, "support": 2}
    result = {
        "accuracy": 1.0,
        "examples": 4,
        "intervals": {"accuracy": [0.5, 1.0]},
        "labels": labels,
        "classes": dict.fromkeys(labels, row),
        "confusion": [[2, 0], [0, 2]],
    }

    predict._print_evaluation(result)

    shown = capsys.readouterr().out
    assert obeyed(shown) == []
    assert shown.count("[/x]") >= 6


_LIVE = """
import sys
from rich.live import Live
from tfcourse.cli.terminal.console import Console
from tfcourse.cli.terminal.safe_stream import protect_terminal
from tfcourse.cli.terminal.tables import key_value_table

protect_terminal()
console = Console()
with Live(key_value_table([("name", sys.argv[1])]), console=console):
    console.print("within")
with console.status("waiting"):
    pass
console.print("[red]behind")
"""


def test_what_rich_shows_live_keeps_its_colours():
    shown = shown_on_a_terminal(_LIVE, HOSTILE)

    assert obeyed(shown) == []
    assert "\x1b[1mname" in shown
    assert r"\x1b[1m" not in shown
    assert r"\x1b[2J" in shown
    assert "[red]behind" in _COLOURS.sub("", shown)


@pytest.mark.slow
def test_a_hostile_search_is_shown_on_a_terminal(tmp_path):
    space = [*SPACE, ("Choice", HOSTILE, {"values": [HOSTILE, "b"]})]
    rng = np.random.default_rng(0)
    drawn = [{**draw(rng), HOSTILE: HOSTILE} for _ in range(8)]
    make_run(tmp_path / "run", 8, space=space, drawn=drawn, name=HOSTILE)
    commands = [
        ["best", "run"],
        ["trials", "run"],
        ["trials", "run", "--csv"],
        ["trials", "run", "--sort", HOSTILE + "?"],
        ["compare", "run", "run"],
        ["report", HOSTILE.replace("/", "")],
    ]

    shown = shown_on_a_terminal(
        _EACH.format(commands=commands), folder=tmp_path
    )

    assert obeyed(shown) == []
    assert "Traceback" not in shown
    assert shown.count("ended with 2") == 2
    assert shown.count("ended with 0") == 4
    assert "http://evil.example\\x1b" in shown
