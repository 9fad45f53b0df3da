"""Scales: does each decade get its share, and is β itself shown?"""

import keras_tuner
import numpy as np
import pytest

from tfcourse.errors import InputError
from tfcourse.tuning.oracles.random_search import RandomSearchOracle
from tfcourse.tuning.search_space.course_space import CourseSpace
from tfcourse.tuning.search_space.scales import (
    log_uniform,
    one_minus_log_uniform,
    powers_of_two,
    scale_of,
    to_display,
    uniform_integers,
)

DRAWS = 10_000


def draw(declare):
    """Returns many values of a hyperparameter, as `build` gets them."""
    hp = keras_tuner.HyperParameters()
    declare(hp)
    (parameter,) = hp.space
    rng = np.random.default_rng(0)

    def value():
        hp.values[parameter.name] = parameter.prob_to_value(rng.uniform())
        return declare(hp)

    return np.array([value() for _ in range(DRAWS)])


def assert_equal_mass(values, edges):
    counts, _ = np.histogram(values, edges)
    share = 1 / (len(edges) - 1)
    six_sigma = 6 * np.sqrt(DRAWS * share * (1 - share))
    np.testing.assert_allclose(counts, DRAWS * share, atol=six_sigma)


def test_each_decade_of_the_learning_rate_has_equal_mass():
    values = draw(lambda hp: log_uniform(hp, "alpha", 1e-4, 1.0))

    assert_equal_mass(values, [1e-4, 1e-3, 1e-2, 1e-1, 1.0])


def test_each_decade_of_one_minus_beta_has_equal_mass():
    values = draw(lambda hp: one_minus_log_uniform(hp, "beta", 0.9, 0.9999))

    assert_equal_mass(values, [0.9, 0.99, 0.999, 0.9999])


def test_each_power_of_two_has_equal_mass():
    values = draw(lambda hp: powers_of_two(hp, "batch_size", 32, 256))

    assert set(values.tolist()) == {32, 64, 128, 256}
    assert_equal_mass(np.log2(values), [4.5, 5.5, 6.5, 7.5, 8.5])


def test_each_integer_has_equal_mass():
    values = draw(lambda hp: uniform_integers(hp, "layers", 2, 5))

    assert set(values.tolist()) == {2, 3, 4, 5}
    assert_equal_mass(values, [1.5, 2.5, 3.5, 4.5, 5.5])


def test_beta_is_shown_as_such():
    hp = keras_tuner.HyperParameters()
    beta = one_minus_log_uniform(hp, "beta", 0.9, 0.999)
    ((name, value),) = hp.values.items()

    assert to_display(name, value) == ("beta", pytest.approx(beta, abs=1e-12))
    assert to_display(name, 0.1) == ("beta", 0.9)
    assert scale_of(name, "log") == "one_minus_log"
    assert scale_of("alpha", "log") == "log"
    assert scale_of("alpha", None) == "linear"


def test_values_stay_with_a_search_of_keras_tuner():
    hp = keras_tuner.HyperParameters()
    one_minus_log_uniform(hp, "beta", 0.9, 0.999)
    oracle = RandomSearchOracle("val_loss", 3, hyperparameters=hp)

    values = oracle.populate_space("0")["values"]
    again = keras_tuner.HyperParameters.from_config(hp.get_config())
    again.values = values

    assert one_minus_log_uniform(again, "beta", 0.9, 0.999) == (
        1 - values["1 - beta"]
    )


@pytest.mark.parametrize(
    "scale, low, high",
    [
        (log_uniform, 0, 1),
        (log_uniform, 1, 0.1),
        (log_uniform, 0.1, 0.1),
        (one_minus_log_uniform, 0.9, 1),
        (one_minus_log_uniform, 0.99, 0.9),
        (one_minus_log_uniform, 0, 0.9),
        (uniform_integers, 5, 2),
        (uniform_integers, 1.5, 2),
        (powers_of_two, 3, 8),
        (powers_of_two, 8, 4),
        (powers_of_two, 2.0, 4),
    ],
)
def test_bad_bounds_are_refused(scale, low, high):
    with pytest.raises(InputError, match=f"'x' .*low={low}, high={high}"):
        scale(keras_tuner.HyperParameters(), "x", low, high)


def test_scale_under_a_condition_gives_none_where_it_is_not():
    hp = keras_tuner.HyperParameters()
    hp.Choice("optimizer", ["adam", "momentum"])
    condition = {"parent_name": "optimizer", "parent_values": ["momentum"]}

    assert one_minus_log_uniform(hp, "beta", 0.9, 0.99, **condition) is None
    hp.values = {"optimizer": "momentum", "1 - beta": 0.05}
    assert one_minus_log_uniform(hp, "beta", 0.9, 0.99, **condition) == 0.95


@pytest.mark.parametrize(
    "scale, low, high, default",
    [
        (log_uniform, 1e-4, 1.0, 1e-2),
        (one_minus_log_uniform, 0.9, 0.999, 0.99),
        (uniform_integers, 2, 5, 4),
        (powers_of_two, 32, 256, 64),
    ],
)
def test_the_default_is_the_low_end_or_what_is_given(scale, low, high, default):
    assert scale(keras_tuner.HyperParameters(), "it", low, high) == low
    hp = keras_tuner.HyperParameters()
    value = scale(hp, "it", low, high, default=default)
    assert value == pytest.approx(default, rel=1e-12)
    assert scale(hp, "it", low, high) == value


@pytest.mark.parametrize("default", [0.0, 0.89, 0.9991, 1.0])
def test_a_default_of_beta_lies_between_its_bounds(default):
    hp = keras_tuner.HyperParameters()
    with pytest.raises(InputError, match=f"0.9 and 0.999.*{default}"):
        one_minus_log_uniform(hp, "beta", 0.9, 0.999, default=default)


def test_a_model_of_the_course_is_by_default_one_of_the_course():
    model = CourseSpace((4,), 3).build(keras_tuner.HyperParameters())
    assert float(model.optimizer.beta) == pytest.approx(0.9, abs=1e-7)
    rate = float(model.optimizer.learning_rate)
    assert rate == pytest.approx(0.01, abs=1e-8)
