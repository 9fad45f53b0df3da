"""The best few models of a search as one SavedModel."""

import pathlib
from collections.abc import Mapping, Sequence
from typing import Any

import keras

from tfcourse.runs.artifacts import write_saved_model
from tfcourse.runs.prepared_data import PreparedData
from tfcourse.runs.scores import measured
from tfcourse.tuning.ensemble import Ensemble


def write_ensemble(
    models: Mapping[str, keras.Model], data: PreparedData, path: pathlib.Path
) -> dict[str, Any] | None:
    """Writes the mean of some models; returns how good it is.

    Args:
        models: From the id of a trial to what `with_preprocessing` returns of
            its network, the best first.
        data: What they were trained on.
        path: The folder to write.

    Returns:
        A dict that JSON can keep: the `trials`; `scores` and `intervals` of the
        development set, if there is one, and the test set. `None` if there are
        not two models.
    """
    if len(models) < 2:
        return None
    model = Ensemble(list(models.values())).model
    trials = list(models)
    found = {part: measured(model, data, part) for part in _parts(data)}
    scores = {part: one["scores"] for part, one in found.items()}
    write_saved_model(model, data, path, ensemble_of_trials=trials, **scores)
    return {
        "trials": trials,
        "scores": scores,
        "intervals": {part: one["intervals"] for part, one in found.items()},
    }


def _parts(data: PreparedData) -> Sequence[Any]:
    return ("dev", "test") if len(data.split.dev) else ("test",)
