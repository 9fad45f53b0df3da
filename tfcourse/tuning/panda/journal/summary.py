"""What is told of a run, a name and a text a row."""

import itertools
import math
from collections.abc import Iterator, Sequence
from typing import Any

from tfcourse.utils.text import duration

_BARS = "▁▂▃▄▅▆▇█"
# These show the run's health; checkpoints and starts are its daily bread.
_TOLD = (
    "nudge",
    "rollback",
    "pause",
    "resume",
    "stop",
    "refuse",
    "damage",
    "give up",
)


def status_rows(status: Any) -> Iterator[tuple[str, str]]:
    """Yields what a `Status` tells, as names and texts."""
    published = status.published
    yield "state", state_line(status)
    if status.periods:
        last = status.periods[-1]
        epochs = published["epochs"] or "?"
        at = f"{last['epoch']} of {epochs}, step {last['step']:,}"
        yield "epochs", f"{at}, {duration(last['seconds'])}"
        losses = [p["metrics"].get("loss", math.nan) for p in status.periods]
        yield "loss", sparkline(losses)
        for name, value in last["metrics"].items():
            yield f"  {name}", f"{value:.5g}"
        if "gradient_norm" in last:
            yield "  gradient norm", f"{last['gradient_norm']:.5g}"
    if published["best"]:
        best = published["best"]
        yield "best", f"{best['name']} {best['value']:.5g}"
    for name, setting in published["hyperparameters"].items():
        yield f"  {name}", f"{setting['value']:g} in {setting['interval']}"
    kept = published["checkpoints"]
    if kept:
        yield "rollback to", ", ".join(map(_checkpoint, kept))
    if status.damaged:
        lines = "line is" if status.damaged == 1 else "lines are"
        yield (
            "journal",
            f"{status.damaged} {lines} damaged in journal.jsonl, and left out",
        )
    for event in [e for e in status.events if e["event"] in _TOLD][-5:]:
        yield event["event"], _event(event)


def state_line(status: Any) -> str:
    """Returns the state of a run, its process, and how long ago it wrote."""
    line = status.state
    if status.alive:
        line += f", process {status.published['pid']}"
        line += f" on {status.published['host']}"
    if status.seconds_ago is not None:
        line += f"; last entry {duration(status.seconds_ago)} ago"
    return line


def _checkpoint(kept: dict[str, Any]) -> str:
    return f"step {kept['step']}" if kept["batch"] else f"epoch {kept['epoch']}"


def _event(event: dict[str, Any]) -> str:
    parts = [f"step {event['step']:,}", event["who"]]
    for name, after in event.get("after", {}).items():
        parts.append(f"{name} {event['before'][name]:g} → {after:g}")
    if "to" in event:
        parts.append(f"to {_checkpoint(event['to'])}")
    return ", ".join([*parts, *([event["why"]] if event["why"] else [])])


def sparkline(values: Sequence[float], width: int = 40) -> str:
    """Returns a line of bars, one a value; `!` where it is not finite.

    More than `width` values are averaged in groups.

    >>> sparkline([3.0, 2.0, 1.0])
    '█▄▁'
    """
    values = _grouped(values, width)
    finite = [v for v in values if math.isfinite(v)]
    low, high = (min(finite), max(finite)) if finite else (0, 0)
    return "".join(_bar(v, low, high) for v in values)


def _bar(value: float, low: float, high: float) -> str:
    if not math.isfinite(value):
        return "!"
    share = (value - low) / (high - low) if high > low else 0
    return _BARS[round(share * (len(_BARS) - 1))]


def _grouped(values: Sequence[float], width: int) -> Sequence[float]:
    if len(values) <= width:
        return values
    edges = [round(n * len(values) / width) for n in range(width + 1)]
    parts = [values[a:b] for a, b in itertools.pairwise(edges)]
    return [sum(part) / len(part) for part in parts]
