"""The fourth step: training a group as one program; its results."""

import contextlib
import dataclasses
import gc
import time
from collections.abc import Iterator

from tfcourse.tuning.caviar.programs import GroupProgram, ProgramCache
from tfcourse.tuning.caviar.steps.candidates import (
    Candidate,
    executions,
    hyperband_epochs,
)
from tfcourse.tuning.caviar.steps.grouping import Group, SerialGroup
from tfcourse.tuning.caviar.steps.outcome import Outcome
from tfcourse.tuning.caviar.successive_halving import Halving
from tfcourse.tuning.population import CannotVectorize
from tfcourse.tuning.population.engines.base import is_out_of_memory
from tfcourse.tuning.tuners.serial import SerialTuner
from tfcourse.utils.text import first_line


@dataclasses.dataclass
class GroupResult:
    """Trials that were trained together.

    Attributes:
        outcomes: An `Outcome` for each of the trials.
        how: `"vectorised"` or `"vectorised with a loop"`.
        why: What did not go as it should, or `""`.
        advice: What to do about it, or `""`.
        seconds: How long it took.
        verified: How many of the members were compared with Keras's own.
        program: The name of the program that trained them.
    """

    outcomes: list[Outcome]
    how: str
    why: str
    advice: str
    seconds: float
    verified: int = 0
    program: str = ""


def train_groups(
    groups: list[Group | SerialGroup],
    tuner: SerialTuner,
    programs: ProgramCache,
    halving: bool = False,
    device: str | None = None,
    verify: bool = False,
    only: frozenset[str] | None = None,
) -> Iterator[GroupResult | SerialGroup]:
    """Trains groups, and the parts of each, one after the other.

    Args:
        groups: The groups.
        tuner: The tuner whose trials they are.
        programs: The programs of the tuner's search.
        halving: Whether the worse half of the trials is dropped at rungs.
        device: As for `Population`.
        verify: As for `GroupProgram`.
        only: The ids of the trials to train now, by the programs of all, so
            that they come out as they would among all; None for all.

    Yields:
        What became of the trials, before others are trained; a `SerialGroup`
        of those that cannot be trained together.
    """
    for group in groups:
        if isinstance(group, SerialGroup):
            if some := _among(group, only):
                yield some
        else:
            yield from _GroupTraining(
                group, tuner, programs, halving, device, verify, only
            ).results()
            gc.collect()


def _among(
    group: SerialGroup, only: frozenset[str] | None
) -> SerialGroup | None:
    """Returns a group with none but some of its trials, if there are any."""
    if only is None:
        return group
    trials = [trial for trial in group.trials if trial.trial_id in only]
    return dataclasses.replace(group, trials=trials) if trials else None


class _GroupTraining:
    """Trains a group; see `train_groups`."""

    def __init__(
        self,
        group: Group,
        tuner: SerialTuner,
        programs: ProgramCache,
        halving: bool,
        device: str | None,
        verify: bool,
        only: frozenset[str] | None,
    ) -> None:
        self._tuner = tuner
        # Hyperband drops trials itself.
        hp = group.parts[0][0].trial.hyperparameters
        self._halving = halving and not hyperband_epochs(hp)
        self._device = device
        self._verify = verify
        self._programs = programs
        self._program: GroupProgram | None = None
        self._by_one_step = group.by_one_step
        self._only = only
        self._why, self._advice = group.why, group.advice
        self._parts = [
            [executions(candidate, tuner) for candidate in part]
            for part in group.parts
        ]

    def results(self) -> Iterator[GroupResult | SerialGroup]:
        parts = list(map(self._wanted, self._parts))
        if self._by_one_step:
            # One by one, what has ended is kept.
            parts = [[runs] for part in parts for runs in part]
        parts = [part for part in parts if part]
        for n, part in enumerate(parts):
            result = None
            for result in self._train(part):
                yield result
            first = self._by_one_step and not n
            if first and isinstance(result, SerialGroup):
                # What one step cannot do for one it cannot for the others.
                rest = [runs[0].trial for one in parts[1:] for runs in one]
                if rest:
                    yield SerialGroup(rest, result.why)
                return

    def _wanted(self, part: list[list[Candidate]]) -> list[list[Candidate]]:
        """Returns the trials of a part that are to be trained now."""
        if self._only is None:
            return part
        return [r for r in part if r[0].trial.trial_id in self._only]

    def _train(
        self, part: list[list[Candidate]], halved: str = ""
    ) -> Iterator[GroupResult | SerialGroup]:
        """Trains trials, each a list of candidates, that are fitted alike."""
        start = time.monotonic()
        try:
            with self._strategy():
                outcomes = self._outcomes(part)
        except Exception as error:
            # Kept no longer than this, as it keeps the arrays alive.
            why = _reason(error)
            too_large = is_out_of_memory(error) and len(part) > 1
        else:
            seconds = time.monotonic() - start
            yield self._result(outcomes, seconds, halved)
            return
        if not too_large:
            yield SerialGroup([runs[0].trial for runs in part], why)
            return
        half = (len(part) + 1) // 2
        halved = f"there was not enough memory for {len(part)} trials at once"
        yield from self._train(part[:half], halved)
        yield from self._train(part[half:], halved)

    def _strategy(self) -> contextlib.AbstractContextManager:
        """Returns where optimizers were made, and their variables must be."""
        strategy = self._tuner.distribution_strategy
        return strategy.scope() if strategy else contextlib.nullcontext()

    def _outcomes(self, part: list[list[Candidate]]) -> list[Outcome]:
        if self._program is None:
            self._program = self._find_program()
        program = self._program
        arguments, count = part[0][0].arguments, len(part[0])
        halving = Halving(
            len(part) if self._halving else 0,
            count,
            self._objective(),
            arguments["initial_epoch"],
            arguments["epochs"],
        )
        population, histories = program.train(
            [candidate for runs in part for candidate in runs],
            halving if self._halving else None,
            any_batch_size=len(self._parts) > 1,
        )
        return [
            Outcome(
                runs,
                histories[n * count : (n + 1) * count],
                population,
                n * count,
                program,
                halving.dropped.get(n),
            )
            for n, runs in enumerate(part)
        ]

    def _find_program(self) -> GroupProgram:
        every = [c for part in self._parts for runs in part for c in runs]
        program = self._programs.of(
            every,
            (*self._objective(), self._tuner.break_ties_by),
            self._tuner.oracle.seed,
            self._device,
            self._verify,
            by_one_step=self._by_one_step,
        )
        if self._by_one_step:
            program.choose([runs[0] for part in self._parts for runs in part])
        return program

    def _objective(self) -> tuple[str, str]:
        objective = self._tuner.oracle.objective
        return objective.name, objective.direction

    def _result(
        self, outcomes: list[Outcome], seconds: float, halved: str
    ) -> GroupResult:
        for outcome in outcomes:
            outcome.seconds = seconds / len(outcomes)
        report = outcomes[0].program.report
        looped = [f"{name} does not vectorise" for name in report["one_by_one"]]
        reasons = [self._why, halved, *looped, *report["remarks"]]
        why = "; ".join(filter(None, reasons))
        return GroupResult(
            outcomes,
            report["how"],
            why,
            self._advice,
            seconds,
            report.get("verified", 0),
            self._programs.name_of(outcomes[0].program),
        )


def _reason(error: Exception) -> str:
    if isinstance(error, CannotVectorize):
        return str(error)
    return (
        f"training together failed: {type(error).__name__}: {first_line(error)}"
    )
