"""How a run of Panda looks on a terminal."""

import math

from rich.table import Table
from rich.text import Text

from tfcourse.cli.terminal.tables import key_value_table
from tfcourse.tuning.panda.journal.status import Status, sparkline
from tfcourse.utils.text import duration, printable

_COLOURS = {
    "running": "green",
    "paused": "yellow",
    "finished": "green",
    "stopped": "yellow",
    "killed": "red",
    "gave up": "red",
}
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


def table_of(status: Status) -> Table:
    """Returns the rich table of a `Status`."""
    return key_value_table(_rows(status))


def _rows(status):
    published = status.published
    yield "state", _state(status)
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


def _state(status):
    text = Text(printable(status.state), style=_COLOURS.get(status.state, ""))
    if status.alive:
        text.append(f", process {status.published['pid']}", style="")
        text.append(f" on {printable(status.published['host'])}")
    if status.seconds_ago is not None:
        text.append(f"; last entry {duration(status.seconds_ago)} ago")
    return text


def _checkpoint(kept):
    return f"step {kept['step']}" if kept["batch"] else f"epoch {kept['epoch']}"


def _event(event):
    parts = [f"step {event['step']:,}", event["who"]]
    for name, after in event.get("after", {}).items():
        parts.append(f"{name} {event['before'][name]:g} → {after:g}")
    if "to" in event:
        parts.append(f"to {_checkpoint(event['to'])}")
    return ", ".join([*parts, *([event["why"]] if event["why"] else [])])
