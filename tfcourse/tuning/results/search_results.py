"""All that is known of a search, read from its files."""

import contextlib
import dataclasses
import functools
import os
import pathlib
from typing import TYPE_CHECKING, Any, TypeAlias

from tfcourse.errors import InputError
from tfcourse.tuning.results.axes import HyperparameterAxis, read_axes
from tfcourse.tuning.results.manifest import (
    EVALUATION,
    FILE,
    read_manifest,
    readable_or_input_error,
)
from tfcourse.tuning.results.replication.replicates import Replicates
from tfcourse.tuning.results.trials import (
    TrialRecord,
    ranked,
    read_groups,
    read_records,
)
from tfcourse.utils.atomic_files import read_json
from tfcourse.utils.shapes import ANY, DAMAGED, SCALAR, check_shape

if TYPE_CHECKING:
    import keras_tuner

Source: TypeAlias = "SearchResults | keras_tuner.Tuner | str | pathlib.Path"

_REGION = {
    "name": str,
    "axis": str,
    "when": {str: [SCALAR]},
    "values?": [SCALAR],
    "low?": float,
    "high?": float,
}
# What every use of a run relies on.
_MANIFEST = {
    "data": dict.fromkeys(
        ("name", "source", "fingerprint", "train", "dev", "test"), ANY
    ),
    "settings": dict.fromkeys(("space", "seed", "trials", "epochs"), ANY),
    "objective": {"name": ANY, "direction": ANY},
    "versions": {"tfcourse": ANY},
    "result?": ({"test": ANY}, None),
}
_ORACLE = {"rounds?": [{"trials": [str], "regions": [_REGION]}]}
_OF_A_SET = {
    "scores": {str: float},
    "examples": int,
    "intervals": {str: [float, float]},
    "labels?": [str],
    "confusion?": [[int]],
    "classes?": {str: {str: float}},
    "y?": [float],
    "predicted?": [float],
}
_EVALUATION = {"train?": _OF_A_SET, "dev?": _OF_A_SET, "test": _OF_A_SET}


@dataclasses.dataclass(frozen=True)
class SearchResults:
    """All that is known of a search.

    Attributes:
        folder: The run's folder, or the keras-tuner project's.
        objective: Name of the metric that was searched by.
        direction: `"max"` or `"min"`.
        records: A list of `TrialRecord`, in order of start.
        axes: A list of `HyperparameterAxis`.
        rounds: Those of a coarse-to-fine search, as the file of its oracle has
            them.
        groups: How the trials were trained, as `Caviar.groups`.
        manifest: What `run.json` says; empty for a bare project.
        evaluation: For each set how good the best model is on it; empty as
            long as there is none.
    """

    folder: pathlib.Path
    objective: str
    direction: str
    records: list[TrialRecord] = dataclasses.field(default_factory=list)
    axes: list[HyperparameterAxis] = dataclasses.field(default_factory=list)
    rounds: list[dict[str, Any]] = dataclasses.field(default_factory=list)
    groups: list[dict[str, Any]] = dataclasses.field(default_factory=list)
    manifest: dict[str, Any] = dataclasses.field(default_factory=dict)
    evaluation: dict[str, dict[str, Any]] = dataclasses.field(
        default_factory=dict
    )

    @property
    def name(self) -> str:
        """What was searched on."""
        return self.manifest.get("data", {}).get("name", self.folder.name)

    @functools.cached_property
    def best(self) -> list[TrialRecord]:
        """The completed records, the best first."""
        return ranked(self.records, self.direction)

    @property
    def replicates(self) -> list[Replicates]:
        """Of a finished run the trials that were trained with several seeds,
        the best mean first.
        """
        found = (self.manifest.get("result") or {}).get("replicates", [])
        return [
            Replicates(
                one["trial"],
                one["hyperparameters"],
                tuple(one["scores"]),
                self.direction,
            )
            for one in found
        ]

    @property
    def winner(self) -> TrialRecord:
        """The trial that is chosen: of the best mean over seeds, where some
        were trained so, or else of the best score.
        """
        for one in self.replicates[:1]:
            return next(r for r in self.best if r.trial == one.trial)
        return self.best[0]

    @property
    def searched_axes(self) -> list[HyperparameterAxis]:
        """The axes of hyperparameters that are not held at one value."""
        return [axis for axis in self.axes if axis.varies]

    def of_status(self, status: str) -> list[TrialRecord]:
        """Returns the records of that status."""
        return [record for record in self.records if record.status == status]

    @property
    def damaged(self) -> list[TrialRecord]:
        """The records of trials whose files cannot be read."""
        return [record for record in self.records if record.damaged]

    def require_completed(self) -> None:
        """Raises an `InputError` unless a trial has completed."""
        if self.best:
            return
        failed = self.of_status("failed")
        begun = len(self.records) - len(failed)
        if failed:
            reason = f"The first failed because: {failed[0].message or '?'}."
        else:
            reason = "There is nothing to show yet."
        raise InputError(
            f"No trial in {self.folder} has completed ({len(failed)} failed, "
            f"{begun} unfinished). {reason} Continue it with `tfcourse tune "
            f"--resume --out {self.folder}`."
        )


def read_results(source: Source) -> SearchResults:
    """Returns the `SearchResults` of a search.

    Args:
        source: A keras-tuner tuner, the folder of a run of `tfcourse tune`, or
            a keras-tuner project folder. A search that is still running can be
            read. `SearchResults` are returned as they are.

    Raises:
        InputError: If there is no search, or its files cannot be understood.
    """
    if isinstance(source, SearchResults):
        return source
    if not isinstance(source, str | os.PathLike):
        objective = source.oracle.objective
        folder = pathlib.Path(source.project_dir)
        return _read(
            SearchResults(folder, objective.name, objective.direction), folder
        )
    folder = pathlib.Path(source)
    if (folder / "oracle.json").exists() and not (folder / FILE).exists():
        return _read(SearchResults(folder, *_objective_of(folder)), folder)
    return _read_run(folder)


def _read_run(folder):
    manifest = read_manifest(folder, "search")
    with readable_or_input_error(folder / FILE):
        check_shape(manifest, _MANIFEST)
    results = SearchResults(
        folder,
        manifest["objective"]["name"],
        manifest["objective"]["direction"],
        manifest=manifest,
        evaluation=_evaluation(folder, manifest),
    )
    project = folder / "search"
    if not (project / "oracle.json").exists() and not read_records(project):
        # Killed before the first trial began.
        return results
    return _read(results, project)


def _evaluation(folder, manifest):
    path = folder / EVALUATION
    # One that goes on has none of its own yet.
    if not (manifest.get("result") and path.exists()):
        return {}
    with readable_or_input_error(path):
        return read_json(path, _EVALUATION)


def _read(results, project):
    with readable_or_input_error(project / "oracle.json"):
        oracle = read_json(project / "oracle.json", _ORACLE)
        rounds = oracle.get("rounds", [])
    return dataclasses.replace(
        results,
        records=read_records(project),
        axes=read_axes(project),
        rounds=rounds,
        groups=read_groups(project),
    )


def _objective_of(project):
    """Returns name and direction of the metric a project was searched by.

    keras-tuner does not write them down, but the score of a trial is the value
    of that metric at its best epoch.
    """
    found = None
    for path in sorted(project.glob("trial_*/trial.json")):
        # Those of damaged trials are left out.
        with contextlib.suppress(OSError, *DAMAGED):
            state = read_json(path)
            if state["status"] == "COMPLETED":
                matching = _matching(state)
                found = [m for m in found or matching if m in matching]
    if not found:
        raise InputError(
            f"It is not known by which metric {project} was searched, as no "
            "trial in it has completed. Continue the search."
        )
    return min(found, key=lambda metric: not metric[0].startswith("val_"))


def _matching(state):
    at_best = {"step": state["best_step"], "value": [state["score"]]}
    return [
        (name, metric["direction"])
        for name, metric in state["metrics"]["metrics"].items()
        if at_best in metric["observations"]
    ]
