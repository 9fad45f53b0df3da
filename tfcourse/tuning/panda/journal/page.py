"""The course of a run as a page that opens offline, by plotly."""

import collections
import html
import json
import pathlib
import secrets
import string
from collections.abc import Sequence

from tfcourse.outputs import check_replaceable, is_page
from tfcourse.tuning.panda.journal.curves import (
    MARK_STYLES,
    Curve,
    curves,
    event_text,
    marks,
    names_to_plot,
    wants_logarithm,
)
from tfcourse.tuning.panda.journal.journal import Entry, events, periods
from tfcourse.utils.atomic_files import write_text
from tfcourse.utils.text import escaped


def write_page(
    entries: Sequence[Entry], title: str, path: pathlib.Path
) -> pathlib.Path:
    """Writes the page, with plotly's script in it.

    Args:
        entries: Those of a journal, with one period at least.
        title: What to write above it.
        path: The file.

    Returns:
        The path.
    """
    import plotly.offline

    template = pathlib.Path(__file__).with_name("page.html")
    rows = "".join(
        _row(entry)
        for entry in events(entries)
        if entry["event"] != "checkpoint"
    )
    text = string.Template(template.read_text(encoding="utf-8")).substitute(
        # No script runs but those of the page itself.
        nonce=secrets.token_urlsafe(),
        title=html.escape(title),
        sentence=html.escape(_summary(entries)),
        rows=rows or '<tr><td colspan="4">nothing yet</td></tr>',
        plotly=plotly.offline.get_plotlyjs(),
        # No tag inside a string may end the script.
        content=json.dumps(_content(entries)).replace("<", "\\u003c"),
    )
    check_replaceable(path, is_page, "a page of tfcourse")
    write_text(path, text, keep_links=True)
    return path


def _content(entries: Sequence[Entry]) -> dict[str, object]:
    """Returns what the script of the page draws, for JSON."""
    losses, rates = names_to_plot(entries)
    return {
        "losses": _named(curves(entries, losses)),
        "rates": _named(curves(entries, rates)),
        "marks": [(s, kind, escaped(text)) for s, kind, text in marks(entries)],
        "kinds": MARK_STYLES,
        "log": [wants_logarithm(entries, n) for n in (losses, rates)],
    }


def _named(curves: dict[str, Curve]) -> dict[str, Curve]:
    return {escaped(name): curve for name, curve in curves.items()}


def _row(entry: Entry) -> str:
    cells = (
        f"{entry['step']:,}",
        entry["event"],
        entry["who"],
        event_text(entry),
    )
    return (
        f"<tr>{''.join(f'<td>{html.escape(cell)}</td>' for cell in cells)}</tr>"
    )


def _summary(entries: Sequence[Entry]) -> str:
    last = periods(entries)[-1]
    metrics = ", ".join(f"{n} {v:.4g}" for n, v in last["metrics"].items())
    counts = collections.Counter(kind for _, kind, _ in marks(entries))
    events_ = ", ".join(
        f"{count} {MARK_STYLES[kind].name}{'s' if count > 1 else ''}"
        for kind, count in counts.items()
    )
    return (
        f"{last['step']:,} steps, {last['epoch']} epochs, {metrics}. "
        f"{events_[:1].upper()}{events_[1:]}{'.' if events_ else ''}"
    )
