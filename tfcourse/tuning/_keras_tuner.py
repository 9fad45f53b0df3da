"""What tfcourse needs of keras-tuner 1.4 and its documentation leaves out.

Private and deep names of keras-tuner stand here and nowhere else, and each of
them in `tests/tuning/test_keras_tuner.py`, which fails when one is gone.
"""

import contextlib
import errno
import functools
import logging
import math
import os
import pathlib
from collections.abc import Callable, Iterator
from typing import Any

import keras_tuner
from keras_tuner.engine import hyperparameters
from keras_tuner.engine.base_tuner import BaseTuner
from keras_tuner.engine.trial import Trial, TrialStatus
from keras_tuner.src.engine.tuner_utils import SaveBestEpoch

from tfcourse.utils import global_state
from tfcourse.utils.atomic_files import read_json, set_aside
from tfcourse.utils.machine.disk import disk_error
from tfcourse.utils.shapes import ANY, DAMAGED, SCALAR, check_shape

__all__ = [
    "GridHooks",
    "OracleHooks",
    "Trial",
    "TrialStatus",
    "TunerHooks",
    "build_config_path",
    "build_model",
    "checkpoint_path",
    "continue_grid_after",
    "forget_results",
    "has_chief",
    "has_search",
    "hyperparameters",
    "mark_tried",
    "oracle_path",
    "report_results",
    "restore_grid",
    "run_and_report",
    "set_retry_queue",
    "trial_folder",
    "tuner_path",
    "waiting_again",
    "was_tried",
    "writes_its_own_files",
]

_log = logging.getLogger(__name__)


# A tuner


class TunerHooks(keras_tuner.Tuner):
    """A `keras_tuner.Tuner` with hooks where it has private methods.

    Attributes:
        hypermodel: The `keras_tuner.HyperModel`, or None.
        oracle: The oracle.
    """

    hypermodel: Any
    oracle: Any
    _settings: dict[str, Any] = {}  # noqa: RUF012

    def on_execution_begin(self, trial: Trial) -> None:
        """Called before a model is built and fitted for a trial."""

    def on_model_built(
        self, model: Any, hp: keras_tuner.HyperParameters
    ) -> None:
        """Called with each model that the hypermodel built."""

    def objective_of_epochs(self) -> Any:
        """Returns by what the epoch is chosen whose weights are kept."""
        return self.oracle.objective

    def explore_space(self) -> None:
        """Builds models until all conditional hyperparameters are known."""
        super()._activate_all_conditions()

    def reload(self) -> None:
        """Reads a search; of a file of the tuner's own it can do without."""
        self.oracle.reload()
        path = tuner_path(self)
        try:
            with _no_file_is_damage():
                state = read_json(path)
        except FileNotFoundError:
            return
        except ValueError as error:
            aside = set_aside(path)
            _log.error("%s is damaged, and now %s: %s", path, aside, error)
        else:
            self.set_state(state)

    def _populate_initial_space(self):
        # keras-tuner begins anew, and over all trials, without a tuner's file.
        if has_search(self):
            self.reload()
        else:
            super()._populate_initial_space()

    def _build_and_fit_model(self, trial, *args, **kwargs):
        self.on_execution_begin(trial)
        for callback in kwargs.get("callbacks", ()):
            if isinstance(callback, SaveBestEpoch):
                callback.objective = self.objective_of_epochs()
        return super()._build_and_fit_model(trial, *args, **kwargs)

    def _run_and_update_trial(self, trial, *args, **kwargs):
        with _ending_the_search(self.project_dir):
            super()._run_and_update_trial(trial, *args, **kwargs)

    def _try_build(self, hp):
        # It begins with `clear_session`, which forgets the user's settings.
        self._settings = global_state.settings()
        return super()._try_build(hp)

    def _build_hypermodel(self, hp):
        kept, self._settings = self._settings, {}
        global_state.restore_settings(kept)
        model = super()._build_hypermodel(hp)
        self.on_model_built(model, hp)
        return model

    def _activate_all_conditions(self):
        self.explore_space()


@contextlib.contextmanager
def _ending_the_search(project: str) -> Iterator[None]:
    """Lets a trial in which the disk fails end the search, and not itself."""
    try:
        yield
    except Exception as error:
        if found := disk_error(error, project):
            raise keras_tuner.errors.FatalError(found) from error
        raise


def build_model(
    tuner: keras_tuner.Tuner, hp: keras_tuner.HyperParameters
) -> Any:
    """Returns what a tuner's hypermodel builds, compiled as the tuner says."""
    return tuner._build_hypermodel(hp)


def run_and_report(
    tuner: keras_tuner.Tuner, trial: Trial, *args, **kwargs
) -> None:
    """Runs a trial, reports its results to the oracle, and sets its status."""
    tuner._try_run_and_update_trial(trial, *args, **kwargs)


def report_results(
    oracle: keras_tuner.Oracle, trial: Trial, results: Callable[[Trial], Any]
) -> None:
    """Does as `run_and_report`, for a trial that has been trained already.

    Args:
        oracle: The oracle that the trial is of.
        trial: The trial.
        results: A function that returns for the trial what `Tuner.run_trial`
            would, or raises what it would.
    """
    _ResultsReporter(oracle, results)._try_run_and_update_trial(trial)


class _ResultsReporter(BaseTuner):
    """Has of a tuner only what reports results to the oracle."""

    def __init__(self, oracle, results):
        # A tuner's own would reload the search.
        self.oracle = oracle
        self._results = results

    def run_trial(self, trial, *fit_args, **fit_kwargs):
        return self._results(trial)


def checkpoint_path(tuner: keras_tuner.Tuner, trial_id: str) -> pathlib.Path:
    """Returns where a tuner keeps the weights of a trial."""
    return pathlib.Path(tuner._get_checkpoint_fname(trial_id))


def build_config_path(tuner: keras_tuner.Tuner, trial_id: str) -> pathlib.Path:
    """Returns where a tuner keeps with what shapes a model was built."""
    return pathlib.Path(tuner._get_build_config_fname(trial_id))


def tuner_path(tuner: BaseTuner) -> pathlib.Path:
    """Returns where a tuner keeps its own state."""
    return pathlib.Path(tuner._get_tuner_fname())


def has_search(tuner: BaseTuner) -> bool:
    """Whether a search was begun in a tuner's project."""
    project = pathlib.Path(tuner.project_dir)
    return (
        tuner_path(tuner).exists()
        or os.path.lexists(project / "oracle.json")
        or any(map(_has_ended, project.glob("trial_*/trial.json")))
    )


def _has_ended(path: pathlib.Path) -> bool:
    with contextlib.suppress(OSError, ValueError):
        status = read_json(path, {"status": str})["status"]
        return status in (TrialStatus.COMPLETED, TrialStatus.FAILED)
    return False


# A chief


def has_chief() -> bool:
    """Whether keras-tuner is set to let a chief hand out the trials."""
    return "KERASTUNER_ORACLE_IP" in os.environ


# An oracle


class OracleHooks(keras_tuner.Oracle):
    """A `keras_tuner.Oracle` with hooks where it has private methods."""

    def write_trial(self, trial: Trial) -> None:
        """Writes a trial's file."""
        super()._save_trial(trial)

    def reload(self) -> None:
        """Reads the files of a search; trials that are damaged are not there.

        keras-tuner's own takes the path of the project for a pattern, so that
        it finds no trial below a folder with brackets in its name.
        """
        state = read_json(oracle_path(self), _ORACLE)
        _check_settings(self, state)
        for path in pathlib.Path(self._project_dir).glob("trial_*/trial.json"):
            with contextlib.suppress(*DAMAGED), _no_file_is_damage():
                trial = Trial.from_state(read_json(path, _TRIAL))
                _check_values(trial.hyperparameters)
                self.trials[trial.trial_id] = trial
        self.set_state(state | {"ongoing_trials": {}})
        _check_space(self.hyperparameters)

    def draw_again(self, trial_id: str) -> Trial:
        """Returns a trial in the place of one whose file is lost."""
        self._tried_so_far.discard(self._id_to_hash.pop(trial_id, None))
        drawn = self.populate_space(trial_id)
        hp = self.get_space()
        hp.values = drawn["values"] or {p.name: p.default for p in hp.space}
        trial = Trial(hp, trial_id, TrialStatus.RUNNING)
        self._record_values(trial)
        return trial

    def _save_trial(self, trial):
        self.write_trial(trial)


@contextlib.contextmanager
def _no_file_is_damage() -> Iterator[None]:
    """Takes what is no file for a damaged one; not what a disk fails to read.

    The trial would be drawn again, and its file written over.
    """
    try:
        yield
    except OSError as error:
        if error.errno not in (errno.EISDIR, errno.ELOOP, errno.EINVAL):
            raise
        raise ValueError(str(error)) from error


def _check_settings(oracle: keras_tuner.Oracle, state: dict) -> None:
    """Raises for what an oracle of keras-tuner's own cannot go on with."""
    for kind, (shape, least) in _OF_KINDS.items():
        if isinstance(oracle, kind):
            check_shape(state, shape)
            for name, bound in least.items():
                if not bound <= state[name] < math.inf:
                    raise ValueError(f"{name} is {state[name]}")
    times = state.get("hyperband_iterations", 1)
    if times != math.inf and not (times >= 1 and times % 1 == 0):
        raise ValueError(f"hyperband_iterations is {times}")


def _check_space(hp: keras_tuner.HyperParameters) -> None:
    """Raises for what cannot be drawn from."""
    for parameter in hp.space:
        if not isinstance(parameter.name, str):
            raise ValueError(f"{parameter.name} is no name")
        parameter.random_sample(0)


def _check_values(hp: keras_tuner.HyperParameters) -> None:
    """Raises for values that do not lie on the scales of their space."""
    _check_space(hp)
    for parameter in hp.space:
        if parameter.name in hp.values:
            place = parameter.value_to_prob(hp.values[parameter.name])
            if not math.isfinite(place):
                raise ValueError(f"{parameter.name} is not finite")


# What every search of keras-tuner's writes.
_ORACLE = {
    "hyperparameters": {"space": [{str: ANY}], "values": {str: SCALAR}},
    "start_order?": [str],
    "end_order?": [str],
    "retry_queue?": [str],
    "tried_so_far?": [str],
    "seed?": (int, None),
    "seed_state?": (int, None),
    "id_to_hash?": {str: (str, None)},
    "run_times?": {str: int},
}
# What two kinds write besides, and the least that numbers of it may be.
_OF_KINDS: dict[type, tuple[dict[str, Any], dict[str, float]]] = {
    keras_tuner.oracles.HyperbandOracle: (
        {
            "hyperband_iterations": float,
            "max_epochs": int,
            "min_epochs": int,
            "factor": float,
            "current_bracket": int,
            "current_iteration": int,
            "brackets": [
                {
                    "bracket_num": int,
                    "rounds": [[{"past_id": (str, None), "id": str}]],
                }
            ],
        },
        {"max_epochs": 1, "min_epochs": 1, "factor": 2},
    ),
    keras_tuner.oracles.BayesianOptimizationOracle: (
        {"num_initial_points": (int, None), "alpha": float, "beta": float},
        {"alpha": 0, "beta": 0},
    ),
}
# What makes a trial that can be gone on with.
_TRIAL = {
    "trial_id": str,
    "hyperparameters": {"space": [{str: ANY}], "values": {str: SCALAR}},
    "status": str,
    "score": (float, None),
    "best_step": (int, None),
    "message": (str, None),
}


def writes_its_own_files(oracle: keras_tuner.Oracle) -> bool:
    """Whether an oracle's class overrides what writes or reads its files."""
    return any(
        getattr(type(oracle), name) is not getattr(keras_tuner.Oracle, name)
        for name in ("save", "_save_trial", "reload")
    )


def oracle_path(oracle: keras_tuner.Oracle) -> pathlib.Path:
    """Returns where an oracle keeps its state."""
    return pathlib.Path(oracle._get_oracle_fname())


def trial_folder(oracle: keras_tuner.Oracle, trial_id: str) -> pathlib.Path:
    """Returns the folder of a trial, which it makes."""
    return pathlib.Path(oracle._get_trial_dir(trial_id))


def set_retry_queue(oracle: keras_tuner.Oracle, trial_ids: list[str]) -> None:
    """Sets which trials an oracle hands out once more, the last one first."""
    oracle._retry_queue = trial_ids


def waiting_again(tuner: BaseTuner) -> int:
    """Returns how many trials an oracle is to hand out once more."""
    return len(tuner.oracle._retry_queue)


def forget_results(oracle: keras_tuner.Oracle, trial_id: str) -> None:
    """Lets an oracle hand out a trial that has ended once more, next of all."""
    trial = oracle.trials[trial_id]
    trial.status = TrialStatus.RUNNING
    trial.score = trial.best_step = trial.message = None
    trial.metrics = type(trial.metrics)()
    oracle.end_order = [i for i in oracle.end_order if i != trial_id]
    if trial_id not in oracle._retry_queue:
        oracle._retry_queue.append(trial_id)
    oracle._save_trial(trial)


def was_tried(oracle: keras_tuner.Oracle, values: dict) -> bool:
    """Whether an oracle has handed out these values already."""
    return oracle._duplicate(values)


def mark_tried(oracle: keras_tuner.Oracle, trial: Trial) -> None:
    """Lets an oracle know that a trial's values were handed out."""
    oracle._record_values(trial)


# A `GridSearchOracle`


class GridHooks(keras_tuner.oracles.GridSearchOracle):
    """A grid that takes trials without a hyperparameter that was met later.

    keras-tuner's own ends with a `KeyError` where it meets them in another
    order than it made them.
    """

    def _compare(self, a, b):
        return super()._compare(self._completed(a, 0), self._completed(b, 0))

    def _get_next_combination(self, values):
        # At its last value: its others are not for this trial.
        return super()._get_next_combination(self._completed(values, -1))

    def _completed(self, values, place):
        hp = self.get_space()
        hp.values = dict(values)
        for parameter in hp.space:
            if hp.is_active(parameter) and parameter.name not in hp.values:
                others = [v for v in parameter.values if v != parameter.default]
                value = [parameter.default, *others][place]
                hp.values[parameter.name] = value
        return hp.values


def continue_grid_after(oracle: GridHooks, trial_id: str) -> None:
    """Lets a grid hand out the point after that of a trial."""
    oracle._populate_next.append(trial_id)


def restore_grid(oracle: GridHooks) -> None:
    """Puts the trials of a reloaded grid into its order, and goes on there."""

    def compare(one, other):
        values = (oracle.trials[i].hyperparameters.values for i in (one, other))
        return oracle._compare(*values)

    ids = sorted(oracle.trials, key=functools.cmp_to_key(compare))
    for trial_id in ids:
        oracle._ordered_ids.insert(trial_id)
    # There may be points between any two of them.
    oracle._populate_next = ids
