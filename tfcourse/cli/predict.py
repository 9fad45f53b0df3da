"""`tfcourse predict` and `tfcourse evaluate`."""

import contextlib
import os
import pathlib
import sys
from typing import Annotated

import typer

from tfcourse.cli.terminal import quiet
from tfcourse.cli.terminal.options import (
    Decimal,
    Encoding,
    SavedModel,
    Separator,
    Verbose,
)
from tfcourse.cli.terminal.safe_stream import for_data
from tfcourse.utils.text import printable

PREDICT_EPILOG = (
    "Example: tfcourse predict runs/NAME/model new.csv --out answers.csv"
)
EVALUATE_EPILOG = (
    "Example: tfcourse evaluate runs/NAME/model labelled.csv --target species"
)

SkipBad = Annotated[
    bool,
    typer.Option(
        "--skip-bad", help="Leave out rows that cannot be read, and count them."
    ),
]


def predict(
    model: SavedModel,
    table: Annotated[
        pathlib.Path,
        typer.Argument(
            help="CSV or Parquet file with the model's columns, of any size."
        ),
    ],
    out: Annotated[
        pathlib.Path | None,
        typer.Option(help="Write the predictions to this CSV file."),
    ] = None,
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Replace whatever is at --out.")
    ] = False,
    skip_bad: SkipBad = False,
    endpoint: Annotated[
        str | None,
        typer.Option(
            help="The endpoint to call.", show_default="classify, or serve"
        ),
    ] = None,
    probabilities: Annotated[
        bool,
        typer.Option(
            "--probabilities", help="Add the probability of each class."
        ),
    ] = False,
    interval: Annotated[
        bool,
        typer.Option(
            "--interval",
            help="Add low and high, between which nine in ten lie.",
        ),
    ] = False,
    encoding: Encoding = None,
    separator: Separator = None,
    decimal: Decimal = None,
    verbose: Verbose = False,
) -> None:
    """Predict each row of a table with an exported model."""
    quiet.silence_libraries(verbose)
    from tfcourse.export.csv_predictions import (
        check_out,
        predict_file,
        write_predictions,
    )
    from tfcourse.export.predictor import Predictor, predictions

    if out and _is_stdout(out):
        out = None
    if out:
        check_out(
            out, overwrite, apart=[table, model]
        )  # Before TensorFlow takes its time.
    text = {"encoding": encoding, "separator": separator, "decimal": decimal}
    _check_beginning(model, table, text, skip_bad)
    predictor = Predictor(
        model, endpoint, probabilities=probabilities, interval=interval
    )
    bad = _Bad(skip_bad)
    examples = predictor.examples(table, on_bad=bad.callback, **text)
    _name_order(examples, predictor)
    _name_others(examples, predictor)
    chunks = predictions(predictor, examples)
    if not out:
        count = write_predictions(chunks, for_data())
    else:
        with _progress() as advance:
            count = predict_file(chunks, out, advance, overwrite=overwrite)
        print(f"Wrote {count:,} rows to {out}")
    bad.summarise(count)
    _name_filled(examples, predictor)


def evaluate(
    model: SavedModel,
    table: Annotated[
        pathlib.Path,
        typer.Argument(
            help="CSV or Parquet file with the columns and the true classes."
        ),
    ],
    target: Annotated[
        str, typer.Option(help="The column with the true classes.")
    ],
    skip_bad: SkipBad = False,
    encoding: Encoding = None,
    separator: Separator = None,
    decimal: Decimal = None,
    verbose: Verbose = False,
) -> None:
    """Compare an exported classifier's answers with the right ones."""
    quiet.silence_libraries(verbose)
    from tfcourse.export.evaluation import evaluate as compare
    from tfcourse.export.evaluation import evaluate_amounts, target_column
    from tfcourse.export.predictor import Predictor

    apart = [target_column(_metadata(model), target)]
    options = {
        "apart": apart,
        "encoding": encoding,
        "separator": separator,
        "decimal": decimal,
    }
    _check_beginning(model, table, options, skip_bad)
    predictor = Predictor(model)
    bad = _Bad(skip_bad)
    examples = predictor.examples(table, on_bad=bad.callback, **options)
    _name_order(examples, predictor)
    with _progress() as advance:
        if predictor.regresses:
            result = evaluate_amounts(predictor, examples, target, advance)
        else:
            result = compare(predictor, examples, target, advance, table)
    if predictor.regresses:
        _print_amounts(result)
    else:
        _print_evaluation(result)
    bad.summarise(result["examples"])
    _name_filled(examples, predictor)


def _is_stdout(out):
    """Returns whether a path is where this command prints to anyway."""
    try:
        return os.path.samestat(os.stat(out), os.fstat(1))  # noqa: PTH116
    except OSError:
        return False


def _metadata(model):
    """Returns a model's metadata; without it loading says what is wrong."""
    from tfcourse.export.metadata import read_metadata

    found = (model / "saved_model.pb").is_file()
    return read_metadata(model) if found else {}


def _check_beginning(model, table, options, skip_bad):
    """Refuses a file that cannot be used before TensorFlow takes its time."""
    from tfcourse.export.predictor import examples_for

    if (model / "saved_model.pb").is_file():
        bad = {"on_bad": lambda sentence: None} if skip_bad else {}
        examples = examples_for(_metadata(model), table, **options, **bad)
        next(iter(examples))


def _name_filled(examples, predictor):
    """Says where values were missing that never were in training."""
    known = predictor.metadata.get("columns") or ()
    gaps = {column["name"] for column in known if column.get("gaps")}
    for name, count in examples.filled.items():
        if name not in gaps:
            rows = "row has" if count == 1 else "rows have"
            print(
                f"{count:,} {rows} no value in {name!r}, which had one in "
                "every training example: its usual value was used.",
                file=sys.stderr,
            )


class _Bad:
    """What becomes of rows that cannot be used."""

    def __init__(self, skip):
        self.callback = self._print if skip else None
        self._count = 0

    def _print(self, sentence):
        self._count += 1
        if self._count <= 10:
            # Past `SafeStream`, where rich shows how far it is.
            print(f"Left out: {printable(sentence)}.", file=sys.stderr)

    def summarise(self, good):
        if self._count:
            rows = "row" if self._count == 1 else "rows"
            print(
                f"{self._count:,} {rows} left out of {self._count + good:,}.",
                file=sys.stderr,
            )


def _name_order(examples, predictor):
    if examples.assumed:
        print(examples.assumed, file=sys.stderr)
    if examples.names and not predictor.metadata.get("feature_names"):
        print(
            "The model does not name its columns. They are taken in the order "
            f"of the table: {', '.join(examples.names)}",
            file=sys.stderr,
        )


def _name_others(examples, predictor):
    if examples.others and predictor.metadata.get("feature_names"):
        print(
            "Copied unchanged, since the model has no such columns: "
            f"{', '.join(examples.others)}",
            file=sys.stderr,
        )


@contextlib.contextmanager
def _progress():
    """Gives a function that shows how many rows are done, on a terminal."""
    from rich.progress import (
        Progress,
        SpinnerColumn,
        TextColumn,
        TimeElapsedColumn,
    )

    from tfcourse.cli.terminal.console import Console

    console = Console(stderr=True)
    with Progress(
        SpinnerColumn(),
        TextColumn("{task.completed:,} rows"),
        TimeElapsedColumn(),
        console=console,
        transient=True,
        disable=not console.is_terminal,
    ) as progress:
        task = progress.add_task("", total=None)
        yield lambda rows: progress.advance(task, rows)


def _print_amounts(result):
    from tfcourse.tuning.results.scores import scores_text

    found = dict(result)
    count, intervals = found.pop("examples"), found.pop("intervals")
    print(f"{scores_text(found, intervals)} on {count:,} examples")
    if intervals:
        print(
            "In brackets: 95 % intervals, for other examples of the same kind."
        )


def _print_evaluation(result):
    from rich.table import Table

    from tfcourse.cli.terminal.console import Console
    from tfcourse.export.evaluation import majority_warning

    console = Console()
    low, high = result["intervals"]["accuracy"]
    console.print(
        f"accuracy {result['accuracy']:.4f} on {result['examples']:,} "
        f"examples, 95 % interval {low:.4f} to {high:.4f}",
        highlight=False,
    )
    warning = majority_warning(result)
    if warning:
        console.print(warning, highlight=False, markup=False)
    console.print()
    table = Table(box=None, pad_edge=False)
    table.add_column("class")
    measures = ("precision", "recall", "f1-score", "support")
    for measure in measures:
        table.add_column(measure, justify="right")
    for label, row in result["classes"].items():
        shown = [f"{row[m]:.4f}" for m in measures[:-1]]
        table.add_row(printable(label), *shown, f"{int(row['support']):,}")
    console.print(table)
    confusion = Table(box=None, pad_edge=False, title_justify="left")
    confusion.title = (
        "\nconfusion: rows are true classes, columns predicted ones"
    )
    confusion.add_column("")
    for label in result["labels"]:
        confusion.add_column(printable(label), justify="right")
    for label, row in zip(result["labels"], result["confusion"], strict=True):
        confusion.add_row(printable(label), *map(str, row))
    console.print(confusion)
