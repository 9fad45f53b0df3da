"""Noise: does each member drop what it drops when it is trained alone?"""

import pytest
from keras import layers
from side_by_side import assert_same, assert_together, chain_of


def rates(make, values=(0.0, 0.3, 0.6)):
    def layers_of(hp):
        rate = hp.Choice("rate", list(values))
        # A generator of seeds more moves what all that follows begins with.
        return [layers.Dense(6, "relu"), make(rate), layers.Dense(6, "relu")]

    return layers_of


def test_rates_of_dropout(tmp_path):
    assert_together(tmp_path, chain_of(rates(layers.Dropout)))


@pytest.mark.slow
@pytest.mark.parametrize(
    "make",
    [
        layers.AlphaDropout,
        layers.GaussianDropout,
        layers.GaussianNoise,
        lambda rate: layers.Dropout(rate, noise_shape=(None, 1), seed=3),
    ],
)
def test_rates_of_others(tmp_path, make):
    assert_together(tmp_path, chain_of(rates(make)))


@pytest.mark.slow
@pytest.mark.parametrize(
    "make, dimensions",
    [
        (layers.SpatialDropout1D, 1),
        (layers.SpatialDropout2D, 2),
        (layers.SpatialDropout3D, 3),
    ],
)
def test_rates_of_whole_maps(tmp_path, make, dimensions):
    def layers_of(hp):
        return [make(hp.Choice("rate", [0.0, 0.5]))]

    shape = (*[2] * dimensions, 6)
    assert_together(tmp_path, chain_of(layers_of, shape=shape))


@pytest.mark.slow
def test_a_rate_of_one_is_apart(tmp_path):
    case = chain_of(rates(layers.Dropout, (0.5, 1.0)))
    assert len(assert_same(tmp_path, case).groups) == 2
