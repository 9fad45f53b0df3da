"""`tfcourse predict`."""

import pathlib
from typing import Annotated

import typer

EPILOG = "Example: tfcourse predict runs/NAME/model new.csv"


def predict(
    model: Annotated[
        pathlib.Path, typer.Argument(help="Folder of a SavedModel.")
    ],
    table: Annotated[
        pathlib.Path,
        typer.Argument(help="CSV or Parquet file with the model's columns."),
    ],
    out: Annotated[
        pathlib.Path | None,
        typer.Option(help="Write the predictions to this CSV file."),
    ] = None,
    verbose: Annotated[
        bool, typer.Option("--verbose", help="Show TensorFlow's messages.")
    ] = False,
):
    """Predict the class of each row of a table with an exported model."""
    from tfcourse.cli.quiet import hush

    hush(verbose)
    from tfcourse.errors import InputError
    from tfcourse.files import write_text
    from tfcourse.predict import predict_table

    if out and out.exists():
        raise InputError(f"{out} exists already. Choose another --out.")
    text = predict_table(model, table).to_csv(index=False)
    if out:
        write_text(out, text)
        print(f"Wrote {out}")
    else:
        print(text, end="")
