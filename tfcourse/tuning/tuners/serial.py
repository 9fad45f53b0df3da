"""Trials trained one after the other."""

import contextlib
import math
import os
import pathlib
import time
import warnings
import zlib
from collections.abc import Callable, Sequence
from typing import Any

import keras
import keras_tuner
import numpy as np

from tfcourse.errors import InputError
from tfcourse.tuning._keras_tuner import (
    Trial,
    TrialStatus,
    TunerHooks,
    checkpoint_path,
    forget_results,
    has_chief,
    tuner_path,
)
from tfcourse.tuning.display.search_display import show_trials, shown_search
from tfcourse.tuning.display.summary import search_html, search_line
from tfcourse.tuning.oracles.batched import allow_parallel_grid
from tfcourse.tuning.oracles.crash_safe import make_crash_safe
from tfcourse.tuning.tuners.best_epoch import (
    TieBreaking,
    best_epoch,
    best_execution,
)
from tfcourse.tuning.tuners.cross_validation import (
    CrossValidated,
    curves_of_models,
    folds_of,
)
from tfcourse.tuning.tuners.guarded_search import (
    check_folder_is_there,
    empty_project,
    guarded_search,
    state_on_disk,
)
from tfcourse.tuning.tuners.replaced_project import check_replaceable
from tfcourse.tuning.tuners.weights import RoomForWeights, weights_readable
from tfcourse.utils import global_state
from tfcourse.utils.atomic_files import set_aside, write_json
from tfcourse.utils.validation import check_integer


class SerialTuner(TunerHooks):
    """A keras-tuner `Tuner` whose trials are reproducible and recorded.

    Differs from `keras_tuner.Tuner`: each execution of a trial is seeded by
    the oracle's seed, the trial's number and its own, so that it comes out the
    same whether or not the search was interrupted; a trial whose loss is not
    finite ends as failed and says in which epoch, where keras-tuner goes on
    training and may rank it; the learning curve and the time of each trial are
    kept beside its checkpoint, in `history.json`; the weights may be kept of
    the best trials only.

    Args:
        oracle: A `keras_tuner.Oracle`.
        hypermodel: A `keras_tuner.HyperModel`, or a function from
            `HyperParameters` to a compiled model.
        on_trial: Called with the tuner and the trial after each ended trial.
        keep_models: How many of the best models to keep the weights of, 1 or
            more; `None` for all. Those of others are deleted once their trial
            has ended.
        allow_changed_space: Whether to continue a search that was started in a
            smaller space. One that was started with another space, objective,
            data or arguments of `fit` is refused.
        break_ties_by: Names of metrics. Among epochs of a trial with equal
            values of the objective, the one is kept with the lowest value of
            the first of these that is reported; by default the first epoch.
        **kwargs: Passed to `keras_tuner.Tuner`.

    Raises:
        TypeError: If `oracle` is not an oracle, or `keep_models` not a whole
            number.
        ValueError: If there is no hypermodel, or `keep_models` is less than 1,
            or the oracle is Hyperband's, which goes on from the weights of any
            trial.
        InputError: If keras-tuner is set to have a chief.
    """

    def __init__(
        self,
        oracle: keras_tuner.Oracle,
        hypermodel: keras_tuner.HyperModel | Callable | None,
        *,
        on_trial: Callable[["SerialTuner", Trial], None] | None = None,
        keep_models: int | None = None,
        allow_changed_space: bool = False,
        break_ties_by: Sequence[str] = (),
        **kwargs,
    ) -> None:
        _refuse_chief()
        self._check_parts(oracle, hypermodel)
        self._check_keep_models(keep_models, oracle)
        check_replaceable(**kwargs)
        make_crash_safe(oracle)
        allow_parallel_grid(oracle)
        self._on_trial = on_trial
        self._keep_models = keep_models
        self.break_ties_by = break_ties_by
        # The trials that may have weights.
        self._with_weights: set[str] = set()
        self._allow_changed_space = allow_changed_space
        # Before a project is reloaded, which brings the space that it had.
        self._given_space = oracle.get_space()
        if kwargs.get("overwrite"):
            # keras-tuner deletes a project in which another one searches.
            empty_project(
                pathlib.Path(
                    kwargs.get("directory") or ".",
                    kwargs.get("project_name") or "untitled_project",
                )
            )
            kwargs["overwrite"] = False
        with global_state.preserved():
            super().__init__(oracle, hypermodel, **kwargs)
        self.state_on_disk = state_on_disk(self)

    def _check_parts(self, oracle: Any, hypermodel: Any) -> None:
        own = type(self).run_trial.__module__.startswith("tfcourse.")
        if hypermodel is None and own:
            raise ValueError(
                f"{type(self).__name__} needs a `hypermodel`, unless it is "
                "subclassed and `run_trial` overridden. "
                "Received: hypermodel=None"
            )
        if not isinstance(oracle, keras_tuner.Oracle):
            raise TypeError(
                f"`oracle` of {type(self).__name__} must be a "
                f"`keras_tuner.Oracle`. Received: oracle={oracle!r}"
            )

    def _check_keep_models(
        self, keep_models: int | None, oracle: keras_tuner.Oracle
    ) -> None:
        if keep_models is None:
            return
        check_integer(keep_models, "keep_models", type(self).__name__)
        if isinstance(oracle, keras_tuner.oracles.HyperbandOracle):
            raise ValueError(
                "`keep_models` cannot be used with Hyperband, whose trials go "
                f"on from earlier weights. Received: keep_models={keep_models}"
            )

    def on_search_begin(self) -> None:
        # keras-tuner reloads a search only once its tuner has a file, which it
        # writes at the end of the first trial.
        self.save()

    def on_search_end(self) -> None:
        check_folder_is_there(self)
        super().on_search_end()

    def search(self, *args, **kwargs) -> None:
        with self._guarded(args, kwargs), shown_search(self, kwargs) as kwargs:
            super().search(*args, **kwargs)

    def _guarded(
        self, args: tuple, kwargs: dict[str, Any]
    ) -> contextlib.AbstractContextManager[None]:
        """Returns what surrounds a search."""
        return guarded_search(
            self, self._given_space, args, kwargs, self._allow_changed_space
        )

    def run_trial(
        self,
        trial: Trial,
        *args,
        callbacks: Sequence[keras.callbacks.Callback] = (),
        **kwargs,
    ) -> Any:
        started = time.monotonic()
        self._execution = 0
        results = super().run_trial(
            trial,
            *args,
            callbacks=[
                *callbacks,
                keras.callbacks.TerminateOnNaN(),
                RoomForWeights(str(checkpoint_path(self, trial.trial_id))),
            ],
            **kwargs,
        )
        # A `HyperModel.fit` of the user's may return a number or a dict.
        curves = [getattr(result, "history", {}) for result in results]
        seconds = time.monotonic() - started
        write_json(
            self.history_file_of(trial),
            self.history_of(seconds, curves, curves_of_models(results)),
        )
        for curve in curves:
            _refuse_divergence(curve)
        return results

    def on_execution_begin(self, trial: Trial) -> None:
        models = range(folds_of(self.hypermodel))
        first = self._execution * len(models)
        seeds = [self.seed_of(trial, first + n) for n in models]
        if isinstance(self.hypermodel, CrossValidated):
            self.hypermodel.seeds = seeds
        keras.utils.set_random_seed(seeds[0])
        self._execution += 1

    def objective_of_epochs(self) -> Any:
        objective = self.oracle.objective
        if not self.break_ties_by:
            return objective
        return TieBreaking(objective, self.break_ties_by)

    def seed_of(self, trial: Trial, execution: int = 0) -> int:
        """Returns the seed of one of a trial's executions.

        With cross-validation each has as many models as there are folds, and
        `execution` counts these.
        """
        name = trial.trial_id
        number = int(name) if name.isdecimal() else zlib.crc32(name.encode())
        seed = np.random.SeedSequence([self.oracle.seed, number, execution])
        return int(seed.generate_state(1)[0])

    def history_file_of(self, trial: Trial) -> str:
        """Returns where the learning curve of a trial is kept."""
        return f"{self.get_trial_dir(trial.trial_id)}/history.json"

    def history_of(
        self, seconds: float, curves: list[dict], of_models: list[dict]
    ) -> dict:
        """Returns what `history.json` says of a trial.

        Args:
            seconds: How long it took.
            curves: Of each execution, from metric to its values.
            of_models: The same of each model, of which an execution has one
                for each fold.
        """
        how = self.oracle.objective, self.break_ties_by
        curve = curves[best_execution(curves, *how)]
        # A metric may have a value for each class.
        plain = {n: np.array(values).tolist() for n, values in curve.items()}
        record = {"seconds": seconds, "ended": time.time(), "history": plain}
        name = getattr(self.oracle.objective, "name", None)
        if len(of_models) > 1 and all(name in one for one in of_models):
            each = [np.array(one[name]).tolist() for one in of_models]
            record["objective_of_models"] = each
        kept = best_epoch(plain, *how) if self.break_ties_by else None
        return record if kept is None else {**record, "best_epoch": kept + 1}

    def load_model(self, trial: Trial) -> keras.Model:
        weights = checkpoint_path(self, trial.trial_id)
        if self._keep_models and not weights.exists():
            raise InputError(
                f"The weights of trial {trial.trial_id} are gone, as the "
                f"search keeps only those of its best {self._keep_models} "
                "models (`keep_models`). Ask for fewer models, or train it "
                "again with `tuner.get_best_hyperparameters`."
            )
        with (
            weights_readable(weights, trial.trial_id),
            warnings.catch_warnings(),
            global_state.only_new_garbage(),
        ):
            # A new optimizer has no slots yet, and needs none to predict.
            warnings.filterwarnings("ignore", "Skipping variable loading")
            return super().load_model(trial)

    def run_again(self, trial_id: str) -> None:
        """Lets the next `search` train a trial once more, as its file is lost.

        Args:
            trial_id: Of a trial that has ended. It keeps its hyperparameters.
        """
        path = checkpoint_path(self, trial_id)
        if os.path.lexists(path) and not path.is_file():
            set_aside(path)  # Weights cannot be written to a pipe, say.
        forget_results(self.oracle, trial_id)
        self.save()

    def on_trial_begin(self, trial: Trial) -> None:
        check_folder_is_there(self)
        super().on_trial_begin(trial)

    def on_trial_end(self, trial: Trial) -> None:
        check_folder_is_there(self)
        super().on_trial_end(trial)
        self._after_trial(trial)

    def _after_trial(self, trial: Trial) -> None:
        """Called once a trial has ended, and its files are there."""
        show_trials()
        if self._on_trial:
            self._on_trial(self, self.oracle.get_trial(trial.trial_id))
        if self._keep_models is not None:
            self._delete_weights(trial, self._keep_models)

    def _delete_weights(self, ended: Trial, keep: int) -> None:
        """Deletes the weights of all but the best trials."""
        self._with_weights.add(ended.trial_id)
        best = {
            trial.trial_id
            for trial in self.oracle.get_best_trials(keep)
            if trial.status == TrialStatus.COMPLETED
        }
        for trial_id in self._with_weights - best:
            checkpoint_path(self, trial_id).unlink(missing_ok=True)
        self._with_weights &= best

    def save(self) -> None:
        self.oracle.save()
        write_json(tuner_path(self), self.get_state())

    def __repr__(self) -> str:
        return search_line(self)

    def _repr_html_(self) -> str:
        return search_html(self)

    def reload(self) -> None:
        super().reload()
        self._with_weights |= set(self.oracle.end_order)


def _refuse_chief() -> None:
    """Raises where keras-tuner would have a chief hand out the trials.

    It waits for ever for workers that are gone, and loses their trials.
    """
    if has_chief():
        raise InputError(
            "keras-tuner's chief and workers (KERASTUNER_ORACLE_IP is set) do "
            "not work with tfcourse's searches. Unset it, and let a Ray "
            "cluster train: `Caviar(..., executor=RayExecutor(address))`, or "
            "`tfcourse tune --ray ADDRESS`."
        )


def _refuse_divergence(curves: dict) -> None:
    for epoch, loss in enumerate(curves.get("loss", ()), start=1):
        if not math.isfinite(loss):
            raise keras_tuner.errors.FailedTrialError(
                f"diverged: the loss was {loss} in epoch {epoch}"
            )
