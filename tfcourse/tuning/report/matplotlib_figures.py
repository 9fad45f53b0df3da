"""The report's main plots as pictures, by matplotlib."""

import pathlib

from tfcourse.outputs import check_replaceable, is_picture
from tfcourse.tuning.report.axes import plot_value, position, ticks
from tfcourse.tuning.report.importance_figures import what_mattered
from tfcourse.tuning.results.importance import TIERS, tier_of
from tfcourse.tuning.results.search_results import read_results
from tfcourse.utils.atomic_files import replacing
from tfcourse.utils.text import format_score

# Okabe and Ito's palette: told apart by colour-blind readers.
_COLORS = ("#0072b2", "#e69f00", "#009e73", "#cc79a7", "#d55e00")
# And without colours, too.
_DASHES = ("-", "--", "-.", (0, (8, 2)), (0, (8, 2, 2, 2)))
_MARKERS = ("o", "s", "D", "^", "P")
_GREY = "#9aa4b2"
_PAGE = {
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "grid.color": "#e2e5e9",
    "axes.axisbelow": True,
    "font.size": 10,
    "figure.constrained_layout.use": True,
    "savefig.dpi": 150,
    # A $ in a name begins no formula.
    "text.parse_math": False,
}


def write_pictures(source, folder):
    """Writes the main plots of a report as PNG files.

    `curves.png`, `progress.png`, `hyperparameters.png`, `parallel.png` and
    `importance.png`, those that there are data for.

    Args:
        source: As for `write_report`.
        folder: Where to write them; it is made where there is none.

    Returns:
        Their paths.

    Raises:
        InputError: As for `write_report`.
    """
    results = read_results(source)
    results.require_completed()
    # Imported late: the command line is to answer at once.
    import matplotlib.figure

    found = what_mattered(results)
    pictures = {
        "progress": lambda figure: _progress(figure, results),
    }
    if results.searched_axes:
        pictures["hyperparameters"] = lambda figure: _slices(figure, results)
        pictures["parallel"] = lambda figure: _parallel(figure, results)
    if any(r.curves.get(results.objective) for r in results.best):
        pictures["curves"] = lambda figure: _curves(figure, results)
    if found.shares:
        pictures["importance"] = lambda figure: _importance(figure, found)
    paths = []
    with matplotlib.rc_context(_PAGE):
        for name, draw in pictures.items():
            # Not by pyplot, which would open windows and keep figures.
            figure = matplotlib.figure.Figure(figsize=(8, 4.5))
            draw(figure)
            path = pathlib.Path(folder, f"{name}.png")
            check_replaceable(path, is_picture, "a picture of matplotlib")
            with replacing(path, keep_links=True) as beside:
                figure.savefig(beside, format="png")
            paths.append(path)
    return paths


def _curves(figure, results):
    axes = figure.subplots()
    name = results.objective
    best = [r for r in results.best if r.curves.get(name)]
    for place, record in reversed(list(enumerate(best))):
        values = record.curves[name]
        coloured = place < len(_COLORS)
        axes.plot(
            range(1, len(values) + 1),
            values,
            color=_COLORS[place] if coloured else _GREY,
            linewidth=1.8 if coloured else 0.7,
            linestyle=_DASHES[place] if coloured else "-",
            marker=_MARKERS[place] if coloured else None,
            markersize=3.5,
            alpha=1 if coloured else 0.5,
            label=f"trial {record.trial}: {format_score(record.score)}"
            if coloured
            else None,
        )
    axes.set(xlabel="epoch", ylabel=name, title="Learning curves")
    axes.xaxis.get_major_locator().set_params(integer=True)
    handles, labels = axes.get_legend_handles_labels()
    axes.legend(handles[::-1], labels[::-1], frameon=False)


def _progress(figure, results):
    axes = figure.subplots()
    place = {record.trial: n for n, record in enumerate(results.records, 1)}
    done = sorted(results.best, key=lambda record: place[record.trial])
    better = max if results.direction == "max" else min
    scores, best = [r.score for r in done], []
    for score in scores:
        best.append(better([*best[-1:], score]))
    x = [place[record.trial] for record in done]
    axes.step(x, best, where="post", color=_COLORS[0], label="best so far")
    axes.plot(x, scores, "o", color=_GREY, markersize=5, label="a trial")
    failed = [place[record.trial] for record in results.of_status("failed")]
    if failed:
        worst = [results.best[-1].score] * len(failed)
        axes.plot(failed, worst, "x", color=_COLORS[4], label="failed")
    axes.set(
        xlabel="trial, in order",
        ylabel=results.objective,
        title="How the search went",
    )
    axes.xaxis.get_major_locator().set_params(integer=True)
    axes.legend(frameon=False)


def _slices(figure, results):
    columns = min(3, len(results.searched_axes))
    rows = -(-len(results.searched_axes) // columns)
    figure.set_size_inches(3.2 * columns + 0.6, 2.8 * rows)
    grid = figure.subplots(rows, columns, sharey=True, squeeze=False)
    for plot in grid.flat[len(results.searched_axes) :]:
        plot.set_visible(False)
    last = results.rounds[-1]["regions"] if len(results.rounds) > 1 else []
    for axis, plot in zip(results.searched_axes, grid.flat, strict=False):
        _slice(plot, results, axis)
        for region in last:
            if region["name"] == axis.name and axis.kind != "category":
                ends = (region["low"], region["high"])
                plot.axvspan(
                    *(plot_value(axis, end) for end in ends),
                    color=_COLORS[0],
                    alpha=0.1,
                    linewidth=0,
                )
    for plot in grid[:, 0]:
        plot.set_ylabel(results.objective)


def _slice(plot, results, axis):
    done = [r for r in results.best if axis.name in r.hyperparameters]
    values = [record.hyperparameters[axis.name] for record in done]
    marks = ticks(axis)
    if axis.kind == "category":
        names = list(map(str, axis.values))
        x = [names.index(str(v)) if str(v) in names else 0 for v in values]
        plot.set_xticks(range(len(names)), names)
        plot.set_xlim(-0.5, len(names) - 0.5)
    else:
        x = [plot_value(axis, value) for value in values]
        if axis.kind != "linear":
            plot.set_xscale("log")
        plot.set_xticks(
            [plot_value(axis, mark) for mark in marks],
            [f"{mark:.12g}" for mark in marks],
        )
        plot.minorticks_off()
    plot.plot(x, [r.score for r in done], "o", color=_COLORS[0], alpha=0.7)
    if done and done[0] is results.best[0]:
        plot.plot(
            x[:1],
            [done[0].score],
            "o",
            markersize=13,
            markerfacecolor="none",
            markeredgewidth=2,
            markeredgecolor=_COLORS[4],
        )
    if axis.kind == "one_minus_log":
        plot.invert_xaxis()
    plot.set_xlabel(axis.name)


def _parallel(figure, results):
    axes = results.searched_axes
    figure.set_size_inches(1.5 * (len(axes) + 1) + 1, 4.5)
    plot = figure.subplots()
    records = results.best
    scores = [record.score for record in records]
    low, high = min(scores), max(scores)
    for place, record in reversed(list(enumerate(records))):
        share = 1 - place / max(len(records) - 1, 1)
        heights = [
            position(axis, record.hyperparameters[axis.name])
            if axis.name in record.hyperparameters
            else -0.15
            for axis in axes
        ]
        end = (record.score - low) / (high - low) if high > low else 1
        plot.plot(
            [*heights, end],
            color=_COLORS[4] if place == 0 else _COLORS[0],
            alpha=1 if place == 0 else 0.1 + 0.5 * share,
            linewidth=2.5 if place == 0 else 1,
        )
    for n, axis in enumerate(axes):
        plot.axvline(n, color=_GREY, linewidth=1)
        for mark in ticks(axis):
            text = f"{mark:.12g}" if isinstance(mark, float) else str(mark)
            plot.annotate(text, (n + 0.04, position(axis, mark)), fontsize=8)
    plot.axvline(len(axes), color=_GREY, linewidth=1)
    for y, score in ((0, low), (1, high)):
        plot.annotate(format_score(score), (len(axes) + 0.04, y), fontsize=8)
    names = [axis.name for axis in axes] + [results.objective]
    plot.set_xticks(range(len(names)), names)
    plot.set_yticks([])
    plot.set_xlim(-0.1, len(axes) + 0.6)
    plot.grid(False)
    plot.spines[:].set_visible(False)
    plot.set_title("All hyperparameters at once; the best is orange")


def _importance(figure, found):
    plot = figure.subplots()
    names = list(found.shares)[::-1]
    shares = [found.shares[name] for name in names]
    tiers = [tier_of(name) for name in names]
    spread = [
        [
            max(s - found.ranges[n][0], 0)
            for n, s in zip(names, shares, strict=True)
        ],
        [
            max(found.ranges[n][1] - s, 0)
            for n, s in zip(names, shares, strict=True)
        ],
    ]
    plot.barh(
        names,
        shares,
        xerr=spread,
        ecolor="#616b7a",
        color=[_GREY if tier is None else _COLORS[tier] for tier in tiers],
    )
    present = sorted({tier for tier in tiers if tier is not None})
    handles = [plot.barh(0, 0, color=_COLORS[tier]) for tier in present]
    plot.legend(
        handles,
        [f"in the course {TIERS[tier]}" for tier in present],
        frameon=False,
        fontsize=8,
        loc="lower right",
    )
    plot.set(xlabel="importance", title=f"What mattered, by {found.method}")
    plot.xaxis.set_major_formatter(lambda share, _: f"{share:.0%}")
