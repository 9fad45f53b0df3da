"""Many trials trained as one program."""

import contextlib
import copy
import functools
from collections.abc import Callable, Iterator
from typing import Any

import keras
import keras_tuner

from tfcourse.tuning._keras_tuner import Trial, waiting_again
from tfcourse.tuning.caviar.arguments.fit_arguments import (
    SearchArguments,
    discover_fit_hyperparameters,
)
from tfcourse.tuning.caviar.deferred_calls import DeferredCalls
from tfcourse.tuning.caviar.executors.asking import Asking, usual_ahead
from tfcourse.tuning.caviar.executors.batches import Batches, settled
from tfcourse.tuning.caviar.executors.dispatch import Dispatch
from tfcourse.tuning.caviar.executors.interface import Executor, Shared
from tfcourse.tuning.caviar.executors.local import LocalExecutor
from tfcourse.tuning.caviar.executors.refusals import shared_of
from tfcourse.tuning.caviar.executors.search import ExecutedSearch
from tfcourse.tuning.caviar.failures import (
    refuse_all_failed,
    refuse_failures_in_a_row,
)
from tfcourse.tuning.caviar.groups_log import GroupsLog
from tfcourse.tuning.caviar.programs import ProgramCache
from tfcourse.tuning.caviar.settings import (
    OF_ORACLE,
    check_executor,
    check_folds_are_apart,
    check_oracle,
    check_settings,
    random_search,
)
from tfcourse.tuning.caviar.steps.candidates import (
    Candidate,
    SerialTrial,
    hyperband_epochs,
    load_hyperband_weights,
    make_candidate,
)
from tfcourse.tuning.caviar.steps.commit import commit
from tfcourse.tuning.caviar.steps.group_training import train_groups
from tfcourse.tuning.caviar.steps.grouping import make_groups
from tfcourse.tuning.caviar.steps.profitability import Profitability
from tfcourse.tuning.caviar.steps.trial_requests import TrialRequests
from tfcourse.tuning.display.search_display import shown_search
from tfcourse.tuning.oracles.batched import (
    discover_hyperparameters,
)
from tfcourse.tuning.oracles.crash_safe import (
    list_written_later,
    trials_written_together,
)
from tfcourse.tuning.tuners.cross_validation import CrossValidated
from tfcourse.tuning.tuners.serial import SerialTuner
from tfcourse.utils import global_state
from tfcourse.utils.validation import check_flag, check_integer

# How many trials are asked for at once, to be trained here.
_POPULATION = 64


class Caviar(SerialTuner):
    r"""Trains many trials at once, those of the same structure as one program.

    Use it in place of `keras_tuner.RandomSearch`. Trials that differ in
    learning rates, in hyperparameters of tfcourse's layers and optimizers, or
    in the widths of dense and convolution layers become one
    `tfcourse.tuning.Population`. A trial that cannot be trained this way is
    trained alone, as `SerialTuner` does, and the log says why.

    Differs from `keras_tuner.RandomSearch`: all trials of a group see the
    mini-batches in the same order; `seed=0` is a seed; a trial whose loss is
    not finite has failed; trials that fail in a row do not end the search,
    unless a batch has no other.

    Args:
        hypermodel: A `keras_tuner.HyperModel`, or a function from
            `HyperParameters` to a compiled model.
        objective: Name of the metric, or a `keras_tuner.Objective`.
        max_trials: How many trials to draw.
        seed: An integer of 0 or more, or `None` for any.
        population: How many trials to request from the oracle at once, at most;
            from a `BayesianOptimizationOracle` no more than it knows results
            of. By default 64, or 16 with `executor` or `ahead`.
        oracle: A `keras_tuner.Oracle` that chooses the trials; by default a
            `RandomSearchOracle` of `objective`, `max_trials` and `seed`, which
            are not used otherwise.
        on_trial: Called with the tuner and the trial after each ended trial.
        early_stopping: A patience in epochs, or a
            `keras.callbacks.EarlyStopping`. Each trial stops by itself.
        halving: Whether to drop the worse half of a population's trials at
            rungs, the last of which is half-way; see `Halving`. A dropped trial
            counts as completed, with the score that it had; its message and its
            `history.json` say after which epoch it was dropped. Those that
            train alone, or under a Hyperband oracle, are not dropped.
        device: The device to train on, e.g. `"gpu:0"`; by default Keras's.
        folds: How many folds to split the examples into, to score each trial by
            cross-validation instead of on validation data, with a member for
            each fold; see `CrossValidated`. Not for a Hyperband oracle.
        verify: Whether to compare, before a group trains, a mini-batch of a few
            of its trials with the step that Keras makes of them alone. If they
            differ by more than rounding, its trials are trained alone.
        smallest_group: The smallest number of models that a program trains; if
            fewer share a structure, they are trained alone. By default the
            number from which a program is faster.
        executor: Where batches of trials are trained, say a `RayExecutor`; by
            default in this process. With the same `seed`, `population` and
            `ahead` the trials, their scores and weights are the same, however
            many workers there are and whatever happens to them.
        ahead: How many batches to request beyond the last one of which the
            oracle knows results. By default one, with an executor as many as
            the oracle gives if it learns nothing from results. Without an
            executor it means a `LocalExecutor`.
        **kwargs: Passed to `SerialTuner` (`keep_models`), `keras_tuner.Tuner`
            (`directory`, `project_name`, ...) or the `RandomSearchOracle`.

    Attributes:
        groups: What was done, a list of dicts: `trials` (their ids), `how`
            (`"vectorised"`, `"vectorised with a loop"` or `"alone"`),
            `seconds`, `members`, `why`, `advice` (what to change so that they
            are trained with others), `verified` (how many members were
            compared with Keras's own) and `program` (the name of the program,
            which may be that of several of them, or `""`). Also in
            `groups.json` of the project, from which a reload reads it.

    Raises:
        ValueError: If `population` is less than 1, `folds` less than 2, there
            is no hypermodel, or `device` does not name a device.
        TypeError: If an argument is of the wrong type.

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
        hypermodel: keras_tuner.HyperModel | Callable | None = None,
        objective: str | keras_tuner.Objective | None = None,
        max_trials: int = 10,
        seed: int | None = 0,
        population: int | None = None,
        oracle: keras_tuner.Oracle | None = None,
        on_trial: Callable[[SerialTuner, Trial], None] | None = None,
        early_stopping: int | keras.callbacks.EarlyStopping | None = None,
        halving: bool = False,
        device: str | None = None,
        folds: int | None = None,
        verify: bool = True,
        smallest_group: int | None = None,
        executor: Executor | None = None,
        ahead: int | None = None,
        **kwargs,
    ) -> None:
        check_settings(
            hypermodel, population, on_trial, early_stopping, halving, device
        )
        check_executor(executor, ahead)
        check_flag(verify, "verify", "Caviar")
        if smallest_group is not None:
            check_integer(smallest_group, "smallest_group", "Caviar")
        if oracle is None:
            own = {n: kwargs.pop(n) for n in OF_ORACLE if n in kwargs}
            oracle = random_search(objective, max_trials, seed, **own)
        check_oracle(oracle)
        if folds is not None and hypermodel is not None:
            hypermodel = CrossValidated(hypermodel, folds, oracle.seed)
        check_folds_are_apart(hypermodel, oracle)
        self._saves, self._after_trials = DeferredCalls(), DeferredCalls()
        self._groups_log = GroupsLog(self)
        super().__init__(oracle, hypermodel, on_trial=on_trial, **kwargs)
        self._population = population
        self._early_stopping = early_stopping
        self._halving = halving
        self._device = device
        self._verify = verify
        self._smallest_group = smallest_group
        self._executor = executor
        self._ahead = ahead

    @property
    def groups(self) -> list[dict]:
        return self._groups_log.groups

    def search(self, *fit_args, **fit_kwargs) -> None:
        """Runs the trials that are not finished yet.

        Args:
            *fit_args: Passed to `HyperModel.fit`, which passes them to
                `model.fit`.
            **fit_kwargs: Passed likewise.

        Raises:
            AllTrialsFailedError: If all trials have failed: an `InputError`
                that names the learning rates.
        """
        with (
            self._guarded(fit_args, fit_kwargs),
            shown_search(self, fit_kwargs) as given,
        ):
            self._search(SearchArguments(fit_args, given))
        refuse_all_failed(self.oracle, self.project_dir)

    def _search(self, search: SearchArguments) -> None:
        if "verbose" in search.kwargs:
            self.oracle.verbose = search.kwargs["verbose"]
        self.on_search_begin()
        if self.hypermodel is not None:
            discover_fit_hyperparameters(self.hypermodel, self.oracle, search)
        batches = Batches(self.project_dir)
        if self._executor or self._ahead or batches.population:
            self._search_in_batches(batches, search)
        else:
            self.run_trials(search)
        self.on_search_end()

    def run_trials(self, search: SearchArguments) -> None:
        """Runs the trials that are not done yet, in this process.

        Each batch is trained as it is asked for, and then more are asked for.
        """
        requests = TrialRequests(
            self, self._population or _POPULATION, waiting_again(self)
        )
        programs = ProgramCache(self._groups_log.new_names())
        pays = Profitability(
            self, programs, self._smallest_group, self._halving
        )
        try:
            while self._run_batch(requests, programs, pays, search):
                pass
        finally:
            programs.clear()

    def _search_in_batches(
        self, batches: Batches, search: SearchArguments
    ) -> None:
        """Lets an executor train batches; what comes of one depends on it."""
        executor = self._executor or LocalExecutor()
        usual = executor.population, usual_ahead(self.oracle)
        shared = self._shared(search)
        settled(batches, self._population, self._ahead, usual)
        requests = TrialRequests(self, batches.population or usual[0])
        begin = functools.partial(self.begin_trial, search=search)
        executed = ExecutedSearch(
            self,
            Asking(requests, begin, self.oracle),
            batches,
            self._groups_log,
            self._saved_once,
            self._after_trials,
        )
        with executor.session(shared) as session:
            executed.run(
                lambda job_of: Dispatch(
                    session,
                    job_of,
                    executor.retries,
                    self._halving,
                    executor.progress,
                )
            )

    def _shared(self, search: SearchArguments) -> Shared:
        """Returns what all batches have in common, for who trains them."""
        own = {
            "early_stopping": self._early_stopping,
            "halving": self._halving,
            "device": self._device,
            "verify": self._verify,
            "smallest_group": self._smallest_group,
        }
        return shared_of(self, Caviar, own, search.args, search.kwargs)

    def _run_batch(
        self,
        requests: TrialRequests,
        programs: ProgramCache,
        pays: Profitability,
        search: SearchArguments,
    ) -> bool:
        """Runs as many trials as there are; returns whether there were any.

        The five steps are those of `tfcourse.tuning.caviar.steps`.
        """
        global_state.clear_session()
        with self._saved_once(), trials_written_together(self.oracle):
            candidates = requests.batch(
                functools.partial(self.begin_trial, search=search)
            )
        self.train_begun(candidates, programs, pays, search)
        if candidates:
            ended = [candidate.trial for candidate in candidates]
            refuse_failures_in_a_row(self.oracle, ended)
        return bool(candidates)

    def train_begun(
        self,
        begun: list[Candidate | SerialTrial],
        programs: ProgramCache,
        pays: Profitability | None,
        search: SearchArguments,
        only: frozenset[str] | None = None,
    ) -> None:
        """Trains trials that have begun, and ends them.

        Args:
            begun: What `begin_trial` returned for each.
            programs: The programs that there are.
            pays: What knows whether a program pays; made anew if None.
            search: What `search` was called with.
            only: The ids of those to train, or None for all.
        """
        pays = pays or Profitability(
            self, programs, self._smallest_group, self._halving
        )
        with self._saved_once():
            groups = make_groups(begun, pays, self.executions_per_trial)
            for result in train_groups(
                groups,
                self,
                programs,
                self._halving,
                self._device,
                self._verify,
                only,
            ):
                record = commit(result, self, search, self._after_trials)
                self._groups_log.add(record)

    def begin_trial(
        self, trial: Trial, search: SearchArguments
    ) -> Candidate | SerialTrial:
        """Begins a trial, and builds its model."""
        self.on_trial_begin(trial)
        return make_candidate(
            trial, self, search, Caviar.run_trial, self._early_stopping
        )

    # A trial by itself

    def run_trial(self, trial: Trial, *args, **kwargs) -> Any:
        callbacks = list(kwargs.pop("callbacks", None) or [])
        if self._early_stopping is not None:
            callbacks.append(self._stopping_callback(kwargs))
        kwargs |= hyperband_epochs(trial.hyperparameters)
        with self._on_device():
            return super().run_trial(
                trial, *args, callbacks=callbacks, **kwargs
            )

    def _on_device(self) -> contextlib.AbstractContextManager:
        if self._device is None:
            return contextlib.nullcontext()
        return keras.device(self._device)

    def _stopping_callback(
        self, kwargs: dict
    ) -> keras.callbacks.Callback | None:
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

    # The search space

    def on_model_built(
        self, model: keras.Model, hp: keras_tuner.HyperParameters
    ) -> None:
        load_hyperband_weights(model, hp, self)

    def explore_space(self) -> None:
        try:
            super().explore_space()
        except Exception:
            # A space may have points that cannot be built, the first of all
            # among them; keras-tuner's search would not even begin.
            discover_hyperparameters(self.hypermodel, self.oracle)

    # What is written

    def save(self) -> None:
        self._saves.call(super().save)

    @contextlib.contextmanager
    def _saved_once(self) -> Iterator[None]:
        """While it lasts, nothing is saved but trials; then all is."""
        with self._saves.deferred():
            self.save()
            with list_written_later(self.oracle):
                yield

    def _after_trial(self, trial: Trial) -> None:
        self._after_trials.call(super()._after_trial, trial)

    def reload(self) -> None:
        super().reload()
        self._groups_log.reload()
