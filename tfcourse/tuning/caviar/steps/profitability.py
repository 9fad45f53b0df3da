"""Which trials are too few for a program of their own."""

import collections

import keras

from tfcourse.tuning.caviar.programs import ProgramCache
from tfcourse.tuning.caviar.steps.grouping import Parts
from tfcourse.tuning.tuners.serial import SerialTuner
from tfcourse.utils.keras_private import every_layer

# A program costs, before it trains, as much as so many trials of a few steps by
# `model.fit`, whose own functions are traced and compiled, too. Measured in CPU
# seconds a search: 1.0 to 1.9 times as much as a trial for dense and
# convolutional networks. The loop of a recurrent layer is written anew for many
# members, and so is its gradient: 6 to 9 times; and a step of a member takes as
# long as alone, so that more steps do not make up for it.
LEAST = 2
LEAST_RECURRENT = 12


class Profitability:
    """Knows whether a program costs less than training trials one by one.

    Args:
        tuner: The tuner whose trials they are.
        programs: The programs that are there already.
        least: How many models a program must train at least; by default as many
            as it takes to be faster.
    """

    def __init__(
        self, tuner: SerialTuner, programs: ProgramCache, least: int | None
    ) -> None:
        self._tuner = tuner
        self._programs = programs
        self._least = least
        # How many models of a structure have been trained alone, which a
        # program would have trained as well.
        self._alone: collections.Counter = collections.Counter()

    def too_few(self, parts: Parts) -> str:
        """Returns why a group's trials are to be trained alone, or `""`."""
        first, least = parts[0][0], self._least or least_members(parts)
        every = [candidate for part in parts for candidate in part]
        executions = self._tuner.executions_per_trial
        members = executions * sum(candidate.folds for candidate in every)
        kind = first.family or first.structure
        if self._alone[kind] + members >= least or self._programs.has(every):
            return ""
        self._alone[kind] += members
        return (
            f"{members} of its structure are too few: a program pays from "
            f"{least} on"
        )


def least_members(parts: Parts) -> int:
    """Returns from how many models like those of a group on a program pays."""
    recurrent = any(
        isinstance(layer, keras.layers.RNN)
        for layer in every_layer(parts[0][0].model)
    )
    return LEAST_RECURRENT if recurrent else LEAST
