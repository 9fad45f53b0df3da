"""Tables of names and values, and what a finished run prints of itself."""

import itertools
import pathlib
import shlex
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from rich.table import Table
from rich.text import Text

from tfcourse.cli.terminal.console import Console
from tfcourse.tuning.results.scores import headline, scores_text
from tfcourse.utils.text import format_value, printable

if TYPE_CHECKING:
    from tfcourse.runs.prepared_data import PreparedData
    from tfcourse.tuning.evolution.schedule import HyperparameterSchedule
    from tfcourse.tuning.results.replication.replicates import Replicates

# So many values of a hyperparameter are listed.
_FEW_STEPS = 3


def key_value_table(rows: Iterable[Sequence[str | Text]]) -> Table:
    """Returns a table without a head, the names in its first column bold.

    Args:
        rows: A name and one value or more, in each. They are shown as they
            are: brackets are no markup.
    """
    rows = [list(row) for row in rows]
    table = Table(box=None, show_header=False, pad_edge=False)
    table.add_column(style="bold", no_wrap=True)
    for _ in rows[0][1:] if rows else ():
        table.add_column(overflow="fold")
    for row in rows:
        table.add_row(
            *(
                Text(printable(cell)) if isinstance(cell, str) else cell
                for cell in row
            )
        )
    return table


def print_summary(rows: Mapping[str, str], folder: pathlib.Path) -> None:
    """Prints what came of a run, where it is and how to go on from there.

    Args:
        rows: Name to value.
        folder: The folder of a finished run, with its report and model.
    """
    files = {
        "report": str(folder / "report.html"),
        "model": f"{folder / 'model'} (SavedModel), {folder / 'model.keras'}",
    }
    Console().print(key_value_table({**rows, **files}.items()))
    # Not in the table, which would break it in two.
    print(f"\nUse the model:\n  {_predict_command(folder)}")


def print_remarks(console: Console, data: "PreparedData") -> None:
    """Prints what was assumed of a table, a line each."""
    from tfcourse.runs.remarks import remarks

    for remark in remarks(data):
        console.print(remark, highlight=False, markup=False, soft_wrap=True)


def scores_rows(
    dev: Mapping[str, float] | None,
    test: Mapping[str, float],
    baselines: Mapping[str, Mapping[str, Mapping[str, float]]],
    intervals: Mapping[str, Mapping[str, Sequence[float]]],
) -> dict[str, str]:
    """Returns the rows of a summary with the scores of a model.

    Args:
        dev: On the development set; `None` if there is none left.
        test: On the test set.
        baselines: Of a run's result.
        intervals: Likewise; they stand behind the scores.
    """

    def text(part, scores):
        return scores_text(scores, intervals.get(part))

    name = " accuracy" if "accuracy" in test else ""
    rows = {
        f"dev{name}": "also trained on" if dev is None else text("dev", dev),
        f"test{name}": text("test", test),
    }
    others = [
        f"{other} {headline(reached['test'])[1]:.4f}"
        for other, reached in baselines.items()
    ]
    if others:
        what = headline(test)[0]
        rows["without a search"] = f"test {what}: {', '.join(others)}"
    if intervals.get("test"):
        rows["in brackets"] = (
            "95 % intervals, for other examples of the same kind"
        )
    return rows


def seeds_rows(replicates: Sequence["Replicates"]) -> dict[str, str]:
    """Returns the rows of a summary with means over seeds, if there are any.

    Args:
        replicates: Those of a run's result, the best mean first.
    """
    if not replicates:
        return {}
    best, *others = replicates
    low, high = best.interval
    rows = {
        f"mean of {len(best.scores)} seeds": f"{best.mean:.4f} ± "
        f"{best.deviation:.4f} (mean from {low:.4f} to {high:.4f})"
    }
    if others:
        rows["the others' means"] = ", ".join(
            f"trial {one.trial} {one.mean:.4f} ± {one.deviation:.4f}"
            for one in others
        )
    return rows


def schedule_rows(
    schedule: "HyperparameterSchedule | None",
) -> dict[str, str]:
    """Returns the row of a summary on a schedule, if there is one.

    Args:
        schedule: That of a run's result.
    """
    if schedule is None:
        return {}
    every = {name: schedule.of(name) for name in schedule.names}
    changes = [
        f"{name} {_course(values)}"
        for name, values in every.items()
        if len(set(values)) > 1
    ]
    parts = len(schedule.starts)
    epochs = f"{schedule.epochs} epoch{'s'[: schedule.epochs != 1]}"
    over = f"{epochs} in {parts} part{'s'[: parts != 1]}"
    return {"schedule": f"{'; '.join(changes) or 'constant'}; over {over}"}


def _course(values: Sequence[Any]) -> str:
    """Returns how a value changed, in a few words."""
    steps = [value for value, _ in itertools.groupby(values)]
    if len(steps) <= _FEW_STEPS:
        return ", then ".join(map(format_value, steps))
    text = f"{format_value(steps[0])} to {format_value(steps[-1])}"
    least, most = min(steps), max(steps)
    if {least, most} != {steps[0], steps[-1]}:
        text += f" (from {format_value(least)} to {format_value(most)} between)"
    return text


def ensemble_rows(
    ensemble: Mapping[str, Any] | None, folder: pathlib.Path
) -> dict[str, str]:
    """Returns the row of a summary on an ensemble, if there is one.

    Args:
        ensemble: That of a run's result.
        folder: The run's.
    """
    if not ensemble:
        return {}
    reached = ", ".join(
        f"{part} {scores_text(scores, ensemble['intervals'].get(part))}"
        for part, scores in ensemble["scores"].items()
    )
    what = f"ensemble of {len(ensemble['trials'])}"
    return {what: f"{reached}, in {folder / 'ensemble'}"}


def hyperparameters_text(hyperparameters: Mapping[str, object]) -> str:
    """Returns hyperparameters in one line."""
    return ", ".join(
        f"{name} {format_value(value)}"
        for name, value in hyperparameters.items()
    )


def _predict_command(folder):
    table = folder / "examples.csv"
    examples = table if table.exists() else folder / "examples.npz"
    return shlex.join(
        ["tfcourse", "predict", str(folder / "model"), str(examples)]
    )
