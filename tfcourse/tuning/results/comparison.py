"""Several searches side by side."""

from collections.abc import Sequence

from tfcourse.errors import InputError
from tfcourse.tuning.results.scores import headline
from tfcourse.tuning.results.search_results import SearchResults
from tfcourse.utils.text import format_score, format_value


def side_by_side(results: Sequence[SearchResults]) -> dict[str, list[str]]:
    """Returns what several searches did and found.

    Args:
        results: A list of `SearchResults`, two or more.

    Returns:
        A dict from the name of a row to a text for each search.

    Raises:
        InputError: If there are fewer than two.
    """
    if len(results) < 2:
        raise InputError(
            "compare needs the folders of two runs or more. Received: "
            f"{len(results)}."
        )
    described = [_described(one) for one in results]
    names = dict.fromkeys(name for one in described for name in one)
    return {name: [one.get(name, "") for one in described] for name in names}


def remarks(results: Sequence[SearchResults]) -> list[str]:
    """Returns sentences on which search did best, and whether that is fair."""
    sentences = []
    objectives = {(one.objective, one.direction) for one in results}
    data = {one.manifest.get("data", {}).get("fingerprint") for one in results}
    seeds = {one.manifest.get("settings", {}).get("seed") for one in results}
    if len(objectives) > 1:
        sentences.append(
            "They were judged by different metrics, so their scores cannot be "
            "compared."
        )
    elif any(one.best for one in results):
        sentences.append(_winner(results))
    if len(data) > 1:
        sentences.append(
            "They were run on different data, so their scores cannot be "
            "compared."
        )
    elif len(seeds) > 1:
        sentences.append(
            "Their seeds differ, so different examples were held out: "
            "differences of a few examples mean nothing."
        )
    return sentences


def _winner(results):
    better = max if results[0].direction == "max" else min
    best = better(
        (one for one in results if one.best),
        key=lambda one: one.best[0].score,
    )
    alike = [
        one
        for one in results
        if one.best and one.best[0].score == best.best[0].score
    ]
    folders = " and ".join(str(one.folder) for one in alike)
    return (
        f"{'Best' if len(alike) == 1 else 'Best alike'}: {folders}, "
        f"{best.objective} {format_score(best.best[0].score)}."
    )


def _described(one):
    settings = one.manifest.get("settings", {})
    result = one.manifest.get("result") or {}
    times = [r.seconds for r in one.records if r.seconds is not None]
    cells = {
        "run": str(one.folder),
        "data": one.name,
        **{
            name: format_value(settings[name])
            for name in ("space", "strategy", "epochs", "seed")
            if name in settings
        },
        "trials": f"{len(one.best)} completed, "
        f"{len(one.of_status('failed'))} failed",
        "training": f"{sum(times):.3g} s, "
        f"{sum(times) / max(len(times), 1):.2g} s per trial",
        f"best {one.objective}": (
            format_score(one.best[0].score) if one.best else "none completed"
        ),
    }
    if result:
        name, score = headline(result["test"])
        cells[f"test {name}"] = f"{score:.4f}"
    if one.best:
        cells |= {
            name: format_value(value)
            for name, value in one.best[0].hyperparameters.items()
        }
    return cells
