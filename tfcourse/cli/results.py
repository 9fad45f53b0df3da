"""`tfcourse best`, `trials`, `compare` and `report`: what a search found."""

import pathlib
import sys
from typing import Annotated

import typer

from tfcourse.cli.terminal import quiet
from tfcourse.cli.terminal.options import RunFolder, Verbose
from tfcourse.cli.terminal.safe_stream import for_data

BEST_EPILOG = "Example: tfcourse best runs/NAME"
TRIALS_EPILOG = "Example: tfcourse trials runs/NAME --sort learning_rate"
COMPARE_EPILOG = "Example: tfcourse compare runs/ONE runs/OTHER"
REPORT_EPILOG = "Example: tfcourse report runs/NAME --png pictures"


def best(
    out: RunFolder,
    json: Annotated[
        bool,
        typer.Option("--json", help="Print the hyperparameters as JSON only."),
    ] = False,
    verbose: Verbose = False,
) -> None:
    """Print the best trial of a search and its hyperparameters."""
    quiet.silence_libraries(verbose)
    results = _read(out)
    results.require_completed()
    if json:
        _print_json(results.winner.hyperparameters)
    else:
        _print_best(results)


def trials(
    out: RunFolder,
    sort: Annotated[
        str,
        typer.Option(
            help="The column to sort by; with `score` the best come first."
        ),
    ] = "score",
    csv: Annotated[
        bool, typer.Option("--csv", help="Print all columns, as CSV.")
    ] = False,
    verbose: Verbose = False,
) -> None:
    """Print the trials of a search."""
    quiet.silence_libraries(verbose)
    from tfcourse.tuning.results.table import arranged, csv_table

    results = _read(out)
    records = arranged(results.records, results.axes, sort, results.direction)
    if csv:
        print(csv_table(records, results.axes), end="", file=for_data())
    else:
        _print_trials(results, records)


def compare(
    outs: Annotated[
        list[pathlib.Path],
        typer.Argument(
            help="The folders of two or more runs.", metavar="OUT..."
        ),
    ],
    verbose: Verbose = False,
) -> None:
    """Print several searches side by side."""
    quiet.silence_libraries(verbose)
    from tfcourse.cli.terminal.console import Console
    from tfcourse.cli.terminal.tables import key_value_table
    from tfcourse.tuning.results.comparison import remarks, side_by_side

    searches = [_read(folder) for folder in outs]
    rows = side_by_side(searches)
    table = key_value_table((name, *cells) for name, cells in rows.items())
    Console().print(table)
    for remark in remarks(searches):
        print(f"\n{remark}")


def report(
    out: RunFolder,
    png: Annotated[
        pathlib.Path | None,
        typer.Option(help="Also write the main plots as PNG to this folder."),
    ] = None,
    tensorboard: Annotated[
        bool,
        typer.Option(
            "--tensorboard",
            help="Also write curves and hyperparameters for TensorBoard.",
        ),
    ] = False,
    verbose: Verbose = False,
) -> None:
    """Write the page that shows what a search found, also while it runs."""
    quiet.silence_libraries(verbose)
    from tfcourse.tuning.results.manifest import odd_values_or_input_error

    results = _read(out)
    with odd_values_or_input_error(out):
        _write_report(results, out, png, tensorboard)


def _write_report(results, out, png, tensorboard):
    from tfcourse.tuning.report.page import write_report

    print(f"Wrote {write_report(results)}")
    if png:
        from tfcourse.tuning.report.matplotlib_figures import write_pictures

        for path in write_pictures(out, png):
            print(f"Wrote {path}")
    if tensorboard:
        from tfcourse.tuning.report.tensorboard import write_tensorboard

        folder = write_tensorboard(out)
        print(f"Wrote {folder}\n\nLook at it:\n  tensorboard --logdir {folder}")


def _read(folder):
    """Returns the results in a folder; says which trials cannot be read."""
    from tfcourse.tuning.results.search_results import read_results

    results = read_results(folder)
    for record in results.damaged:
        print(
            f"Trial {record.trial} is left out: {record.message}. It is run "
            "again when the search continues.",
            file=sys.stderr,
        )
    return results


def _print_json(hyperparameters):
    import json

    print(json.dumps(hyperparameters, indent=1))


def _print_best(results):
    from tfcourse.cli.terminal.console import Console
    from tfcourse.cli.terminal.tables import key_value_table, seeds_rows
    from tfcourse.tuning.results.scores import headline
    from tfcourse.utils.text import format_score, format_value

    record = results.winner
    rows = {
        "trial": f"{record.trial} of {len(results.records)}",
        results.objective: f"{format_score(record.score)} in epoch "
        f"{record.best_epoch}",
        **seeds_rows(results.replicates),
    }
    finished = results.manifest.get("result")
    if finished:
        name, score = headline(finished["test"])
        rows[f"test {name}"] = f"{score:.4f}"
    rows |= {n: format_value(v) for n, v in record.hyperparameters.items()}
    if (results.folder / "model.keras").exists():
        rows["model"] = str(results.folder / "model.keras")
    Console().print(key_value_table(rows.items()))


def _print_trials(results, records):
    from tfcourse.cli.terminal.columns import fitting_table
    from tfcourse.cli.terminal.console import Console
    from tfcourse.tuning.results.table import columns, row
    from tfcourse.utils.text import format_value

    names = columns(results.axes)
    rows = [row(record, results.axes) for record in records]
    cells = {
        results.objective if name == "score" else name: [
            "" if values[n] is None else values[n] for values in rows
        ]
        for n, name in enumerate(names)
        # What no trial has is left out.
        if any(values[n] not in (None, "") for values in rows)
    }
    # All completed: that needs no column.
    spare = set(cells.get("status", ())) == {"completed"}
    console = Console()
    table, left_out = fitting_table(
        {n: [format_value(v) for v in values] for n, values in cells.items()},
        console.width if console.is_terminal else None,
        numbers=[
            name
            for name, values in cells.items()
            if not any(isinstance(value, str) and value for value in values)
        ],
        last=[*(["status"] if spare else []), "best_epoch", "seconds"],
        wraps="message",
    )
    console.print(table)
    if left_out:
        print(
            f"Columns left out for lack of room: {', '.join(left_out)}. "
            "`--csv` has all columns."
        )
    if not records:
        print("No trial has begun yet.")
