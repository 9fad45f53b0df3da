"""What training takes, as one program and one by one.

All costs are counted in multiplications of a forward pass, of which two cores
do 4.5e9 a second of CPU time when they train. Measured on searches of 16
trials of dense, convolutional and recurrent networks of 30 steps.
"""

from collections.abc import Iterator
from typing import Any

import keras
import numpy as np

from tfcourse.data.adapters import (
    are_arrays,
    is_tensorflow_dataset,
    length_of,
)
from tfcourse.tuning.caviar.steps.candidates import Candidate
from tfcourse.tuning.caviar.steps.one_step import FEWEST, of_one_step
from tfcourse.tuning.population.functional.layer_traits import convolves
from tfcourse.tuning.population.settings.forms.recurrent_noise import (
    masks_drawn_by,
)
from tfcourse.tuning.supernet import Work, recurrent_steps
from tfcourse.utils.keras_private import every_layer

# Before it trains: 1.9 s of a program of three layers, 0.9 s of a trial by
# `model.fit`, whose functions are traced and compiled, too; and of each layer.
PROGRAM, ALONE = 3.2e9, 3.2e9
_PROGRAM_LAYER, _ALONE_LAYER = 1.6e9, 0.3e9
# For each recurrent layer of 30 steps, which a program writes out, and its
# gradient: 6 s; `fit` makes a loop.
PROGRAM_RECURRENT, ALONE_RECURRENT = 27e9, 1.5e9
# And where members have dropout inside, so that each gate is computed alone:
# 20 s.
PROGRAM_MASKS = 90e9
_STEPS = 30
# A step of a member, whatever it computes: what lies between operations.
_STEP_TOGETHER, _STEP_ALONE = 1.4e6, 14e6
_STEP_TOGETHER_SLOW, _STEP_ALONE_SLOW = 10e6, 30e6
# And where each trial is trained by itself, but by a step that they share:
# what it takes to trace it, and to compare it with Keras's.
SHARED, _SHARED_LAYER, _SHARED_RECURRENT = 3.6e9, 0.7e9, 5.4e9
_STEP_SHARED, _STEP_SHARED_SLOW = 2.2e6, 10e6
# What a product in a convolution takes, beside one of matrices.
_CONVOLVED = 0.5
# Of data that do not say how large its batches are.
_BATCH = 32


class Costs:
    """What it takes to train some trials that one program can train.

    Args:
        candidates: The candidates, of one family or of one structure.
        executions: How often each trial is executed.
        steps_are_shared: Whether trials apart from a program may be trained one
            after the other by one step.

    Attributes:
        program: What a program takes before it trains.
        alone: What each of the trials takes by `model.fit`, an array.
        apart: What each takes if it is in no program: by a step that it shares,
            or by `model.fit`.
        visits: On how many examples each is trained, counted as often as it is.
    """

    def __init__(
        self,
        candidates: list[Candidate],
        executions: int,
        steps_are_shared: bool = False,
    ) -> None:
        models = [candidate.model for candidate in candidates]
        times = np.array([executions * c.folds for c in candidates], float)
        each = np.array([_examples(c.arguments) for c in candidates], float)
        sizes = [c.arguments.get("batch_size") or _BATCH for c in candidates]
        self.visits = times * each
        steps = self.visits / np.array(sizes)
        recurrent = [_recurrent_layers(model) for model in models]
        masked = [
            count if any(masks_drawn_by(model)) else 0.0
            for model, count in zip(models, recurrent, strict=True)
        ]
        every = [every_layer(model, itself=False) for model in models]
        depth = [len(some) for some in every]
        convolved = np.array([any(map(convolves, some)) for some in every])
        is_slow = convolved | (np.array(recurrent) > 0)
        self._work = Work(models)
        self._product = np.where(convolved, _CONVOLVED, 1.0)
        self.program = (
            PROGRAM
            + _PROGRAM_LAYER * max(depth)
            + PROGRAM_RECURRENT * max(recurrent)
            + PROGRAM_MASKS * max(masked)
        )
        trained = self.visits * self._work.alone * self._product
        self.alone = (
            trained
            + times * (ALONE + _ALONE_LAYER * np.array(depth))
            + times * ALONE_RECURRENT * np.array(recurrent)
            + steps * np.where(is_slow, _STEP_ALONE_SLOW, _STEP_ALONE)
        )
        self.apart = self.alone.copy()
        trained += steps * np.where(is_slow, _STEP_SHARED_SLOW, _STEP_SHARED)
        for some in _sharing(candidates) if steps_are_shared else []:
            of_step = (
                SHARED
                + _SHARED_LAYER * max(depth[i] for i in some)
                + _SHARED_RECURRENT * max(recurrent[i] for i in some)
            )
            self.apart[some] = np.minimum(
                self.alone[some], trained[some] + of_step / len(some)
            )
        self._steps = steps * np.where(
            is_slow, _STEP_TOGETHER_SLOW, _STEP_TOGETHER
        )

    @property
    def small_first(self) -> list[int]:
        """The indices of the trials, by the size of their networks."""
        return np.argsort(self._work.alone, kind="stable").tolist()

    def together(self, order: list[int]) -> np.ndarray:
        """Returns what a program takes while it trains, for the first trials.

        Args:
            order: The indices of the trials.

        Returns:
            For each trial: what it takes to train it and those before it.
        """
        visits = np.cumsum((self.visits * self._product)[order])
        padded = self._work.of_supernets(order)
        return np.cumsum(self._steps[order]) + visits * padded


def _sharing(candidates: list[Candidate]) -> Iterator[list[int]]:
    """Yields the indices of candidates that would share a step."""
    places = {id(candidate): i for i, candidate in enumerate(candidates)}
    for some in of_one_step(candidates):
        if len(some) >= FEWEST:
            yield [places[id(candidate)] for candidate in some]


def _recurrent_layers(model: keras.Model) -> float:
    """Returns how many recurrent layers there are, of 30 steps each."""
    return sum(
        min((steps or _STEPS) / _STEPS, 1.0) for steps in recurrent_steps(model)
    )


def _examples(arguments: dict[str, Any]) -> float:
    """Returns on how many examples a model is trained, all epochs together."""
    x = arguments["x"]
    if are_arrays(x):
        each = length_of(x)
    elif is_tensorflow_dataset(x):
        each = max(int(x.cardinality()), 0) * _BATCH
    else:
        each = (getattr(x, "num_batches", None) or 0) * _BATCH
    return each * (arguments["epochs"] - arguments["initial_epoch"])
