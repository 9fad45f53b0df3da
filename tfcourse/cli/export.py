"""`tfcourse export`."""

import enum
import pathlib
from typing import Annotated

import typer

EPILOG = "Example: tfcourse export runs/NAME --to model"


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
        bool, typer.Option("--overwrite", help="Replace what is at --to.")
    ] = False,
    allow_code: Annotated[
        bool,
        typer.Option(
            "--allow-code",
            help="Load a model whose file holds Python code; it will run.",
        ),
    ] = False,
    verbose: Annotated[
        bool, typer.Option("--verbose", help="Show TensorFlow's messages.")
    ] = False,
):
    """Write a trained model so that it serves without tfcourse."""
    from tfcourse.cli.terminal.quiet import silence_libraries

    silence_libraries(verbose)
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
        print(f"See what it takes and gives:\n  tfcourse inspect {to}")
