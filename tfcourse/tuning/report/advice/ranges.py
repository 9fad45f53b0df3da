"""What was searched: epochs, ranges, trials, and what can be left out."""

from tfcourse.tuning.report.advice.advice import Advice, tune_command
from tfcourse.tuning.report.axes import position
from tfcourse.tuning.results.importance import Importances, enough_for
from tfcourse.tuning.results.search_results import SearchResults
from tfcourse.utils.text import format_score, format_value

_TOP = 10
# Beyond it a mean over fewer would not tell.
_FEWEST_TOP = 3
_EDGE = 0.02


def epochs_advice(results: SearchResults) -> list[Advice]:
    """Says so where the best trials were still getting better at the end."""
    epochs = results.manifest.get("settings", {}).get("epochs", 0)
    top = [r for r in results.best[:_TOP] if r.best_epoch]
    if epochs < 2 or not top:
        return []
    rising = [r for r in top if r.best_epoch >= epochs]
    best_rises = top[0].best_epoch >= epochs
    if not (best_rises or 2 * len(rising) > len(top)):
        return []
    verb = "falling" if results.direction == "min" else "rising"
    who = (
        f"{len(rising)} of the {len(top)} best trials were"
        if len(top) >= _FEWEST_TOP
        else "The best was"
    )
    return [
        Advice(
            f"Still {verb}: more epochs",
            f"{who} best in epoch {epochs}, the last.",
            tune_command(results, epochs=2 * epochs),
        )
    ]


def at_an_edge(results: SearchResults) -> list[str]:
    """Returns the names of settings of the best that end their scale."""
    best = results.best[0].hyperparameters
    return [
        axis.name
        for axis in results.axes
        if axis.kind != "category"
        and axis.name in best
        # There is nothing between few integers and beyond a share of 1.
        and not (axis.integer and axis.high - axis.low < 10)
        and not _EDGE <= position(axis, best[axis.name]) <= 1 - _EDGE
    ]


def edge_advice(results: SearchResults) -> list[Advice]:
    """Says so where the best trial lies at the edge of what was searched."""
    names = at_an_edge(results)
    if not names:
        return []
    best = results.best[0].hyperparameters
    values = " and ".join(f"{n} {format_value(best[n])}" for n in names)
    space = results.manifest.get("settings", {}).get("space", "")
    command, how = (), "Widen its bounds in your search space."
    if space == "course":
        command = tune_command(results, space="wide")
        how = "The wide space reaches further."
    return [
        Advice(
            "Best at the edge: widen",
            f"The best trial has {values}, at the end of the scale: values "
            f"beyond it may be better. {how}",
            command,
        )
    ]


def alone_advice(results: SearchResults, found: Importances) -> list[Advice]:
    """Says which hyperparameters need no search."""
    ended = len(results.best) + len(results.of_status("failed"))
    if ended < enough_for(len(found.shares)):
        return []
    best = results.best[0].hyperparameters
    names = [name for name in negligible(found) if name in best]
    if not names:
        return []
    held = [
        *results.manifest.get("settings", {}).get("fix", ()),
        *(f"{name}={_exact(best[name])}" for name in names),
    ]
    them = "it" if len(names) == 1 else "them"
    return [
        Advice(
            "Not worth searching",
            f"{_listed(names)} mattered little, or no more than by chance. "
            f"Fix {them}, and the trials are spent on what matters.",
            tune_command(results, fix=held),
        )
    ]


def negligible(found: Importances) -> list[str]:
    """Returns the hyperparameters that surely matter less than half a share.

    Their importance lies below half of an even share in nine of ten draws.
    """
    if len(found.shares) < 2:
        return []
    least = 0.5 / len(found.shares)
    return [name for name in found.shares if found.ranges[name][1] < least]


def trials_advice(results: SearchResults) -> list[Advice]:
    """Says so where the search still found better trials at its end."""
    ended = [r for r in results.records if r.status != "unfinished"]
    settings = results.manifest.get("settings", {})
    wanted = settings.get("trials")
    # Members of a population are in no order.
    if not wanted or settings.get("evolve") or len(ended) < 2 * _TOP:
        return []
    last = ended[-(len(ended) // 5) :]
    best = results.best[0]
    before = [r for r in results.best if r not in last]
    if best not in last or not before:
        return []
    return [
        Advice(
            "Still improving: run more trials",
            f"The best, trial {best.trial}, was among the last fifth of the "
            f"trials. It scored {format_score(best.score)}; the best before "
            f"it scored {format_score(before[0].score)}.",
            (
                *("tfcourse", "tune", "--resume", "--out"),
                *(_path(results), "--trials", str(2 * wanted)),
            ),
        )
    ]


def failures_advice(results: SearchResults) -> list[Advice]:
    """Says so where many trials failed, and what they have in common."""
    failed = results.of_status("failed")
    ended = len(failed) + len(results.best)
    if 5 * len(failed) < ended or not failed:
        return []
    text = f"{len(failed)} of {ended} trials failed."
    rates = [r.hyperparameters.get("learning_rate") for r in failed]
    fine = [r.hyperparameters.get("learning_rate") for r in results.best]
    if None not in rates + fine and min(rates) > max(fine):
        text += (
            f" All of them had a learning rate of {format_value(min(rates))} "
            f"or more, all the others one of {format_value(max(fine))} or "
            "less: trials are better spent on the smaller ones."
        )
    return [Advice("Many trials failed", text)]


def train_advice(results: SearchResults) -> list[Advice]:
    """Says how to use all examples once the choice is made."""
    settings = results.manifest.get("settings")
    if not settings or not results.manifest.get("result"):
        return []
    if settings.get("evolve"):
        # It would train with the last of a schedule's values throughout.
        return []
    why = (
        "The model that was kept learned from one fold's training set; this "
        "one learns from all of them."
        if settings.get("folds")
        else "The development set has done its work: training on it as well "
        "gives the best hyperparameters a third more examples."
    )
    return [
        Advice(
            "When you have chosen: train on more",
            why,
            ("tfcourse", "train", "--from", _path(results)),
        )
    ]


def _path(results):
    return str(results.folder.resolve())


def _exact(value):
    return f"{value:.6g}" if isinstance(value, float) else value


def _listed(names):
    if len(names) == 1:
        return names[0]
    return f"{', '.join(names[:-1])} and {names[-1]}"
