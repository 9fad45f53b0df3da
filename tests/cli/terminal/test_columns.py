"""Tables at the width of a terminal, and of none."""

import io

from rich.table import Table

from tfcourse.cli.terminal.columns import fitting_table
from tfcourse.cli.terminal.console import Console

CELLS = {
    "trial": ["00", "01"],
    "status": ["completed", "failed"],
    "learning_rate": ["0.01874", "0.1"],
    "seconds": ["1.5", "2"],
    "message": ["", "diverged: the loss was nan in epoch 2"],
}


def printed(width, **kwargs):
    table, left_out = fitting_table(CELLS, width, **kwargs)
    written = io.StringIO()
    Console(file=written, width=width or 200).print(table)
    return written.getvalue(), left_out


def test_a_pipe_has_all_columns_and_no_blanks_at_the_end():
    text, left_out = printed(None)

    assert left_out == []
    assert text.splitlines() == [
        "trial  status     learning_rate  seconds  message",
        "00     completed  0.01874        1.5",
        "01     failed     0.1            2        "
        "diverged: the loss was nan in epoch 2",
    ]


def test_a_terminal_leaves_columns_out_and_breaks_no_word():
    for width in range(20, 100):
        table, left_out = fitting_table(
            CELLS, width, last=["seconds"], wraps="message"
        )
        written = io.StringIO()
        Console(file=written, width=width, force_terminal=True).print(table)
        kept = [name for name in CELLS if name not in left_out]
        words = set(" ".join(sum((CELLS[n] for n in kept), kept)).split())
        lines = written.getvalue().replace("\x1b[1m", "").replace("\x1b[0m", "")
        assert all(len(line) <= width for line in lines.splitlines())
        assert words <= set(lines.split()), width


def test_what_is_least_wanted_goes_first():
    _, left_out = printed(60, last=["seconds"], wraps="message")
    assert left_out == ["seconds"]
    _, left_out = printed(30, last=["seconds"], wraps="message")
    assert left_out == ["seconds", "message", "learning_rate"]


def test_what_is_no_table_is_printed_as_ever():
    written = io.StringIO()
    Console(file=written, width=10).print("one two three four")
    assert written.getvalue() == "one two \nthree four\n"
    table = Table(box=None, show_header=False)
    table.add_row("one two three four")
    written = io.StringIO()
    Console(file=written, width=10).print(table)
    assert written.getvalue() == " one two three four\n"
