"""Many trials trained as one program."""

import contextlib
import copy
import gc
import itertools
import logging
import math
import os
import time
import warnings

import keras
import keras_tuner
import numpy as np
from keras_tuner.engine.trial import TrialStatus

from tfcourse.errors import InputError
from tfcourse.files import read_json, write_json
from tfcourse.tuning.caviar_groups import (
    Candidate,
    Program,
    fit_arguments,
    grouped,
)
from tfcourse.tuning.population import CannotVectorize, draft
from tfcourse.tuning.random_search import RandomSearchOracle
from tfcourse.tuning.records import read_records
from tfcourse.tuning.serial import SerialTuner

_log = logging.getLogger(__name__)

# Of `keras_tuner.RandomSearch`; they are the oracle's.
_OF_ORACLE = (
    "hyperparameters",
    "tune_new_entries",
    "allow_new_entries",
    "max_retries_per_trial",
    "max_consecutive_failed_trials",
)
# What a Hyperband oracle sets: whose weights a trial begins with.
_GOES_ON_FROM = "tuner/trial_id"
_HOOKS = ("on_epoch_begin", "on_epoch_end", "on_batch_begin", "on_batch_end")
# Between two questions to an oracle that waits for other workers.
_SECONDS_IDLE = 0.5


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
        population: How many trials to ask the oracle for at once.
        oracle: A `keras_tuner.Oracle` that chooses the trials; by default a
            `RandomSearchOracle` of `objective`, `max_trials` and `seed`, which
            are not used otherwise.
        on_trial: Called with the tuner and the trial after each ended trial.
        early_stopping: A patience in epochs, or a
            `keras.callbacks.EarlyStopping`. Each trial stops by itself.
        device: The device to train on, e.g. `"gpu:0"`; by default Keras's.
        **kwargs: Passed to `keras_tuner.Tuner`, or to the `RandomSearchOracle`.

    Attributes:
        groups: What was done, a list of dicts: `trials` (their ids), `how`
            (`"vectorised"`, `"vectorised with a loop"` or `"alone"`),
            `seconds`, `members`, and `why`. Also in `groups.json` of the
            project.

    Raises:
        ValueError: If `population` is not an integer of 1 or more, or there is
            no hypermodel.

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
        device=None,
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
        self._outcomes = {}
        self.groups = []
        super().__init__(oracle, hypermodel, on_trial=on_trial, **kwargs)
        # In a worker, what stands in for the oracle does not know it.
        self.oracle.seed = oracle.seed
        self._population = population
        self._early_stopping = early_stopping
        self._device = device
        self._slots = 0

    def search(self, *fit_args, **fit_kwargs):
        """Runs the trials that are not done yet.

        Args:
            *fit_args: Passed to `HyperModel.fit`, which passes them to
                `model.fit`.
            **fit_kwargs: Passed likewise.

        Raises:
            InputError: If all trials have failed.
        """
        if "KERASTUNER_ORACLE_IP" in os.environ and not self._is_worker():
            # The chief hands out trials and runs none.
            super().search(*fit_args, **fit_kwargs)
            return
        if "verbose" in fit_kwargs and not self._is_worker():
            self.oracle.verbose = fit_kwargs["verbose"]
        self.on_search_begin()
        self._meet_hyperparameters_of_fit(fit_args, fit_kwargs)
        try:
            while trials := self._ask():
                self._run_batch(trials, fit_args, fit_kwargs)
        finally:
            self._outcomes.clear()
            gc.unfreeze()
        self.on_search_end()
        self._refuse_all_failed()

    def run_trial(self, trial, *args, **kwargs):
        outcome = self._outcomes.pop(trial.trial_id, None)
        if outcome is not None:
            return outcome()
        callbacks = list(kwargs.pop("callbacks", None) or [])
        if self._early_stopping is not None:
            callbacks.append(self._stopping_callback(kwargs))
        kwargs |= _hyperband_epochs(trial.hyperparameters)
        with self._on_device():
            return super().run_trial(
                trial, *args, callbacks=callbacks, **kwargs
            )

    def reload(self):
        super().reload()
        with contextlib.suppress(FileNotFoundError):
            self.groups = read_json(self._groups_file)

    # Asking for trials

    def _meet_hyperparameters_of_fit(self, args, kwargs):
        """Lets the oracle know of them before it draws the first trials."""
        if self.hypermodel is None:
            return
        hp = self.oracle.get_space()
        with contextlib.suppress(CannotVectorize):
            fit_arguments(self.hypermodel, hp, args, kwargs)
        self.oracle.update_space(hp)

    def _ask(self):
        """Returns the trials to run next, as many as there are at present."""
        while True:
            trials = []
            for slot in range(self._population):
                trial = self._trial_of(slot)
                if trial.status != TrialStatus.RUNNING:
                    break
                trials.append(trial)
            self._slots = max(self._slots, len(trials))
            if trials:
                return trials
            if trial.status == TrialStatus.STOPPED:
                return self._take_leave()
            time.sleep(_SECONDS_IDLE)

    def _trial_of(self, slot):
        self.pre_create_trial()
        # A chief gives one trial to each name.
        name = f"{self.tuner_id}-{slot}" if slot else self.tuner_id
        return self.oracle.create_trial(name)

    def _take_leave(self):
        """Asks under every name, as a chief waits until each was refused."""
        if not self._is_worker():
            return []
        trials = [self._trial_of(slot) for slot in range(1, self._slots)]
        return [t for t in trials if t.status == TrialStatus.RUNNING]

    # Running a batch

    def _run_batch(self, trials, args, kwargs):
        candidates, alone = [], {}
        keras.backend.clear_session()
        for trial in trials:
            self.on_trial_begin(trial)
            try:
                candidates.append(self._candidate(trial, args, kwargs))
            except CannotVectorize as error:
                alone.setdefault(str(error), []).append(trial)
        run = (args, kwargs)
        statuses = []
        for parts in grouped(candidates):
            statuses += self._run_group(parts, run)
            gc.collect()
        for why, some in alone.items():
            statuses += self._run_alone(some, why, run)
        self._check_failures(statuses)

    def _candidate(self, trial, args, kwargs):
        self._check_may_be_grouped()
        hp = trial.hyperparameters
        kwargs = kwargs | _hyperband_epochs(hp)

        def build():
            return self._build_hypermodel(hp)

        try:
            model = self._draft(hp, build, self._seed_of(trial))
        except Exception as error:
            raise CannotVectorize(
                f"its model cannot be built: {type(error).__name__}: {error}"
            ) from error
        if not isinstance(model, keras.Model) or not model.compiled:
            raise CannotVectorize("it is no compiled Keras model")
        arguments = fit_arguments(
            self.hypermodel, hp, args, kwargs, self._early_stopping
        )
        return Candidate(trial, build, model, arguments)

    def _draft(self, hp, build, seed):
        if _GOES_ON_FROM in hp.values:
            # A draft has no place for the weights of another trial.
            keras.utils.set_random_seed(seed)
            return build()
        return draft(build, seed)

    def _build_hypermodel(self, hp):
        model = super()._build_hypermodel(hp)
        if _GOES_ON_FROM in hp.values:
            trial_id = hp.values[_GOES_ON_FROM]
            config = read_json(self._get_build_config_fname(trial_id))
            model.build_from_config(config)
            with warnings.catch_warnings():
                warnings.filterwarnings("ignore", "Skipping variable loading")
                model.load_weights(self._get_checkpoint_fname(trial_id))
        return model

    def _check_may_be_grouped(self):
        if type(self).run_trial is not Caviar.run_trial:
            raise CannotVectorize("the tuner overrides `run_trial`")
        for hook in _HOOKS:
            if getattr(type(self), hook) is not getattr(
                keras_tuner.Tuner, hook
            ):
                raise CannotVectorize(f"the tuner overrides `{hook}`")
        if self.executions_per_trial > 1:
            raise CannotVectorize("`executions_per_trial` is more than 1")
        if self.distribution_strategy is not None:
            raise CannotVectorize("a `distribution_strategy` is given")
        if self.max_model_size is not None:
            raise CannotVectorize("a `max_model_size` is given")
        if type(self.oracle.objective) is not keras_tuner.Objective:
            raise CannotVectorize("its objective is not one metric")

    def _run_group(self, parts, run):
        """Trains trials of one structure, those with like arguments at once."""
        objective = self.oracle.objective
        candidates = [candidate for part in parts for candidate in part]
        statuses = []
        program = None
        for part in parts:
            trials = [candidate.trial for candidate in part]
            start = time.monotonic()
            try:
                program = program or Program(
                    candidates,
                    (objective.name, objective.direction),
                    self.oracle.seed,
                    self._device,
                )
                population, histories = program.train(part)
            except Exception as error:
                statuses += self._run_alone(trials, _reason(error), run)
                continue
            seconds = time.monotonic() - start
            for k, candidate in enumerate(part):
                self._outcomes[candidate.trial.trial_id] = self._outcome(
                    candidate,
                    program,
                    population,
                    k,
                    histories[k],
                    seconds / len(part),
                )
            statuses += [self._end(trial, run) for trial in trials]
            report = population.report
            why = "; ".join(
                [*map(_looped, report["one_by_one"]), *report["remarks"]]
            )
            self._note(trials, report["how"], seconds, why)
        return statuses

    def _outcome(self, candidate, program, population, k, history, seconds):
        """Returns what `run_trial` shall do for a trial that was trained."""

        def outcome():
            trial_id = candidate.trial.trial_id
            if history.best_epoch is not None:
                program.checkpoints.write(
                    self._get_checkpoint_fname(trial_id),
                    candidate.model,
                    population.values(k, best=True),
                )
                write_json(
                    self._get_build_config_fname(trial_id),
                    _of_any_batch(program.template.get_build_config()),
                )
            self._write_history(trial_id, seconds, history.history)
            _refuse_divergence(history)
            return [history]

        return outcome

    def _write_history(self, trial_id, seconds, curves):
        write_json(
            f"{self.get_trial_dir(trial_id)}/history.json",
            {"seconds": seconds, "history": curves},
        )

    def _run_alone(self, trials, why, run):
        start = time.monotonic()
        statuses = [self._end(trial, run) for trial in trials]
        self._note(trials, "alone", time.monotonic() - start, why)
        return statuses

    def _end(self, trial, run):
        args, kwargs = run
        self._try_run_and_update_trial(trial, *args, **kwargs)
        with self._failures_allowed():
            self.on_trial_end(trial)
        return trial.status

    # What is said

    @property
    def _groups_file(self):
        suffix = f"-{self.tuner_id}" if self._is_worker() else ""
        return f"{self.project_dir}/groups{suffix}.json"

    def _note(self, trials, how, seconds, why):
        self.groups.append(
            {
                "trials": [trial.trial_id for trial in trials],
                "members": len(trials),
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

    # Failures

    @contextlib.contextmanager
    def _failures_allowed(self):
        """While it lasts, the oracle does not count failures in a row."""
        limit = getattr(self.oracle, "max_consecutive_failed_trials", None)
        self.oracle.max_consecutive_failed_trials = math.inf
        try:
            yield
        finally:
            self.oracle.max_consecutive_failed_trials = limit

    def _check_failures(self, statuses):
        """Ends the search if the oracle would and no trial of the batch ran."""
        if self._is_worker() or TrialStatus.COMPLETED in statuses:
            return
        oracle = self.oracle
        ended = [oracle.trials[i] for i in reversed(oracle.end_order)]
        failed = list(
            itertools.takewhile(lambda t: t.status == TrialStatus.FAILED, ended)
        )
        if len(failed) >= oracle.max_consecutive_failed_trials:
            raise RuntimeError(
                f"The last {len(failed)} trials failed, where the oracle "
                f"allows {oracle.max_consecutive_failed_trials - 1} in a row "
                "(`max_consecutive_failed_trials`).\n"
                + (failed[0].message or "")
            )

    def _refuse_all_failed(self):
        if self._is_worker():
            return
        records = read_records(self.project_dir)
        if not records or any(r.status != "failed" for r in records):
            return
        rates = {
            name: [r.hyperparameters[name] for r in records]
            for name in records[0].hyperparameters
            if "learning_rate" in name or name in ("lr", "alpha")
        }
        tried = "".join(
            f" {name} was between {min(values):.3g} and {max(values):.3g}."
            for name, values in rates.items()
        )
        raise InputError(
            f"None of the {len(records)} trials completed. The first one "
            f"failed because it {records[0].message}.{tried}"
        )

    # Parts

    def _seed_of(self, trial):
        seed = np.random.SeedSequence([self.oracle.seed, int(trial.trial_id)])
        return int(seed.generate_state(1)[0])

    def _on_device(self):
        if self._device is None:
            return contextlib.nullcontext()
        return keras.device(self._device)

    def _stopping_callback(self, kwargs):
        if isinstance(self._early_stopping, int):
            validates = kwargs.get("validation_data") is not None
            return keras.callbacks.EarlyStopping(
                "val_loss" if validates else "loss",
                patience=self._early_stopping,
            )
        return copy.deepcopy(self._early_stopping)


def _hyperband_epochs(hp):
    """Returns the epochs that a Hyperband oracle gives a trial."""
    if "tuner/epochs" not in hp.values:
        return {}
    return {
        "epochs": hp.values["tuner/epochs"],
        "initial_epoch": hp.values["tuner/initial_epoch"],
    }


def _refuse_divergence(history):
    epoch = history.diverged_epoch
    if epoch is None:
        return
    name = "loss"
    if math.isfinite(history.history["loss"][-1]):
        name = "val_loss"
    raise keras_tuner.errors.FailedTrialError(
        f"diverged: the {name} was {history.diverged_value} in epoch "
        f"{epoch + 1}"
    )


def _of_any_batch(config):
    """Returns a build config without the number of examples in a batch."""
    if isinstance(config, dict):
        return {name: _of_any_batch(value) for name, value in config.items()}
    if isinstance(config, (list, tuple)) and config:
        if all(size is None or isinstance(size, int) for size in config):
            return [None, *config[1:]]
        return [_of_any_batch(value) for value in config]
    return config


def _reason(error):
    if isinstance(error, CannotVectorize):
        return str(error)
    line = (str(error).splitlines() or [""])[0]
    return f"training together failed: {type(error).__name__}: {line}"


def _looped(operation):
    return f"{operation} does not vectorise"
