"""What a plot of a run shows, apart from drawing it."""

import math
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from tfcourse.tuning.panda.journal.journal import Entry, events, periods

Curve = tuple[list[int], list[float | None]]


class MarkStyle(NamedTuple):
    """How an event is marked in a plot.

    Attributes:
        colour: Of its line.
        dash: Likewise, as plotly calls it.
        name: What it is called.
    """

    colour: str
    dash: str
    name: str


MARK_STYLES = {
    "nudge": MarkStyle("#b45309", "dash", "nudge"),
    "rollback": MarkStyle("#b91c1c", "solid", "rollback"),
    "pause": MarkStyle("#64748b", "dot", "pause"),
    "restart": MarkStyle("#0f766e", "dot", "restart"),
}


def curves(entries: Iterable[Entry], names: Iterable[str]) -> dict[str, Curve]:
    """Returns the values of metrics or hyperparameters by step.

    Args:
        entries: Those of a journal.
        names: Which ones.

    Returns:
        A dict from name to a pair of lists: steps, and values or `None`.
    """
    reports = [
        (entry["step"], {**entry["metrics"], **entry["hyperparameters"]})
        for entry in periods(entries)
    ]
    found = {}
    for name in names:
        pairs = [(step, all_[name]) for step, all_ in reports if name in all_]
        found[name] = (
            [step for step, _ in pairs],
            [value if math.isfinite(value) else None for _, value in pairs],
        )
    return found


def marks(entries: Iterable[Entry]) -> list[tuple[int, str, str]]:
    """Returns what to mark: `(step, kind, text)`, the events that have one."""
    return [
        (entry["step"], entry["event"], event_text(entry))
        for entry in events(entries)
        if entry["event"] in MARK_STYLES
    ]


def names_to_plot(entries: Iterable[Entry]) -> tuple[list[str], list[str]]:
    """Returns the losses, and the hyperparameters that changed or rule."""
    metrics: dict[str, float] = {}
    settings: dict[str, set[float]] = {}
    for entry in periods(entries):
        metrics.update(entry["metrics"])
        for name, value in entry["hyperparameters"].items():
            settings.setdefault(name, set()).add(value)
    losses = [name for name in ("loss", "val_loss") if name in metrics]
    changed = [name for name, values in settings.items() if len(values) > 1]
    rates = ["learning_rate"] if "learning_rate" in settings else []
    return losses or list(metrics)[:2], rates or changed[:1]


def wants_logarithm(entries: Iterable[Entry], names: Sequence[str]) -> bool:
    """Returns whether curves are better drawn on a logarithmic axis."""
    values = [
        value
        for _, column in curves(entries, names).values()
        for value in column
        if value is not None
    ]
    return bool(values) and 0 < min(values) < max(values) / 10


def event_text(entry: Entry) -> str:
    """Returns what was done in an event, and why."""
    parts = [
        f"{name} {entry['before'][name]:g} → {after:g}"
        for name, after in entry.get("after", {}).items()
    ]
    if "to" in entry:
        parts.append(
            f"back to epoch {entry['to']['epoch']}, step {entry['to']['step']}"
        )
    return "; ".join([*parts, *([entry["why"]] if entry["why"] else [])])
