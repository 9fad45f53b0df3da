"""Options and arguments that several commands take."""

import enum
import pathlib
from typing import Annotated

import typer


class Device(enum.StrEnum):
    """Where to compute."""

    AUTO = "auto"
    CPU = "cpu"
    GPU = "gpu"


Verbose = Annotated[
    bool, typer.Option("--verbose", help="Show TensorFlow's messages.")
]
SummaryOnly = Annotated[
    bool, typer.Option("--quiet", help="Print the summary only.")
]
RunFolder = Annotated[
    pathlib.Path, typer.Argument(help="The run's folder.", metavar="OUT")
]
Out = Annotated[
    pathlib.Path | None,
    typer.Option(help="The run's folder.", show_default="runs/NAME-TIME"),
]
Data = Annotated[
    str | None,
    typer.Option(
        help="A bundled data set (see `tfcourse data`) or a .csv, .parquet or "
        ".npz file.",
        show_default="digits",
    ),
]
Target = Annotated[
    str | None,
    typer.Option(help="The column of a .csv or .parquet file to predict."),
]
Space = Annotated[
    str | None,
    typer.Option(
        help="The search space: `course`, or module.py:build for a keras-tuner "
        "function of your own.",
        show_default="course",
    ),
]
Seed = Annotated[
    int | None,
    typer.Option(help="The same seed gives the same result.", show_default="0"),
]
DeviceOption = Annotated[
    Device | None, typer.Option(help="Where to compute.", show_default="auto")
]
SavedModel = Annotated[
    pathlib.Path, typer.Argument(help="Folder of a SavedModel.")
]
