"""Many trials trained as one program."""

import contextlib
import copy
import gc
import logging
import pathlib
import time

import keras
import keras_tuner
import numpy as np

from tfcourse.tuning._keras_tuner import (
    TrialStatus,
    has_chief,
    is_worker,
    run_and_report,
)
from tfcourse.tuning.caviar.candidates import (
    check_vectorizable,
    hyperband_epochs,
    load_hyperband_weights,
    make_candidate,
)
from tfcourse.tuning.caviar.failures import (
    failures_allowed,
    refuse_all_failed,
    refuse_failures_in_a_row,
)
from tfcourse.tuning.caviar.fit_arguments import fit_arguments
from tfcourse.tuning.caviar.group_training import Group, GroupResult
from tfcourse.tuning.caviar.grouping import grouped, told_apart
from tfcourse.tuning.caviar.programs import ProgramCache
from tfcourse.tuning.caviar.trial_requests import TrialRequests
from tfcourse.tuning.oracles.batched import (
    allow_parallel_grid,
    discover_hyperparameters,
)
from tfcourse.tuning.oracles.crash_safe import make_crash_safe
from tfcourse.tuning.oracles.random_search import RandomSearchOracle
from tfcourse.tuning.population import CannotVectorize
from tfcourse.tuning.tuners.cross_validation import CrossValidated
from tfcourse.tuning.tuners.serial import SerialTuner
from tfcourse.utils.atomic_files import AtomicBatch, read_json, write_json

_log = logging.getLogger(__name__)

# Of `keras_tuner.RandomSearch`; they are the oracle's.
_OF_ORACLE = (
    "hyperparameters",
    "tune_new_entries",
    "allow_new_entries",
    "max_retries_per_trial",
    "max_consecutive_failed_trials",
)


class Caviar(SerialTuner):
    r"""Trains many trials at once, those of one structure as one program.

    Use it in place of `keras_tuner.RandomSearch`. Trials that differ in
    learning rates, in hyperparameters of tfcourse's layers and optimizers, or
    in the widths of dense and convolution layers become one
    `tfcourse.tuning.Population`. What cannot be trained so is trained alone,
    as `SerialTuner` does, and the log says why.

    Differs from `keras_tuner.RandomSearch`: all trials of a group see the
    mini-batches in one order; `seed=0` is a seed; a trial whose loss is not
    finite has failed; trials that fail in a row do not end the search, unless
    a batch has no other.

    Args:
        hypermodel: A `keras_tuner.HyperModel`, or a function from
            `HyperParameters` to a compiled model.
        objective: Name of the metric, or a `keras_tuner.Objective`.
        max_trials: How many trials to draw.
        seed: An integer of 0 or more, or `None` for any.
        population: How many trials to ask the oracle for at once, at most. A
            `BayesianOptimizationOracle` is not asked for more than it knows
            results of.
        oracle: A `keras_tuner.Oracle` that chooses the trials; by default a
            `RandomSearchOracle` of `objective`, `max_trials` and `seed`, which
            are not used otherwise.
        on_trial: Called with the tuner and the trial after each ended trial.
        early_stopping: A patience in epochs, or a
            `keras.callbacks.EarlyStopping`. Each trial stops by itself.
        halving: Whether to drop the worse half of the trials of a population
            at rungs, the last of them half-way; see `Halving`. A dropped trial
            is completed, with the score that it had, and its message and its
            `history.json` say after which epoch it was dropped. Those that
            train alone, or under a Hyperband oracle, are not dropped.
        device: The device to train on, e.g. `"gpu:0"`; by default Keras's.
        folds: Into how many folds to split the examples, to score each trial
            by cross-validation instead of by validation data, with a member
            for each fold; see `CrossValidated`. Not for a Hyperband oracle.
        **kwargs: Passed to `keras_tuner.Tuner`, or to the `RandomSearchOracle`.

    Attributes:
        groups: What was done, a list of dicts: `trials` (their ids), `how`
            (`"vectorised"`, `"vectorised with a loop"` or `"alone"`),
            `seconds`, `members`, and `why`. Also in `groups.json` of the
            project, from which a reload reads it.

    Raises:
        ValueError: If `population` is not an integer of 1 or more, `folds` not
            one of 2 or more, or there is no hypermodel.
        TypeError: If `oracle` is not a `keras_tuner.Oracle`.

    Example:

    >>> import tempfile
    >>> def build(hp):
    ...     model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(1)])
    ...     rate = hp.Float("learning_rate", 1e-4, 1e-1, sampling="log")
    ...     model.compile(keras.optimizers.SGD(rate), "mse")
    ...     return model
    >>> x, y = np.eye(3), np.ones((3, 1))
    >>> tuner = Caviar(build, "loss", 8, directory=tempfile.mkdtemp())
    >>> tuner.search(x, y, epochs=2, verbose=0)
    >>> [(group["how"], len(group["trials"])) for group in tuner.groups]
    [('vectorised', 8)]

    Reference:
        Ng, Improving Deep Neural Networks, week 3, Hyperparameters tuning in
        practice: pandas vs. caviar.
    """

    def __init__(
        self,
        hypermodel=None,
        objective=None,
        max_trials=10,
        seed=0,
        population=64,
        oracle=None,
        on_trial=None,
        early_stopping=None,
        halving=False,
        device=None,
        folds=None,
        **kwargs,
    ):
        if not isinstance(population, int) or population < 1:
            raise ValueError(
                "`population` of Caviar must be an integer of 1 or more. "
                f"Received: population={population!r}"
            )
        if hypermodel is None and type(self).run_trial is Caviar.run_trial:
            raise ValueError(
                "Caviar needs a `hypermodel`, unless it is subclassed and "
                "`run_trial` overridden. Received: hypermodel=None"
            )
        if oracle is None:
            if seed is None:
                seed = int(np.random.SeedSequence().generate_state(1)[0])
            own = {n: kwargs.pop(n) for n in _OF_ORACLE if n in kwargs}
            oracle = RandomSearchOracle(objective, max_trials, seed, **own)
        if not isinstance(oracle, keras_tuner.Oracle):
            raise TypeError(
                "`oracle` of Caviar must be a `keras_tuner.Oracle`. Received: "
                f"oracle={oracle!r}"
            )
        if folds is not None:
            hypermodel = CrossValidated(hypermodel, folds, oracle.seed)
        _check_folds_are_apart(hypermodel, oracle)
        make_crash_safe(oracle)
        if not has_chief():
            allow_parallel_grid(oracle)
        self._outcomes = {}
        self._programs = ProgramCache()
        # Those that have ended, and of which `on_trial` is not told yet.
        self._to_tell = None
        self._saves_later = False
        self.groups = []
        super().__init__(oracle, hypermodel, on_trial=on_trial, **kwargs)
        # In a worker, what stands in for the oracle does not know it.
        self.oracle.seed = oracle.seed
        self._population = population
        self._early_stopping = early_stopping
        self._halving = halving
        self._device = device

    def search(self, *fit_args, **fit_kwargs):
        """Runs the trials that are not done yet.

        Args:
            *fit_args: Passed to `HyperModel.fit`, which passes them to
                `model.fit`.
            **fit_kwargs: Passed likewise.

        Raises:
            AllTrialsFailedError: If all trials have failed: an `InputError`
                that names the learning rates.
        """
        if has_chief() and not is_worker(self):
            # The chief hands out trials and runs none.
            super().search(*fit_args, **fit_kwargs)
        else:
            self._search(fit_args, fit_kwargs)
        if not is_worker(self):
            refuse_all_failed(self.oracle, self.project_dir)

    def _search(self, args, kwargs):
        if "verbose" in kwargs and not is_worker(self):
            self.oracle.verbose = kwargs["verbose"]
        self.on_search_begin()
        self._meet_hyperparameters_of_fit(args, kwargs)
        asking = TrialRequests(self, self._population, is_worker(self))
        try:
            while self._run_batch(asking, args, kwargs):
                pass
        finally:
            self._outcomes.clear()
            self._programs = ProgramCache()
            gc.unfreeze()
        self.on_search_end()

    def run_trial(self, trial, *args, **kwargs):
        outcome = self._outcomes.pop(trial.trial_id, None)
        if outcome is not None:
            return outcome.results(trial)
        callbacks = list(kwargs.pop("callbacks", None) or [])
        if self._early_stopping is not None:
            callbacks.append(self._stopping_callback(kwargs))
        kwargs |= hyperband_epochs(trial.hyperparameters)
        with self._on_device():
            return super().run_trial(
                trial, *args, callbacks=callbacks, **kwargs
            )

    def reload(self):
        super().reload()
        files = sorted(pathlib.Path(self.project_dir).glob("groups*.json"))
        if is_worker(self):
            files = [path for path in files if path == self._groups_file]
        self.groups = [group for path in files for group in read_json(path)]

    def explore_space(self):
        try:
            super().explore_space()
        except Exception:
            # A space may have points that cannot be built, the first of all
            # among them; keras-tuner's search would not even begin.
            discover_hyperparameters(self.hypermodel, self.oracle)

    # A batch

    def _run_batch(self, asking, args, kwargs):
        """Runs as many trials as there are; returns whether there were any."""
        keras.backend.clear_session()
        candidates, alone = [], {}

        def begin(trial):
            self.on_trial_begin(trial)
            try:
                candidates.append(self._candidate(trial, args, kwargs))
            except CannotVectorize as error:
                alone.setdefault(str(error), []).append(trial)

        with self._saved_once(), self._written_together():
            trials = asking.ask(begin)
        with self._saved_once():
            for parts, apart in told_apart(grouped(candidates)):
                self._run_group(parts, apart, args, kwargs)
            for why, some in alone.items():
                self._run_alone(some, why, args, kwargs)
        completed = any(t.status == TrialStatus.COMPLETED for t in trials)
        if trials and not completed and not is_worker(self):
            refuse_failures_in_a_row(self.oracle)
        return bool(trials)

    def _meet_hyperparameters_of_fit(self, args, kwargs):
        """Lets the oracle know of them before it draws the first trials."""
        if self.hypermodel is None:
            return
        hp = self.oracle.get_space()
        with contextlib.suppress(CannotVectorize):
            fit_arguments(self.hypermodel, hp, args, kwargs)
        self.oracle.update_space(hp)

    def _candidate(self, trial, args, kwargs):
        check_vectorizable(self, Caviar.run_trial)
        return make_candidate(trial, self, args, kwargs, self._early_stopping)

    def on_model_built(self, model, hp):
        load_hyperband_weights(model, hp, self)

    def _run_group(self, parts, apart, args, kwargs):
        """Trains trials of one structure, those with like arguments at once."""
        halving = self._halving and not hyperband_epochs(
            parts[0][0].trial.hyperparameters
        )
        for done in Group(
            parts, self, self._programs, halving, self._device
        ).train():
            if not isinstance(done, GroupResult):
                self._run_alone(done.trials, done.why, args, kwargs)
                continue
            with AtomicBatch() as files:
                for outcome in done.outcomes:
                    outcome.write(files, self)
            self._outcomes |= {o.trial.trial_id: o for o in done.outcomes}
            trials = [outcome.trial for outcome in done.outcomes]
            self._end_together(trials, args, kwargs)
            members = sum(len(outcome.runs) for outcome in done.outcomes)
            why = "; ".join(filter(None, [apart, done.why]))
            self._note(trials, members, done.how, done.seconds, why)
        gc.collect()

    def _run_alone(self, trials, why, args, kwargs):
        start = time.monotonic()
        for trial in trials:
            self._end(trial, args, kwargs)
        seconds = time.monotonic() - start
        self._note(trials, len(trials), "alone", seconds, why)

    # The end of a trial

    def _end_together(self, trials, args, kwargs):
        self._to_tell = []
        try:
            with self._written_together():
                for trial in trials:
                    self._end(trial, args, kwargs)
        finally:
            to_tell, self._to_tell = self._to_tell, None
            for trial in to_tell:
                self._tell(trial)

    def _end(self, trial, args, kwargs):
        run_and_report(self, trial, *args, **kwargs)
        with failures_allowed(self.oracle):
            self.on_trial_end(trial)

    def _tell(self, trial):
        if self._to_tell is None:
            super()._tell(trial)
        else:
            self._to_tell.append(trial)

    # What is written

    def save(self):
        if not self._saves_later:
            super().save()

    @contextlib.contextmanager
    def _saved_once(self):
        """While it lasts, nothing is saved but trials; then all is."""
        later = getattr(self.oracle, "list_written_later", _at_each_trial)
        self._saves_later = True
        try:
            with later():
                yield
        finally:
            self._saves_later = False
            self.save()

    def _written_together(self):
        return getattr(self.oracle, "written_together", _at_each_trial)()

    @property
    def _groups_file(self):
        suffix = f"-{self.tuner_id}" if is_worker(self) else ""
        return pathlib.Path(self.project_dir, f"groups{suffix}.json")

    def _note(self, trials, members, how, seconds, why):
        self.groups.append(
            {
                "trials": [trial.trial_id for trial in trials],
                "members": members,
                "how": how,
                "seconds": seconds,
                "why": why,
            }
        )
        write_json(self._groups_file, self.groups)
        _log.log(
            logging.INFO if how == "vectorised" else logging.WARNING,
            "%d trial%s %s, %.1f s%s",
            len(trials),
            "" if len(trials) == 1 else "s",
            "trained alone" if how == "alone" else how,
            seconds,
            f", because {why}" if why else "",
        )

    # Parts

    def _on_device(self):
        if self._device is None:
            return contextlib.nullcontext()
        return keras.device(self._device)

    def _stopping_callback(self, kwargs):
        if isinstance(self._early_stopping, int):
            validates = (
                kwargs.get("validation_data") is not None
                or kwargs.get("validation_split")
                or isinstance(self.hypermodel, CrossValidated)
            )
            return keras.callbacks.EarlyStopping(
                "val_loss" if validates else "loss",
                patience=self._early_stopping,
            )
        return copy.deepcopy(self._early_stopping)


# A chief's oracle, or one with its own way of writing, cannot wait.
_at_each_trial = contextlib.nullcontext


def _check_folds_are_apart(hypermodel, oracle):
    if isinstance(hypermodel, CrossValidated) and isinstance(
        oracle, keras_tuner.oracles.HyperbandOracle
    ):
        raise ValueError(
            "Cross-validation cannot be used with Hyperband, whose trials go "
            "on from weights that have seen the examples held out. Leave "
            f"`folds` out. Received: folds={hypermodel.folds}"
        )
