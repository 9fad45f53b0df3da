"""`tfcourse best`."""

import pathlib
from typing import Annotated

import typer

EPILOG = "Example: tfcourse best runs/NAME"


def best(
    out: Annotated[
        pathlib.Path, typer.Argument(help="The run's folder.", metavar="OUT")
    ],
    json: Annotated[
        bool,
        typer.Option("--json", help="Print the hyperparameters as JSON only."),
    ] = False,
    verbose: Annotated[
        bool, typer.Option("--verbose", help="Show TensorFlow's messages.")
    ] = False,
):
    """Print the best trial of a search and its hyperparameters."""
    from tfcourse.cli.terminal.quiet import silence_libraries

    silence_libraries(verbose)
    from tfcourse.tuning.results.search_results import read_results

    results = read_results(out)
    results.require_completed()
    record = results.best[0]
    if json:
        import json as text

        print(text.dumps(record.hyperparameters, indent=1))
        return
    _print(results, record)


def _print(results, record):
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    from tfcourse.utils.text import format_score, format_value

    result = results.manifest.get("result") or {}
    rows = {
        "trial": f"{record.trial} of {len(results.records)}",
        results.objective: f"{format_score(record.score)} in epoch "
        f"{record.best_epoch}",
    }
    if result:
        rows["test accuracy"] = f"{result['test_accuracy']:.4f}"
    rows |= {
        n: format_value(value) for n, value in record.hyperparameters.items()
    }
    if (results.folder / "model.keras").exists():
        rows["model"] = str(results.folder / "model.keras")
    table = Table(box=None, show_header=False, pad_edge=False)
    table.add_column(style="bold")
    table.add_column(overflow="fold")
    for name, text in rows.items():
        # Plain text: brackets in a name are no markup.
        table.add_row(Text(name), Text(text))
    Console().print(table)
