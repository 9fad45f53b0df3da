"""The course of a run as pictures: PNG, and a page that opens offline."""

import html
import json
import math
import pathlib
import string

from tfcourse.errors import InputError
from tfcourse.tuning.panda.control.run_folder import run_folder
from tfcourse.tuning.panda.journal.journal import (
    events,
    periods,
    read_journal,
    surviving,
)
from tfcourse.utils.atomic_files import replacing, write_text

# By which line and colour an event is marked, and what it is called.
MARKS = {
    "nudge": ("#b45309", "dash", "nudge"),
    "rollback": ("#b91c1c", "solid", "rollback"),
    "pause": ("#64748b", "dot", "pause"),
    "restart": ("#0f766e", "dot", "restart"),
}
_COLOURS = ("#1f77c9", "#e08a00", "#00926a", "#b95f97")


def draw_plots(run_dir, out=None):
    """Writes `panda.png` and `panda.html`: the loss with all that was done.

    Args:
        run_dir: The folder of the run, which may be going on.
        out: The folder to write to; by default that of the run.

    Returns:
        The paths of what was written.

    Raises:
        InputError: If there is no run, or its journal has no period yet.
    """
    folder = run_folder(run_dir)
    out = pathlib.Path(out) if out else folder
    entries = surviving(read_journal(folder))
    if not periods(entries):
        raise InputError(
            f"The journal in {folder} has no period yet. Wait for the end of "
            "the first."
        )
    title = pathlib.Path(run_dir).resolve().name
    return [
        write_picture(entries, title, out / "panda.png"),
        write_page(entries, title, out / "panda.html"),
    ]


def curves(entries, names):
    """Returns the values of metrics or hyperparameters by step.

    Args:
        entries: Those of a journal.
        names: Which ones.

    Returns:
        A dict from name to a pair of lists: steps, and values or `None`.
    """
    found = {}
    for name in names:
        pairs = [
            (entry["step"], {**entry["metrics"], **entry["hyperparameters"]})
            for entry in periods(entries)
        ]
        pairs = [(step, all_[name]) for step, all_ in pairs if name in all_]
        found[name] = (
            [step for step, _ in pairs],
            [value if math.isfinite(value) else None for _, value in pairs],
        )
    return found


def marks(entries):
    """Returns what to mark: `(step, kind, text)`, the events that have one."""
    return [
        (entry["step"], entry["event"], _told(entry))
        for entry in events(entries)
        if entry["event"] in MARKS
    ]


def write_picture(entries, title, path):
    """Writes the picture, with matplotlib."""
    from matplotlib.figure import Figure

    losses, rates = _names(entries)
    # Not by pyplot, which keeps every figure and wants a display.
    figure = Figure(figsize=(9, 5.5), layout="constrained")
    top, bottom = figure.subplots(2, 1, sharex=True, height_ratios=(3, 1))
    for axes, names in ((top, losses), (bottom, rates)):
        for colour, (name, (x, y)) in zip(
            _COLOURS, curves(entries, names).items(), strict=False
        ):
            y = [math.nan if value is None else value for value in y]
            step = "steps-post" if axes is bottom else "default"
            axes.plot(x, y, color=colour, label=name, drawstyle=step)
        axes.spines[["top", "right"]].set_visible(False)
        axes.grid(color="#e2e5e9")
        if names:
            axes.legend(frameon=False, fontsize=8)
        if _wants_logarithm(entries, names):
            axes.set_yscale("log")
    named = set()
    for step, kind, _ in marks(entries):
        colour, dash, name = MARKS[kind]
        style = {"dash": "--", "solid": "-", "dot": ":"}[dash]
        label = None if name in named else name
        named.add(name)
        for axes in (top, bottom):
            axes.axvline(
                step, color=colour, linestyle=style, linewidth=1, label=label
            )
            label = None
    # Above the picture, where no mark can cross it.
    top.legend(
        frameon=False,
        fontsize=8,
        ncols=6,
        loc="lower right",
        borderaxespad=0,
        bbox_to_anchor=(1, 1.01),
    )
    top.set_title(title, loc="left")
    top.set_ylabel("loss")
    bottom.set(xlabel="step")
    with replacing(path) as beside:
        figure.savefig(beside, dpi=150, format="png")
    return path


def write_page(entries, title, path):
    """Writes the page, with plotly's script in it."""
    import plotly.offline

    losses, rates = _names(entries)
    template = pathlib.Path(__file__).with_name("plots.html")
    rows = "".join(_row(entry) for entry in events(entries) if _tells(entry))
    last = periods(entries)[-1]
    text = string.Template(template.read_text(encoding="utf-8")).substitute(
        title=html.escape(title),
        sentence=html.escape(_sentence(entries, last)),
        rows=rows or '<tr><td colspan="4">nothing yet</td></tr>',
        plotly=plotly.offline.get_plotlyjs(),
        # No tag inside a string may end the script.
        content=json.dumps(
            {
                "losses": curves(entries, losses),
                "rates": curves(entries, rates),
                "marks": marks(entries),
                "kinds": MARKS,
                "log": [_wants_logarithm(entries, n) for n in (losses, rates)],
            }
        ).replace("<", "\\u003c"),
    )
    write_text(path, text)
    return path


def _names(entries):
    """Returns the losses, and the hyperparameters that changed or rule."""
    metrics, settings = {}, {}
    for entry in periods(entries):
        metrics.update(entry["metrics"])
        for name, value in entry["hyperparameters"].items():
            settings.setdefault(name, set()).add(value)
    losses = [name for name in ("loss", "val_loss") if name in metrics]
    changed = [name for name, values in settings.items() if len(values) > 1]
    rates = ["learning_rate"] if "learning_rate" in settings else []
    return losses or list(metrics)[:2], rates or changed[:1]


def _wants_logarithm(entries, names):
    values = [
        value
        for _, column in curves(entries, names).values()
        for value in column
        if value is not None
    ]
    return bool(values) and 0 < min(values) < max(values) / 10


def _told(entry):
    parts = [
        f"{name} {entry['before'][name]:g} → {after:g}"
        for name, after in entry.get("after", {}).items()
    ]
    if "to" in entry:
        parts.append(
            f"back to epoch {entry['to']['epoch']}, step {entry['to']['step']}"
        )
    return "; ".join([*parts, *([entry["why"]] if entry["why"] else [])])


def _tells(entry):
    return entry["event"] != "checkpoint"


def _row(entry):
    cells = (f"{entry['step']:,}", entry["event"], entry["who"], _told(entry))
    return (
        f"<tr>{''.join(f'<td>{html.escape(cell)}</td>' for cell in cells)}</tr>"
    )


def _sentence(entries, last):
    counts = {}
    for _, kind, _ in marks(entries):
        counts[kind] = counts.get(kind, 0) + 1
    told = ", ".join(
        f"{count} {MARKS[kind][2]}{'s' if count > 1 else ''}"
        for kind, count in counts.items()
    )
    metrics = ", ".join(f"{n} {v:.4g}" for n, v in last["metrics"].items())
    return (
        f"{last['step']:,} steps, {last['epoch']} epochs, {metrics}. "
        f"{told[:1].upper()}{told[1:]}{'.' if told else ''}"
    )
