"""The choice of a run, tested again on new data."""

import dataclasses
import pathlib
from typing import Any

import numpy as np

from tfcourse.errors import InputError
from tfcourse.runs.prepared_data import PreparedData
from tfcourse.runs.settings import (
    Settings,
    check_device,
    objective_of,
    read_settings,
)
from tfcourse.runs.spaces import holding, load_space
from tfcourse.tuning.report.advice.advice import tune_command
from tfcourse.tuning.results.search_results import SearchResults, read_results
from tfcourse.tuning.retesting.retest import Retest, retest

# What says which rows compare trials; folds are drawn at random.
_OF_ROWS = ("split", "group", "time", "dev")


class RetestRun:
    """A test of the choice of a run on new data; nothing of it is changed.

    Args:
        folder: The folder of the run.
        data: As for `Settings`: the new data.
        seeds: As for `tuning.retest`.

    Attributes:
        results: What the old search found.
        settings: Those of the old run, of the new data.
        data: The `PreparedData`.
        before: The old data, or `None` if they are no longer there.

    Raises:
        InputError: If there is no such run, it has not completed a trial, or
            the new data cannot be used as the old ones were.
    """

    def __init__(
        self, folder: str | pathlib.Path, data: str, seeds: int
    ) -> None:
        self.results = read_results(folder)
        self.results.require_completed()
        old = read_settings(folder)
        _refuse_rows(old)
        check_device(old.device)
        self.settings = dataclasses.replace(old, data=data).resolved()
        loaded = PreparedData.load(self.settings)
        self.before = _still_there(old, self.results)
        self.data = loaded.with_dev_in_training()
        self.data.check_folds(seeds)
        self._seeds = seeds
        known = self.results.manifest["data"].get("task", self.data.task)
        if self.data.task != known:
            raise InputError(
                f"The search in {folder} was for a {known}, and {data} is one "
                f"for a {self.data.task}. Give data of the same kind, or start "
                "a new search with `tfcourse tune`."
            )

    def retest(self, draws: int, seed: int) -> Retest:
        """Returns what `tuning.retest` finds."""
        space = load_space(
            str(self.settings.space),
            self.data.input_shape,
            self.data.classes,
            self.data.task,
            objective_of(str(self.settings.objective)).name,
            len(self.data.split.train),
        )
        before = self.before and _features(self.before)
        return retest(
            self.results,
            holding(space, self.settings.fix),
            *self.data.part("train"),
            seeds=self._seeds,
            draws=draws,
            seed=seed,
            before=before,
            after=_features(self.data),
            epochs=self.settings.epochs,
            **self.data.fit_settings(self.settings),
        )

    def search_command(self, found: Retest) -> tuple[str, ...]:
        """Returns the words of a search that begins where a test points."""
        begin = {}
        if found.better:
            begin = found.better[0].point.values
        fixed = {word.partition("=")[0] for word in self.settings.fix}
        return tune_command(
            self.results,
            data=self.settings.data,
            begin=[f"{n}={v}" for n, v in begin.items() if n not in fixed],
        )


def _refuse_rows(settings: Settings) -> None:
    for name in _OF_ROWS:
        if getattr(settings, name):
            raise InputError(
                f"The run was started with --{name}, which says which rows "
                "compare trials. A retest draws them at random, and would mix "
                f"what --{name} keeps apart. Start a new search with "
                "`tfcourse tune`."
            )


def _still_there(
    settings: Settings, results: SearchResults
) -> PreparedData | None:
    """Returns the data of a run, if they are still what they were."""
    try:
        data = PreparedData.load(settings)
    except (InputError, OSError):
        return None
    known = results.manifest["data"]["fingerprint"]
    return data if data.dataset.fingerprint() == known else None


def _features(data: PreparedData) -> dict[str, np.ndarray]:
    """Returns what may drift: the raw features and the target, by name."""
    y: Any = data.dataset.y
    if data.task == "classification":
        y = np.array([str(label) for label in data.dataset.labels])[y]
    x = data.dataset.x
    if not isinstance(x, dict):
        flat = np.asarray(x).reshape(len(x), -1)
        names = data.dataset.feature_names or [
            str(n) for n in range(flat.shape[1])
        ]
        x = dict(zip(names, flat.T, strict=True))
    return {**x, "(target)": y}
