"""`tfcourse inspect`."""

import pathlib
from typing import Annotated

import typer

EPILOG = "Example: tfcourse inspect runs/NAME/model"


def inspect(
    model: Annotated[
        pathlib.Path, typer.Argument(help="Folder of a SavedModel.")
    ],
    verbose: Annotated[
        bool, typer.Option("--verbose", help="Show TensorFlow's messages.")
    ] = False,
):
    """Show what an exported model takes and gives, and what it is."""
    from tfcourse.cli.terminal.quiet import silence_libraries

    silence_libraries(verbose)
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    from tfcourse.export.loading import describe_saved_model

    described = describe_saved_model(model)
    console = Console()
    table = Table(box=None, pad_edge=False)
    for column in ("endpoint", "", "name", "dtype", "shape"):
        table.add_column(column, overflow="fold")
    for endpoint, ports in described["endpoints"].items():
        for way, arrow in (("inputs", "takes"), ("outputs", "gives")):
            for name, (dtype, shape) in ports[way].items():
                table.add_row(endpoint, arrow, name, dtype, _shown(shape))
                endpoint = ""
    console.print(table)
    rows = Table(box=None, show_header=False, pad_edge=False)
    rows.add_column(style="bold")
    rows.add_column(overflow="fold")
    for name, value in _flat(described["metadata"]):
        rows.add_row(name, Text(value))
    rows.add_row("size", f"{described['bytes'] / 1024:,.0f} KiB")
    console.print()
    console.print(rows)


def _shown(shape):
    return f"({', '.join('any' if n is None else str(n) for n in shape)})"


def _flat(metadata, at_most=20):
    """Yields the entries of nested dicts as text, `a.b` for those within."""
    for name, value in metadata.items():
        if isinstance(value, dict):
            for inner, text in _flat(value):
                yield f"{name}.{inner}", text
        elif isinstance(value, list):
            some = ", ".join(map(str, value[:at_most]))
            more = len(value) - at_most
            yield name, some + (f" and {more} more" if more > 0 else "")
        elif value is not None:
            yield name, str(value)
