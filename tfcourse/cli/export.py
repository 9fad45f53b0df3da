"""`tfcourse export` and `tfcourse inspect`."""

import enum
import pathlib
from typing import Annotated

import typer

from tfcourse.cli.terminal import quiet
from tfcourse.cli.terminal.options import Verbose
from tfcourse.utils.text import printable

EXPORT_EPILOG = "Example: tfcourse export runs/NAME --to model"
INSPECT_EPILOG = "Example: tfcourse inspect runs/NAME/model"


class Format(enum.StrEnum):
    """What to write."""

    SAVED_MODEL = "saved_model"
    LITERT = "litert"
    ONNX = "onnx"


def export(
    source: Annotated[
        pathlib.Path,
        typer.Argument(help="A MODEL.keras file, or the folder of a run."),
    ],
    to: Annotated[pathlib.Path, typer.Option(help="What to write.")],
    labels: Annotated[
        str | None,
        typer.Option(
            help="The classes in order: a,b,c.", show_default="the run's"
        ),
    ] = None,
    fold: Annotated[
        bool,
        typer.Option(
            "--fold", help="Merge batch norm into the layers before it."
        ),
    ] = False,
    form: Annotated[
        Format,
        typer.Option(
            "--format",
            help="A SavedModel folder, or a file for LiteRT or ONNX.",
        ),
    ] = Format.SAVED_MODEL,
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Replace whatever is at --to.")
    ] = False,
    allow_code: Annotated[
        bool,
        typer.Option(
            "--allow-code",
            help="Load a model whose file holds Python code; it will run.",
        ),
    ] = False,
    verbose: Verbose = False,
) -> None:
    """Write a trained model so that it serves without tfcourse."""
    quiet.silence_libraries(verbose)
    from tfcourse.export.convert import export_file

    export_file(
        source,
        to,
        labels=labels.split(",") if labels else None,
        fold=fold,
        form=form.value,
        overwrite=overwrite,
        allow_code=allow_code,
    )
    print(f"Wrote {to}")
    if form is Format.SAVED_MODEL:
        print(f"See what it takes and returns:\n  tfcourse inspect {to}")


def inspect(
    model: Annotated[
        pathlib.Path,
        typer.Argument(help="Folder of a SavedModel; none of its code is run."),
    ],
    verbose: Verbose = False,
) -> None:
    """Show what an exported model takes and gives, and what it is."""
    quiet.silence_libraries(verbose)
    from rich.table import Table

    from tfcourse.cli.terminal.console import Console
    from tfcourse.cli.terminal.tables import key_value_table
    from tfcourse.export.loading import describe_saved_model

    described = describe_saved_model(model)
    console = Console()
    table = Table(box=None, pad_edge=False)
    for column in ("endpoint", "", "name", "dtype", "shape"):
        table.add_column(column, overflow="fold")
    for endpoint, ports in described["endpoints"].items():
        for way, arrow in (("inputs", "takes"), ("outputs", "gives")):
            for name, (dtype, shape) in ports[way].items():
                table.add_row(
                    *map(printable, (endpoint, arrow, name, dtype)),
                    _shape_text(shape),
                )
                endpoint = ""
    console.print(table)
    rows = [
        *_flat(described["metadata"]),
        ("size", f"{described['bytes'] / 1024:,.0f} KiB"),
    ]
    console.print()
    console.print(key_value_table(rows))


def _shape_text(shape):
    return f"({', '.join('any' if n is None else str(n) for n in shape)})"


def _flat(metadata, at_most=20):
    """Yields the entries of nested dicts as text, `a.b` for those within."""
    for name, value in metadata.items():
        if isinstance(value, dict):
            for inner, text in _flat(value):
                yield f"{name}.{inner}", text
        elif isinstance(value, list):
            # Of what has a name, that is what a person looks for.
            words = [getattr(v, "get", {}.get)("name", v) for v in value]
            some = ", ".join(map(str, words[:at_most]))
            more = len(value) - at_most
            yield name, some + (f" and {more} more" if more > 0 else "")
        elif value is not None:
            yield name, str(value)
