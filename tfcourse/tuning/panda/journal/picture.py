"""The course of a run as a picture, by matplotlib."""

import math
import pathlib
from collections.abc import Sequence
from typing import Any

from tfcourse.outputs import check_replaceable, is_picture
from tfcourse.tuning.panda.journal.curves import (
    MARK_STYLES,
    curves,
    marks,
    names_to_plot,
    wants_logarithm,
)
from tfcourse.tuning.panda.journal.journal import Entry
from tfcourse.utils.atomic_files import replacing
from tfcourse.utils.text import without_mathtext

_COLOURS = ("#1f77c9", "#e08a00", "#00926a", "#b95f97")
_LINE_STYLES = {"dash": "--", "solid": "-", "dot": ":"}


def write_picture(
    entries: Sequence[Entry], title: str, path: pathlib.Path
) -> pathlib.Path:
    """Writes the picture.

    Args:
        entries: Those of a journal.
        title: What to write above it.
        path: The file.

    Returns:
        The path.
    """
    from matplotlib.figure import Figure

    # Not by pyplot, which keeps every figure and wants a display.
    figure = Figure(figsize=(9, 5.5), layout="constrained")
    top, bottom = figure.subplots(2, 1, sharex=True, height_ratios=(3, 1))
    losses, rates = names_to_plot(entries)
    _draw_curves(top, entries, losses, "default")
    _draw_curves(bottom, entries, rates, "steps-post")
    _draw_marks(top, bottom, entries)
    # Above the picture, where no mark can cross it.
    top.legend(
        frameon=False,
        fontsize=8,
        ncols=6,
        loc="lower right",
        borderaxespad=0,
        bbox_to_anchor=(1, 1.01),
    )
    top.set_title(without_mathtext(title), loc="left")
    top.set_ylabel("loss")
    bottom.set(xlabel="step")
    check_replaceable(path, is_picture, "a picture of matplotlib")
    with replacing(path, keep_links=True) as beside:
        figure.savefig(beside, dpi=150, format="png")
    return path


def _draw_curves(
    axes: Any, entries: Sequence[Entry], names: Sequence[str], drawstyle: str
) -> None:
    for colour, (name, (x, y)) in zip(
        _COLOURS, curves(entries, names).items(), strict=False
    ):
        y = [math.nan if value is None else value for value in y]
        axes.plot(
            x,
            y,
            color=colour,
            label=without_mathtext(name),
            drawstyle=drawstyle,
        )
    axes.spines[["top", "right"]].set_visible(False)
    axes.grid(color="#e2e5e9")
    if names:
        axes.legend(frameon=False, fontsize=8)
    if wants_logarithm(entries, names):
        axes.set_yscale("log")


def _draw_marks(top: Any, bottom: Any, entries: Sequence[Entry]) -> None:
    named = set()
    for step, kind, _ in marks(entries):
        colour, dash, name = MARK_STYLES[kind]
        style = {
            "color": colour,
            "linestyle": _LINE_STYLES[dash],
            "linewidth": 1,
        }
        # Once in the legend.
        top.axvline(step, label=None if name in named else name, **style)
        bottom.axvline(step, **style)
        named.add(name)
