"""Schedules: is each epoch's value the one that was in force?"""

import keras
import numpy as np
import pytest

from tfcourse.errors import InputError
from tfcourse.tuning import HyperparameterSchedule

SCHEDULE = HyperparameterSchedule(
    "00",
    (0, 2, 3),
    (
        {"learning_rate": 0.1, "1 - beta": 0.1},
        {"learning_rate": 0.1, "1 - beta": 0.01},
        {"learning_rate": 0.3, "1 - beta": 0.01},
    ),
    5,
)


def test_each_epoch_has_the_values_set_last():
    assert SCHEDULE.of("learning_rate") == [0.1, 0.1, 0.1, 0.3, 0.3]
    assert SCHEDULE.of("beta") == [0.9, 0.9, 0.99, 0.99, 0.99]
    assert SCHEDULE.of("1 - beta") == [0.1, 0.1, 0.01, 0.01, 0.01]
    assert SCHEDULE.at(100) == SCHEDULE.values[-1]


def test_keras_reads_the_same_rate_at_each_step():
    schedule = SCHEDULE.to_keras(steps_per_epoch=3)
    found = [float(schedule(step)) for step in range(15)]
    expected = np.repeat(SCHEDULE.of("learning_rate"), 3)
    np.testing.assert_allclose(found, expected, rtol=1e-6)


def test_keras_has_a_schedule_of_what_never_changes():
    constant = HyperparameterSchedule("00", (0,), ({"learning_rate": 0.1},), 4)
    schedule = constant.to_keras(steps_per_epoch=2)
    found = [float(schedule(step)) for step in range(12)]
    np.testing.assert_allclose(found, 0.1, rtol=1e-6)


def test_an_optimizer_takes_the_schedule():
    optimizer = keras.optimizers.SGD(SCHEDULE.to_keras(2))
    config = keras.optimizers.serialize(optimizer)
    assert keras.optimizers.deserialize(config).get_config() == (
        optimizer.get_config()
    )


def test_an_unknown_name_is_told():
    with pytest.raises(InputError, match="Did you mean 'learning_rate'"):
        SCHEDULE.of("lerning_rate")


def test_it_shows_its_parts_as_a_table():
    assert str(SCHEDULE) == (
        "<HyperparameterSchedule: learning_rate, beta over 5 epochs in 3 parts>"
    )
    header, rows, _ = SCHEDULE._as_table()
    assert header == ("from epoch", "learning_rate", "beta")
    assert rows[1] == ("3", "0.1", "0.99")
