"""Pictures of a run, drawn without a screen and without `pyplot`'s state."""

import os
import pathlib
from collections.abc import Sequence
from typing import TYPE_CHECKING

from tfcourse.errors import InputError

if TYPE_CHECKING:
    import numpy as np

    from tfcourse.graph_mode.quadratic import Trajectory


def plot_path(
    path: "Trajectory",
    file: str | os.PathLike,
    title: str = "",
    minimum: float | None = None,
) -> None:
    """Draws how `w` and the cost went, step by step.

    Args:
        path: What `minimize_quadratic` returned.
        file: Where to: `.png`, `.pdf`, `.svg`, ...
        title: What stands above.
        minimum: Where `w` should go, if that is one place.

    Raises:
        InputError: If `file` is of a kind that matplotlib does not write.
    """
    figure = _figure(file)
    above, below = figure.subplots(2, sharex=True)
    above.plot(path.w, color="tab:blue")
    if minimum is not None:
        above.axhline(minimum, color="0.6", linestyle="--", linewidth=1)
        above.annotate(
            f"minimum at {minimum:g}",
            (1, minimum),
            xycoords=("axes fraction", "data"),
            textcoords="offset points",
            xytext=(-4, -4),
            horizontalalignment="right",
            verticalalignment="top",
            color="0.4",
        )
    above.set(ylabel="w", title=title)
    below.plot(path.cost, color="tab:red")
    below.set(ylabel="cost J(w)", xlabel="step")
    _write(figure, file)


def plot_costs(
    steps: "Sequence[int] | np.ndarray",
    costs: Sequence[float],
    file: str | os.PathLike,
    title: str = "",
    label: str = "cost of the mini-batch",
) -> None:
    """Draws a cost curve: the cost of each mini-batch, against the step."""
    figure = _figure(file)
    axes = figure.subplots()
    axes.plot(steps, costs, color="tab:red", linewidth=1)
    axes.set(xlabel="step", ylabel=label, title=title)
    axes.set_ylim(bottom=0)
    _write(figure, file)


def check_file(file: str | os.PathLike) -> None:
    """Raises an `InputError` unless a plot can be written to `file`."""
    from tfcourse.outputs import check_replaceable, is_picture

    _figure(file)
    check_replaceable(pathlib.Path(file), is_picture, "a picture of matplotlib")


def _figure(file):
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(7, 5), layout="constrained")
    kinds = FigureCanvasAgg(figure).get_supported_filetypes()
    kind = pathlib.Path(file).suffix.lstrip(".").lower()
    if kind not in kinds:
        raise InputError(
            f"A plot cannot be written to {file}: its name must end in one of "
            f"{', '.join(f'.{kind}' for kind in sorted(kinds))}."
        )
    return figure


def _write(figure, file):
    from tfcourse.utils.atomic_files import replacing

    check_file(file)
    for axes in figure.axes:
        axes.spines[["top", "right"]].set_visible(False)
        axes.grid(color="0.92")
    with replacing(file, keep_links=True) as beside:
        figure.savefig(beside, dpi=150)
