"""A member's training once more, by `fit`, on a model alone."""

from typing import Any

import keras
import keras_tuner
import numpy as np

from tfcourse.data.adapters import are_arrays
from tfcourse.errors import InputError
from tfcourse.tuning._keras_tuner import build_model
from tfcourse.tuning.caviar.arguments.fit_arguments import (
    SearchArguments,
    fit_arguments,
)
from tfcourse.tuning.evolution.following import FollowSchedule
from tfcourse.tuning.evolution.schedule import HyperparameterSchedule
from tfcourse.tuning.population.data.batches import (
    Batches,
    Orders,
    each,
    generator,
)
from tfcourse.tuning.population.data.fit_data import FitData, fit_data
from tfcourse.tuning.tuners.fingerprint import fit_arguments_by_name
from tfcourse.tuning.tuners.serial import SerialTuner
from tfcourse.utils import global_state

_BATCH_SIZE = 32


def replayed(
    tuner: SerialTuner,
    schedule: HyperparameterSchedule,
    search: SearchArguments,
) -> keras.Model:
    """Returns a model trained by `fit` as a member of a population was.

    Args:
        tuner: The tuner of the search.
        schedule: The member's schedule.
        search: What the search was called with.
    """
    trial = tuner.oracle.get_trial(schedule.trial_id)
    hp = keras_tuner.HyperParameters()
    hp.values = dict(schedule.values[0])
    arguments = fit_arguments(tuner.hypermodel, hp, search)
    with global_state.preserved():
        keras.utils.set_random_seed(tuner.seed_of(trial))
        model = build_model(tuner, hp)
        data, callbacks = _data(arguments, search, tuner.oracle.seed)
        model.fit(
            **data,
            epochs=schedule.epochs,
            initial_epoch=arguments["initial_epoch"],
            class_weight=arguments["class_weight"],
            shuffle=False,
            verbose=0,
            callbacks=[
                *callbacks,
                FollowSchedule(schedule, lambda hp: build_model(tuner, hp)),
            ],
        )
    return model


def _data(
    arguments: dict[str, Any], search: SearchArguments, seed: int
) -> tuple[dict[str, Any], list[keras.callbacks.Callback]]:
    """Returns arguments of `fit`, and what keeps to the members' order."""
    if not are_arrays(arguments["x"]):
        given = fit_arguments_by_name(search.args, search.kwargs)
        steps = arguments["steps_per_epoch"]
        return {"x": given["x"], "steps_per_epoch": steps}, []
    names = ("x", "y", "sample_weight", "batch_size", "validation_split")
    data = fit_data(1, **{name: arguments[name] for name in names})
    _check_steps(data, arguments["steps_per_epoch"])
    ordered = _OrderedBatches(
        (data.x, data.y, data.sample_weight),
        data.batch_size or _BATCH_SIZE,
        Orders(
            generator(arguments["shuffle"], seed), arguments["steps_per_epoch"]
        ),
        arguments["initial_epoch"],
    )
    return {"x": ordered}, [_TellEpoch(ordered)]


def _check_steps(data: FitData, steps: int | None) -> None:
    """Raises an `InputError` where some epochs are shorter than others."""
    batches = Batches(
        (data.x, data.y, data.sample_weight), data.batch_size or _BATCH_SIZE
    )
    if steps is not None and batches.steps % steps:
        raise InputError(
            "`replay` cannot train epochs of unlike length: the "
            f"{len(batches)} examples are {batches.steps} mini-batches, and "
            f"`steps_per_epoch` takes {steps} of them. Search with one that "
            f"divides {batches.steps}."
        )


class _OrderedBatches(keras.utils.PyDataset):
    """Mini-batches of arrays in the order that a population has."""

    def __init__(
        self, arrays: Any, batch_size: int, orders: Orders, first: int
    ) -> None:
        super().__init__()
        self._arrays = each(np.asarray, arrays)
        self._batches = Batches(self._arrays, batch_size)
        self._next = orders
        self._orders: list[np.ndarray] = []
        self._first = self.epoch = first

    @property
    def num_batches(self) -> int:
        size = self._batches.batch_size
        return -(-len(self._order) // size)

    def __getitem__(self, index: int) -> Any:
        size = self._batches.batch_size
        some = self._order[index * size : (index + 1) * size]
        x, y, weight = each(lambda array: array[some], self._arrays)
        return (x, y) if weight is None else (x, y, weight)

    @property
    def _order(self) -> np.ndarray:
        place = self.epoch - self._first
        while len(self._orders) <= place:
            self._orders += self._next([self._batches])
        return self._orders[place]


class _TellEpoch(keras.callbacks.Callback):
    def __init__(self, batches: _OrderedBatches) -> None:
        super().__init__()
        self._batches = batches

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
        self._batches.epoch = epoch
