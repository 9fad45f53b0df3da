"""Population-based training of members that are one program."""

import dataclasses
import functools
import time
from collections.abc import Callable
from typing import Any

import keras
import keras_tuner

from tfcourse.errors import InputError
from tfcourse.tuning._keras_tuner import Trial
from tfcourse.tuning.caviar.arguments.fit_arguments import SearchArguments
from tfcourse.tuning.caviar.programs import GroupProgram
from tfcourse.tuning.caviar.steps.candidates import (
    Candidate,
    SerialTrial,
    make_candidate,
)
from tfcourse.tuning.caviar.steps.commit import commit
from tfcourse.tuning.caviar.steps.group_training import GroupResult
from tfcourse.tuning.caviar.steps.outcome import Outcome
from tfcourse.tuning.caviar.steps.trial_requests import TrialRequests
from tfcourse.tuning.caviar.tuner import Caviar
from tfcourse.tuning.evolution.ancestry import Ancestry, Generation
from tfcourse.tuning.evolution.arguments import (
    Rules,
    check_arguments,
    check_fit,
)
from tfcourse.tuning.evolution.checkpoint import (
    Checkpoint,
    remove_checkpoint,
)
from tfcourse.tuning.evolution.generations import Generations
from tfcourse.tuning.evolution.members import Members
from tfcourse.tuning.evolution.replay import replayed
from tfcourse.tuning.evolution.schedule import HyperparameterSchedule
from tfcourse.tuning.oracles.crash_safe import trials_written_together
from tfcourse.tuning.population import CannotVectorize
from tfcourse.utils import global_state


class Evolution(Caviar):
    r"""Trains a population whose hyperparameters change while it trains.

    Population-based training: all members train together, as one program.
    After every `interval` epochs the worst of them go on with the weights, and
    the state of the optimizer, of members drawn from the best, and with
    hyperparameters near theirs. The winner so has a schedule for each
    hyperparameter, which `replay` repeats on one model.

    Only what is a variable can change in training, and each hyperparameter of
    the space must be: learning rates, $\beta$, rates of dropout, $\lambda$ and
    the like, of Keras's layers and optimizers as of tfcourse's.

    Args:
        hypermodel: A `keras_tuner.HyperModel`, or a function from
            `HyperParameters` to a compiled model.
        objective: Name of the metric, or a `keras_tuner.Objective`.
        population: How many members there are.
        interval: After every how many epochs they are compared, by the
            objective of the last of these. With `steps_per_epoch` in `search`
            an epoch is as many mini-batches as wanted.
        quantile: The share of members that is replaced, and the share of the
            best, from which is drawn, in (0, 0.5].
        perturb: How far a hyperparameter is nudged, up or down with equal
            chances: a share of its range on its own scale. Of a learning rate
            in [1e-4, 1] on a logarithmic scale, 0.1 is a factor of
            $10^{0.4}$, and of $1 - \beta$ likewise. At the ends of the range
            it comes back, as from a mirror. An ordered choice goes to the next
            value.
        resample: The chance that it is drawn anew from its range instead.
        seed: An integer of 0 or more, or `None` for any.
        **kwargs: Passed to `Caviar` (`oracle`, which chooses what members
            begin with, `device`, `verify`, `keep_models`) or to
            `keras_tuner.Tuner` (`directory`, `project_name`, ...).

    Raises:
        TypeError: If an argument is of the wrong type.
        ValueError: If an argument is out of range.
        InputError: If an argument of `Caviar` is not for it; in `search`, if a
            hyperparameter cannot change in training, which is named.

    Attributes:
        ancestry: Who came of whom: for each generation the `epoch`, the
            `sources` of the members and their `values`; `None` before
            `search`. Also in `evolution.json` of the project.

    Example:

    >>> import tempfile
    >>> import numpy as np
    >>> def build(hp):
    ...     model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(1)])
    ...     rate = hp.Float("learning_rate", 1e-4, 1e-1, sampling="log")
    ...     model.compile(keras.optimizers.SGD(rate), "mse")
    ...     return model
    >>> x, y = np.eye(3), np.ones((3, 1))
    >>> tuner = Evolution(build, "loss", 8, directory=tempfile.mkdtemp())
    >>> tuner.search(x, y, epochs=4, verbose=0)
    >>> len(tuner.schedule().of("learning_rate"))
    4

    Reference:
        Jaderberg et al. (2017), Population Based Training of Neural Networks,
        https://arxiv.org/abs/1711.09846.
    """

    def __init__(
        self,
        hypermodel: keras_tuner.HyperModel | Callable | None = None,
        objective: str | keras_tuner.Objective | None = None,
        population: int = 32,
        *,
        interval: int = 1,
        quantile: float = 0.25,
        perturb: float = 0.1,
        resample: float = 0.25,
        seed: int | None = 0,
        **kwargs,
    ) -> None:
        check_arguments(population, kwargs)
        self._size = population
        self._rules = Rules(interval, quantile, perturb, resample)
        self._searched: SearchArguments | None = None
        self.ancestry: Ancestry | None = None
        super().__init__(
            hypermodel,
            objective,
            max_trials=population,
            seed=seed,
            population=population,
            **kwargs,
        )

    def schedule(self, trial_id: str | None = None) -> HyperparameterSchedule:
        """Returns what the weights of a member were trained with.

        It ends with the member's best epoch, whose weights are kept.

        Args:
            trial_id: Of the member's trial; by default of the best.

        Raises:
            InputError: If there is none, or it failed.
        """
        if trial_id is None:
            best = self.oracle.get_best_trials(1)
            trial = best[0] if best else None
        else:
            trial = self.oracle.trials.get(trial_id)
        if trial is None or trial.best_step is None or self.ancestry is None:
            raise InputError(
                f"There is no schedule of {trial_id or 'a best trial'}: it "
                "has not ended, or has failed. Call `search` first."
            )
        return self.ancestry.schedule(trial.trial_id, trial.best_step + 1)

    def check(self, *fit_args, **fit_kwargs) -> None:
        """Raises unless the hyperparameters of the space can evolve.

        `search` does so itself; before it nothing is trained, nor written.

        Args:
            *fit_args: What `search` is to be called with.
            **fit_kwargs: Likewise.

        Raises:
            InputError: If one cannot, which is named.
        """
        search = SearchArguments(fit_args, fit_kwargs)
        trial = Trial(self.oracle.get_space(), "0")
        with global_state.preserved():
            first = make_candidate(trial, self, search, Caviar.run_trial, None)
            self._members(_candidates([first]), search)

    def replay(
        self,
        schedule: HyperparameterSchedule | None = None,
        *fit_args,
        **fit_kwargs,
    ) -> keras.Model:
        """Returns a model trained alone, by `fit`, as a member was.

        Its weights are the member's, to rounding: it begins with the same
        ones, sees the same mini-batches, and `FollowSchedule` sets its
        hyperparameters.

        Args:
            schedule: What `schedule` returned; by default that of the best.
            *fit_args: What `search` was called with; may be left out where it
                was called before on this object.
            **fit_kwargs: Likewise.

        Raises:
            InputError: If it is not known what to fit to.
        """
        search = self._searched
        if fit_args or fit_kwargs:
            search = SearchArguments(fit_args, fit_kwargs)
        if search is None:
            raise InputError(
                "`replay` needs the data. Give it what `search` was given: "
                "tuner.replay(schedule, x, y, epochs=...)."
            )
        return replayed(self, schedule or self.schedule(), search)

    def run_trials(self, search: SearchArguments) -> None:
        self._searched = search
        if self.oracle.end_order:
            # All members end together, however many trials an oracle has.
            self._check_same_rules()
            return
        global_state.clear_session()
        requests = TrialRequests(self, self._size)
        with self._saved_once(), trials_written_together(self.oracle):
            begun = requests.batch(
                functools.partial(self.begin_trial, search=search)
            )
        if begun:
            try:
                result = self._trained(_candidates(begun), search)
            except CannotVectorize as error:
                raise _not_together(str(error)) from error
            with self._saved_once():
                record = commit(result, self, search, self._after_trials)
                self._groups_log.add(record)
            remove_checkpoint(self.project_dir)

    def _check_same_rules(self) -> None:
        """Raises if a search that has ended is to go on by other rules."""
        known = self.ancestry.rules if self.ancestry else {}
        now = dataclasses.asdict(self._rules)
        for name, value in known.items():
            if now.get(name, value) != value:
                raise InputError(
                    f"The search in {self.project_dir} has ended, with "
                    f"{name}={value}. Give the same, or `overwrite=True` to "
                    f"begin anew. Received: {name}={now[name]}"
                )

    def _trained(
        self, candidates: list[Candidate], search: SearchArguments
    ) -> GroupResult:
        """Trains members, and returns what came of them."""
        start = time.monotonic()
        members = self._members(candidates, search)
        checkpoint = Checkpoint(self.project_dir, candidates, self._rules)
        snapshot, ancestry = checkpoint.read() or (
            None,
            _begun(candidates, self._rules),
        )
        self.ancestry = ancestry
        objective = self.oracle.objective
        trainer, histories = members.program.train(
            candidates,
            Generations(
                members,
                ancestry,
                self._rules,
                (objective.name, objective.direction),
                self.oracle.seed,
                candidates[0].arguments["epochs"],
                checkpoint,
            ),
            resume_from=snapshot,
        )
        seconds = time.monotonic() - start
        for k, history in enumerate(histories):
            if history.best_epoch is not None:
                _describe(candidates[k].trial, ancestry, history.best_epoch)
        ancestry.write(self.project_dir)
        report = members.program.report
        return GroupResult(
            [
                Outcome(
                    [candidate],
                    [histories[k]],
                    trainer,
                    k,
                    members.program,
                    None,
                    seconds / len(candidates),
                )
                for k, candidate in enumerate(candidates)
            ],
            report["how"],
            "; ".join(report["remarks"]),
            "",
            seconds,
            report["verified"],
        )

    def _members(
        self, candidates: list[Candidate], search: SearchArguments
    ) -> Members:
        remake = functools.partial(self._remade, search=search)
        return Members(candidates, remake, self._program)

    def _remade(
        self,
        candidate: Candidate,
        values: dict[str, Any],
        search: SearchArguments,
    ) -> Candidate | SerialTrial:
        """Returns a member as it would be with other hyperparameters."""
        hp = candidate.trial.hyperparameters.copy()
        hp.values = dict(values)
        trial = Trial(hp, candidate.trial.trial_id)
        return make_candidate(
            trial, self, search, Caviar.run_trial, None, may_differ=False
        )

    def _program(self, candidates: list[Candidate]) -> GroupProgram:
        objective = self.oracle.objective
        return GroupProgram(
            candidates,
            (objective.name, objective.direction, self.break_ties_by),
            self.oracle.seed,
            self._device,
            self._verify,
        )

    def reload(self) -> None:
        super().reload()
        try:
            self.ancestry = Ancestry.read(self.project_dir)
        except (OSError, ValueError):
            # Of a search that was broken off.
            self.ancestry = None


def _candidates(begun: list[Candidate | SerialTrial]) -> list[Candidate]:
    """Returns the members that have begun, if they can train together."""
    for one in begun:
        if isinstance(one, SerialTrial):
            raise _not_together(one.why)
        check_fit(one.arguments)
    return [one for one in begun if isinstance(one, Candidate)]


def _not_together(why: str) -> InputError:
    return InputError(
        "Evolution trains all members as one program, which these cannot be: "
        f"{why}. Change that, or search with Caviar."
    )


def _begun(candidates: list[Candidate], rules: Rules) -> Ancestry:
    """Returns the first generation."""
    values = [dict(c.trial.hyperparameters.values) for c in candidates]
    numbers = list(range(len(candidates)))
    return Ancestry(
        [c.trial.trial_id for c in candidates],
        [Generation(0, numbers, values)],
        dataclasses.asdict(rules),
    )


def _describe(trial: Trial, ancestry: Ancestry, best_epoch: int) -> None:
    """Gives a trial the hyperparameters of its best epoch."""
    schedule = ancestry.schedule(trial.trial_id, best_epoch + 1)
    trial.hyperparameters.values = dict(schedule.at(best_epoch))
