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


class Task(enum.StrEnum):
    """What is to be predicted."""

    CLASSIFICATION = "classification"
    REGRESSION = "regression"


class ClassWeight(enum.StrEnum):
    """How much an example of a class counts."""

    BALANCED = "balanced"


class Sampler(enum.StrEnum):
    """Which of Optuna's samplers chooses the trials."""

    TPE = "tpe"
    QMC = "qmc"
    CMAES = "cmaes"


class DateOrder(enum.StrEnum):
    """In which order dates are written that do not begin with the year."""

    DMY = "dmy"
    MDY = "mdy"


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
        help="A bundled data set (see `tfcourse data`), a table (.csv, .tsv, "
        ".parquet, .feather, .xlsx), an .npz file, or a folder of images with "
        "a folder for each class.",
        show_default="digits",
    ),
]
_TABLE = "Tables of your own"


def _of_table(help, **kwargs):
    return typer.Option(help=help, rich_help_panel=_TABLE, **kwargs)


Target = Annotated[str | None, _of_table("The column of the table to predict.")]
TaskOption = Annotated[
    Task | None,
    _of_table(
        "Whether to predict a class or an amount.", show_default="detected"
    ),
]
Drop = Annotated[
    list[str] | None,
    _of_table("Leave out this column; may be repeated.", metavar="COLUMN"),
]
Only = Annotated[
    list[str] | None,
    _of_table("Use only this column; may be repeated.", metavar="COLUMN"),
]
Keep = Annotated[
    list[str] | None,
    _of_table(
        "Use this column although it looks like an identifier.",
        metavar="COLUMN",
    ),
]
Text = Annotated[
    list[str] | None,
    _of_table("This column is free text: its words count.", metavar="COLUMN"),
]
Category = Annotated[
    list[str] | None,
    _of_table("The values of this column are names.", metavar="COLUMN"),
]
SkipBad = Annotated[
    bool | None,
    typer.Option(
        "--skip-bad",
        help="Leave out rows that cannot be used.",
        rich_help_panel=_TABLE,
    ),
]
Dates = Annotated[
    DateOrder | None,
    _of_table(
        "The order of day and month in dates such as 1/2/2024.",
        show_default="detected",
    ),
]
SplitColumn = Annotated[
    str | None,
    _of_table("This column says train, dev or test.", metavar="COLUMN"),
]
GroupColumn = Annotated[
    str | None,
    _of_table(
        "Rows with the same value in this column stay in one set.",
        metavar="COLUMN",
    ),
]
TimeColumn = Annotated[
    str | None,
    _of_table(
        "Use the latest rows by this column as the test set.", metavar="COLUMN"
    ),
]
DevFile = Annotated[
    str | None,
    _of_table("Development set, with the same columns.", metavar="FILE"),
]
TestFile = Annotated[
    str | None, _of_table("Test set, with the same columns.", metavar="FILE")
]
Encoding = Annotated[
    str | None,
    _of_table(
        "The encoding of a text file, e.g. gbk or cp1252.",
        show_default="detected",
    ),
]
Separator = Annotated[
    str | None,
    _of_table(
        "The character between two cells, or tab.", show_default="detected"
    ),
]
Decimal = Annotated[
    str | None,
    _of_table("The decimal mark, . or ,", show_default="detected"),
]
Space = Annotated[
    str | None,
    typer.Option(
        help="The search space: `course`, `wide` (wider bounds), `full` (also "
        "learning-rate decay, keep_prob, λ), `small` (the same for few "
        "examples), `cnn` (images), or module.py:build for a keras-tuner "
        "function of your own.",
        show_default="course; small for small tables; cnn",
    ),
]
ImageSize = Annotated[
    int | None,
    typer.Option(
        help="Resize images to this many pixels, wide and high.",
        show_default="as they are, or 64",
    ),
]
ClassWeightOption = Annotated[
    ClassWeight | None,
    typer.Option(
        help="Give all classes the same weight, however many "
        "examples they have."
    ),
]
Ray = Annotated[
    str | None,
    typer.Option(
        help="Train on a Ray cluster: its address, or local to start one on "
        "this host.",
        metavar="ADDRESS|local",
        show_default="in this process",
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
    pathlib.Path,
    typer.Argument(help="Folder of a SavedModel; loading it runs its code."),
]
