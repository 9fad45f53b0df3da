"""`tfcourse compare`."""

import pathlib
from typing import Annotated

import typer

EPILOG = "Example: tfcourse compare runs/ONE runs/OTHER"


def compare(
    outs: Annotated[
        list[pathlib.Path],
        typer.Argument(help="Folders of two runs or more.", metavar="OUT..."),
    ],
    verbose: Annotated[
        bool, typer.Option("--verbose", help="Show TensorFlow's messages.")
    ] = False,
):
    """Print several searches side by side."""
    from tfcourse.cli.terminal.quiet import silence_libraries

    silence_libraries(verbose)
    from tfcourse.tuning.results.comparison import remarks, side_by_side
    from tfcourse.tuning.results.search_results import read_results

    results = [read_results(folder) for folder in outs]
    rows = side_by_side(results)
    _print(rows)
    for remark in remarks(results):
        print(f"\n{remark}")


def _print(rows):
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, pad_edge=False, show_header=False)
    table.add_column(style="bold", no_wrap=True)
    for _ in next(iter(rows.values())):
        table.add_column(overflow="fold")
    for name, cells in rows.items():
        table.add_row(Text(name), *map(Text, cells))
    Console().print(table)
