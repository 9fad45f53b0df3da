"""`tfcourse trials`."""

import pathlib
from typing import Annotated

import typer

EPILOG = "Example: tfcourse trials runs/NAME --sort learning_rate"


def trials(
    out: Annotated[
        pathlib.Path, typer.Argument(help="The run's folder.", metavar="OUT")
    ],
    sort: Annotated[
        str,
        typer.Option(
            help="The column to sort by; by `score` the best come first."
        ),
    ] = "score",
    csv: Annotated[
        bool, typer.Option("--csv", help="Print all columns as CSV.")
    ] = False,
    verbose: Annotated[
        bool, typer.Option("--verbose", help="Show TensorFlow's messages.")
    ] = False,
):
    """Print the trials of a search."""
    from tfcourse.cli.terminal.quiet import silence_libraries

    silence_libraries(verbose)
    from tfcourse.tuning.results.search_results import read_results
    from tfcourse.tuning.results.trials import arranged, table

    results = read_results(out)
    records = arranged(results.records, results.axes, sort, results.direction)
    if csv:
        print(table(records, results.axes), end="")
    else:
        _print(results, records)


def _print(results, records):
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    from tfcourse.tuning.results.trials import columns, row
    from tfcourse.utils.text import format_value

    table = Table(box=None, pad_edge=False)
    names = list(columns(results.axes))
    heads = [results.objective if n == "score" else n for n in names]
    rows = [row(record, results.axes) for record in records]
    # What no trial has is left out.
    kept = [
        n
        for n in range(len(names))
        if any(cells[n] not in (None, "") for cells in rows)
    ]
    for n in kept:
        numbers = not any(isinstance(cells[n], str) for cells in rows)
        table.add_column(
            Text(heads[n]),
            justify="right" if numbers else "left",
            overflow="fold",
        )
    for cells in rows:
        table.add_row(*(Text(format_value(cells[n])) for n in kept))
    console = Console()
    if not console.is_terminal:
        # A file or a pipe has no width to keep to.
        console = Console(width=10_000)
    console.print(table)
    if not records:
        print("No trial has begun yet.")
