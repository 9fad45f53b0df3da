"""The points to try: around the old best, on the scales of the space?"""

import keras
import keras_tuner
import pytest

from tfcourse.errors import InputError
from tfcourse.tuning import one_minus_log_uniform
from tfcourse.tuning.retesting.points import points_around, space_of
from tfcourse.tuning.search_space.hypermodel import as_hypermodel

OLD = {"learning_rate": 0.01, "optimizer": "momentum", "beta": 0.9}


def build(hp):
    rate = hp.Float("learning_rate", 1e-4, 1.0, sampling="log", default=1e-3)
    kind = hp.Choice("optimizer", ["adam", "momentum"])
    optimizer = keras.optimizers.Adam(rate)
    with hp.conditional_scope("optimizer", ["momentum"]):
        beta = one_minus_log_uniform(hp, "beta", 0.5, 0.99)
        if kind == "momentum":
            optimizer = keras.optimizers.SGD(rate, beta)
    model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])
    model.compile(optimizer, "mse")
    return model


@pytest.fixture(scope="module")
def space():
    objective = keras_tuner.Objective("val_loss", "min")
    return space_of(as_hypermodel(build), objective)


def test_neighbours_are_a_tenth_of_the_range_away(space):
    points = points_around(space, OLD, 0, 0)
    assert (points[0].role, points[0].values) == ("old", OLD)
    around = {
        name: [p.values.get(name) for p in points if p.changed == name]
        for name in OLD
    }
    assert around["learning_rate"] == pytest.approx([10**-2.4, 10**-1.6])
    # From 0.01 to 0.5 of one minus it.
    step = 50**0.1
    assert around["beta"] == pytest.approx(
        [1 - 0.1 / step, 1 - 0.1 * step], rel=1e-6
    )
    assert around["optimizer"] == ["adam"]
    for point in points:
        changed = [n for n in OLD if point.values.get(n) != OLD[n]]
        if point.role == "neighbour" and point.changed != "optimizer":
            assert changed == [point.changed]


def test_draws_and_the_default_come_last_and_none_twice(space):
    points = points_around(space, OLD, 3, 0)
    assert [p.role for p in points[-4:]] == ["draw"] * 3 + ["default"]
    assert points[-1].values == {"learning_rate": 1e-3, "optimizer": "adam"}
    values = [point.values for point in points]
    assert all(value not in values[:n] for n, value in enumerate(values))
    again = points_around(space, OLD, 3, 0)
    assert again == points
    default = points_around(space, points[-1].values, 0, 0)
    assert "default" not in [point.role for point in default]


def test_an_old_choice_outside_of_the_space_is_refused(space):
    with pytest.raises(InputError, match="'learning_rate' of the old choice"):
        points_around(space, {**OLD, "learning_rate": 7.0}, 0, 0)
