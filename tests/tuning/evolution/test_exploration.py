"""Nudges: do they stay in the range, and are they even on its scale?"""

import keras_tuner
import numpy as np
import pytest

from tfcourse.tuning.evolution.exploration import explored, nudged
from tfcourse.tuning.search_space.scales import one_minus_log_uniform


def parameter(declare):
    hp = keras_tuner.HyperParameters()
    declare(hp)
    return hp.space[0]


LOG = parameter(lambda hp: hp.Float("a", 1e-4, 1.0, sampling="log"))
LINEAR = parameter(lambda hp: hp.Float("a", 0.2, 0.6))
REVERSED = parameter(
    lambda hp: hp.Float("a", 1.0, 11.0, sampling="reverse_log")
)
BETA = parameter(lambda hp: one_minus_log_uniform(hp, "beta", 0.9, 0.999))
STEPS = parameter(lambda hp: hp.Float("a", 0.0, 1.0, step=0.25))
WHOLE = parameter(lambda hp: hp.Int("a", 1, 9))
CHOICE = parameter(lambda hp: hp.Choice("a", [0.1, 0.5, 0.9]))
NAMES = parameter(lambda hp: hp.Choice("a", ["relu", "tanh"]))
RANGES = [LOG, LINEAR, REVERSED, BETA, STEPS, WHOLE]


@pytest.mark.parametrize(
    "space, value, by, expected",
    [
        # A tenth of four decades, of 0.4, of two decades of 1 - beta.
        (LOG, 1e-2, 0.1, 1e-2 * 10**0.4),
        (LOG, 1e-2, -0.1, 1e-2 / 10**0.4),
        (LINEAR, 0.4, 0.1, 0.44),
        (BETA, 0.01, 0.1, 0.01 * 10**0.2),
        # keras-tuner's own: a + b - a (b / a)^(1 - p), at p = 1/2 ± 1/10.
        (REVERSED, 12 - 11**0.5, 0.1, 12 - 11**0.4),
        # Back from the ends.
        (LOG, 10**-0.2, 0.1, 10**-0.2),
        (LINEAR, 0.22, -0.1, 0.22),
        (STEPS, 0.5, 0.01, 0.75),
        (WHOLE, 5, -0.01, 4),
        (CHOICE, 0.5, 0.01, 0.9),
        (CHOICE, 0.9, 0.01, 0.5),
        (CHOICE, 0.1, -0.3, 0.5),
        (NAMES, "tanh", 0.1, "tanh"),
    ],
)
def test_a_nudge_is_a_share_of_the_range_on_its_scale(
    space, value, by, expected
):
    found = nudged(space, value, by)
    if isinstance(expected, str):
        assert found == expected
    else:
        np.testing.assert_allclose(found, expected, rtol=1e-9)


@pytest.mark.parametrize("space", RANGES, ids=lambda p: p.get_config()["name"])
@pytest.mark.parametrize("perturb", [0.05, 0.5])
def test_no_value_leaves_the_range(space, perturb):
    rng, value = np.random.default_rng(0), space.default
    seen = set()
    for _ in range(500):
        value = explored(space, value, perturb, 0.1, rng)
        assert space.min_value <= value <= space.max_value
        seen.add(value)
    assert len(seen) >= 5


def test_a_value_is_drawn_anew_as_often_as_asked():
    rng = np.random.default_rng(0)
    up, down = nudged(LOG, 1e-2, 0.1), nudged(LOG, 1e-2, -0.1)
    found = [explored(LOG, 1e-2, 0.1, 0.25, rng) for _ in range(4000)]
    # Six standard deviations of a binomial with n = 4000.
    for share, chance in (
        (np.isclose(found, up, rtol=1e-12).mean(), 0.375),
        (np.isclose(found, down, rtol=1e-12).mean(), 0.375),
        (np.less(found, 1e-2).mean(), 0.5),
    ):
        bound = 6 * np.sqrt(chance * (1 - chance) / 4000)
        assert abs(share - chance) < bound


def test_names_change_only_when_they_are_drawn_anew():
    rng = np.random.default_rng(0)
    assert {explored(NAMES, "relu", 0.1, 0.0, rng) for _ in range(50)} == {
        "relu"
    }
    assert {explored(NAMES, "relu", 0.1, 1.0, rng) for _ in range(50)} == {
        "relu",
        "tanh",
    }
