"""Points to begin a search with."""

from typing import Any

from tfcourse.tuning.results.search_results import Source, read_results


def best_points(source: Source, count: int = 1) -> list[dict[str, Any]]:
    """Returns the hyperparameters of the best trials of an older search.

    They are what `initial_points` of a new search takes.

    Args:
        source: A tuner, the folder of a run of `tfcourse tune`, or a
            keras-tuner project folder.
        count: How many.

    Returns:
        A list of dicts from name to value, the best first; fewer than `count`
        if fewer trials completed.

    Raises:
        InputError: If there is no search, or no trial of it completed.
    """
    results = read_results(source)
    results.require_completed()
    # Who is best by the mean over seeds comes before the others.
    first = results.winner
    best = [first, *(r for r in results.best if r is not first)]
    return [_own(record.hyperparameters) for record in best[:count]]


def _own(values):
    # What Hyperband adds for itself is none of a search space.
    return {n: v for n, v in values.items() if not n.startswith("tuner/")}
