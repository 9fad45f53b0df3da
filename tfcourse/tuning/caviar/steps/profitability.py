"""Which trials are too few for a program of their own."""

import collections
import math

import keras

from tfcourse.tuning.caviar.programs import ProgramCache
from tfcourse.tuning.caviar.steps.candidates import Candidate
from tfcourse.tuning.caviar.steps.costs import Costs
from tfcourse.tuning.caviar.steps.grouping import Parts
from tfcourse.tuning.caviar.steps.one_step import FEWEST
from tfcourse.tuning.tuners.serial import SerialTuner


class Profitability:
    """Knows whether a program costs less than training trials one by one.

    Args:
        tuner: The tuner whose trials they are.
        programs: The programs that are there already.
        least: How many models a program must train at least; by default as many
            as it takes to be faster.
        halving: Whether trials are compared while they train.

    Attributes:
        steps_are_shared: Whether one step may train trials one after the other.
    """

    def __init__(
        self,
        tuner: SerialTuner,
        programs: ProgramCache,
        least: int | None,
        halving: bool = False,
    ) -> None:
        self.steps_are_shared = (
            not least and not halving and keras.config.backend() == "tensorflow"
        )
        self._tuner = tuner
        self._programs = programs
        self._least = least
        # What a program, once it was there, would have saved on the trials of a
        # structure that were trained alone; and how many models they were.
        self._missed: collections.Counter = collections.Counter()
        self._alone: collections.Counter = collections.Counter()

    def share_step(self, candidates: list[Candidate]) -> bool:
        """Whether candidates are trained one after the other by one step.

        It is traced once, and compared twice.
        """
        return self.steps_are_shared and (
            len(candidates) >= FEWEST
            or self._programs.has(candidates, by_one_step=True)
        )

    def too_few(self, parts: Parts) -> str:
        """Returns why a group's trials are to be trained alone, or `""`."""
        every = [candidate for part in parts for candidate in part]
        if self._programs.has(every):
            return ""
        executions = self._tuner.executions_per_trial
        members = executions * sum(candidate.folds for candidate in every)
        kind = every[0].family or every[0].structure
        if self._least:
            saving, price = members, self._least
        else:
            costs = Costs(every, executions, self.steps_are_shared)
            together = costs.together(costs.small_first)[-1]
            saving, price = costs.apart.sum() - together, costs.program
        if self._missed[kind] + saving >= price:
            return ""
        self._missed[kind] += max(saving, 0)
        if saving <= 0:
            return "one program for them would take longer"
        least = math.ceil(price * members / saving)
        return (
            f"only {members} trials have its structure: a program pays off "
            f"from {least}"
        )
