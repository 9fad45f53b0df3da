"""A model in training whose hyperparameters follow a schedule."""

import functools
from collections.abc import Callable
from typing import Any

import keras
import keras_tuner
import numpy as np

from tfcourse.errors import InputError
from tfcourse.tuning.evolution.evolvable import is_setting
from tfcourse.tuning.evolution.schedule import HyperparameterSchedule
from tfcourse.tuning.population.deferred import (
    all_variables,
    build_deferred,
    initial_values,
)
from tfcourse.tuning.population.settings.reading import digest_and_settings
from tfcourse.tuning.population.settings.setting import Kind, Setting
from tfcourse.utils import global_state


class FollowSchedule(keras.callbacks.Callback):
    """Sets a model's hyperparameters in training, as a schedule has them.

    Before an epoch in which they change, the model gets what a model with the
    new ones begins with: the values of its variables, such as the learning
    rate, and numbers in Python, such as a rate of dropout, with which the step
    is then traced anew. Its weights and the state of its optimizer stay.

    Args:
        schedule: The `HyperparameterSchedule`, as `Evolution.schedule` returns
            it.
        build: The function from `HyperParameters` to a compiled model, or the
            `keras_tuner.HyperModel`, of the search. The model in training
            must be one that it has made.

    Raises:
        InputError: In `fit`, if the model is another one.
    """

    def __init__(
        self,
        schedule: HyperparameterSchedule,
        build: Callable[..., Any] | keras_tuner.HyperModel,
    ) -> None:
        super().__init__()
        self._schedule = schedule
        self._build: Any = getattr(build, "build", build)
        self._part: int | None = None
        self._own: list[Setting] = []
        self._settings: list[list[Setting]] = []
        self._variables: dict[int, np.ndarray] = {}

    def on_train_begin(self, logs: Any = None) -> None:
        model: Any = self.model
        self._part = None
        if not model.optimizer.built:
            # As the first step would.
            model.optimizer.build(model.trainable_variables)
        with global_state.preserved():
            models = [
                build_deferred(functools.partial(self._made, values), 0)
                for values in self._schedule.values
            ]
            self._own = _settings_of(model)
            self._settings = [_settings_of(other) for other in models]
            _check_alike([self._own, *self._settings])
            columns = _initial_values(model, models)
        weights = len(model.trainable_variables)
        self._variables = {
            i: column
            for i, column in enumerate(columns)
            if i >= weights and is_setting(column)
        }

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
        part = self._schedule.values.index(self._schedule.at(epoch))
        if part == self._part:
            return
        self._part = part
        model: Any = self.model
        variables = all_variables(model)
        for i, column in self._variables.items():
            variables[i].assign(column[part])
        self._install(self._settings[part])

    def _made(self, values: dict[str, Any]) -> keras.Model:
        hp = keras_tuner.HyperParameters()
        hp.values = dict(values)
        return self._build(hp)

    def _install(self, settings: list[Setting]) -> None:
        model: Any = self.model
        changed = False
        for own, new in zip(self._own, settings, strict=True):
            if own.value == new.value:
                continue
            kind = Kind(
                new.value.kind, list(new.value.numbers), new.value.source
            )
            own.form.install(own.owner, own.name, [kind], None)
            own.value, changed = new.value, True
        if changed:
            # What a traced step has of Python stays as it was.
            model.make_train_function(force=True)


def _settings_of(model: keras.Model) -> list[Setting]:
    _, settings = digest_and_settings(model)
    noise = (noise.setting for gap in settings.gaps for noise in gap)
    return [
        setting
        for setting in (*settings.of_model, *settings.of_optimizer, *noise)
        # A chain has one more that is a model once it is built.
        if setting.name == "loss" or not isinstance(setting.owner, keras.Model)
    ]


def _initial_values(
    model: keras.Model, others: list[keras.Model]
) -> list[np.ndarray]:
    try:
        return initial_values(model, others)
    except ValueError as error:
        raise _another_model() from error


def _check_alike(models: list[list[Setting]]) -> None:
    kinds = {tuple((type(s.owner), s.name) for s in some) for some in models}
    if len(kinds) > 1:
        raise _another_model()


def _another_model() -> InputError:
    return InputError(
        "The model in training is not one that `build` makes of the "
        "schedule's hyperparameters: it has other layers, or variables of "
        "other shapes. Call `fit` of the model of `build`, with the schedule "
        "of its search."
    )
