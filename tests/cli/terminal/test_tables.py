"""Tables of names and values, as a terminal shows them."""

import io

from rich.console import Console

from tfcourse.cli.terminal.tables import hyperparameters_text, key_value_table


def printed(table):
    written = io.StringIO()
    Console(file=written, width=80).print(table)
    return [line.rstrip() for line in written.getvalue().splitlines()]


def test_rows_have_a_name_and_as_many_values_as_there_are():
    lines = printed(key_value_table([("a", "1", "2"), ("bcd", "3", "4")]))

    assert [line.split() for line in lines] == [
        ["a", "1", "2"],
        ["bcd", "3", "4"],
    ]


def test_brackets_are_no_markup():
    assert printed(key_value_table({"[red]x": "[bold]"}.items())) == [
        "[red]x  [bold]"
    ]


def test_a_table_may_be_empty():
    assert printed(key_value_table([])) == []


def test_hyperparameters_are_one_line():
    text = hyperparameters_text({"beta": 0.9995, "optimizer": "adam"})

    assert text == "beta 0.9995, optimizer adam"
