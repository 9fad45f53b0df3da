"""Are trials with any of Keras's optimizers and types trained together?"""

import keras
import numpy as np
import pytest
from keras import layers, optimizers
from marks import slow_but
from side_by_side import (
    assert_same,
    compare,
    compiled,
    examples,
    scores,
    search,
)

from tfcourse.tuning import Caviar, SerialTuner

OPTIMIZERS = {
    "SGD": optimizers.SGD,
    "Nesterov": lambda rate: optimizers.SGD(rate, 0.9, nesterov=True),
    "Adam": optimizers.Adam,
    "AMSGrad": lambda rate: optimizers.Adam(rate, amsgrad=True),
    "AdamW": optimizers.AdamW,
    "Adamax": optimizers.Adamax,
    "Nadam": optimizers.Nadam,
    "RMSprop": optimizers.RMSprop,
    "RMSprop, centred": lambda rate: optimizers.RMSprop(rate, centered=True),
    "Adagrad": optimizers.Adagrad,
    "Adadelta": optimizers.Adadelta,
    "Adafactor": optimizers.Adafactor,
    "Ftrl": optimizers.Ftrl,
    "Ftrl, regularized": lambda rate: optimizers.Ftrl(
        rate, l1_regularization_strength=1e-3, beta=0.1
    ),
    "Lion": lambda rate: optimizers.Lion(rate / 10),
    "Lamb": optimizers.Lamb,
    "Muon": optimizers.Muon,
    "a loss that is scaled": lambda rate: optimizers.LossScaleOptimizer(
        optimizers.Adam(rate)
    ),
}


def case(make_optimizer):
    """Returns two networks, of which half of the gradients are zero."""

    def build(hp):
        hidden = layers.Dense(6, "relu")
        model = compiled(hp, hidden, layers.Dense(1))
        rate = hp.get("learning_rate")
        model.compile(make_optimizer(rate), "mse", metrics=["mae"])
        return model

    kwargs = {"validation_data": examples(7, seed=1), "batch_size": 4}
    return lambda: (build, examples(), kwargs)


@pytest.mark.parametrize("name", slow_but(OPTIMIZERS, ["Ftrl"]))
def test_the_net_raises_no_false_alarm(tmp_path, name):
    tuner = assert_same(tmp_path, case(OPTIMIZERS[name]))
    (group,) = tuner.groups
    assert (group["how"], group["why"]) == ("vectorised", "")
    assert group["verified"] == 2


def case_of_words(make_optimizer, ids):
    """Returns two networks, whose gradients have rows for some words only."""

    def build(hp):
        words = layers.Embedding(20, 3)
        average = layers.GlobalAveragePooling1D()
        rate = hp.Choice("learning_rate", [0.05, 0.2])
        model = keras.Sequential(
            [keras.Input((4,), dtype="int32"), words, average, layers.Dense(1)]
        )
        model.compile(make_optimizer(rate), "mse")
        return model

    targets = np.linspace(0, 1, len(ids))[:, None]
    return lambda: (build, (ids, targets), {"batch_size": 4})


# They do not take a sparse gradient in Keras.
NEVER_SPARSE = {"Adafactor", "Muon"}


@pytest.mark.parametrize(
    "name",
    slow_but([n for n in OPTIMIZERS if n not in NEVER_SPARSE], ["RMSprop"]),
)
def test_rows_of_words_are_trained_together(tmp_path, name):
    ids = np.random.default_rng(0).integers(1, 7, (10, 4))
    tuner = assert_same(tmp_path, case_of_words(OPTIMIZERS[name], ids))
    (group,) = tuner.groups
    assert (group["how"], group["why"]) == ("vectorised", "")


@pytest.mark.slow
@pytest.mark.parametrize("verify", [True, False])
def test_a_division_by_zero_is_kerass(tmp_path, verify):
    def without_epsilon(rate):
        return optimizers.RMSprop(rate, epsilon=0)

    # A mini-batch has no word twice. The rows of words that are in none are
    # zeros over zeros.
    ids = np.arange(40).reshape(10, 4) % 16
    case = case_of_words(without_epsilon, ids)
    tuner = search(Caviar, tmp_path, case, verify=verify)
    assert [group["how"] for group in tuner.groups] == ["alone"]
    compare(tuner, search(SerialTuner, tmp_path, case))
    kernel = tuner.get_best_models(1)[0].get_weights()[0]
    assert np.isnan(kernel).any(axis=1).tolist() == [False] * 16 + [True] * 4


@pytest.fixture
def policy(request):
    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy(request.param)
    yield request.param
    keras.config.set_dtype_policy(before)


@pytest.mark.parametrize(
    "policy",
    slow_but(
        ["bfloat16", "mixed_bfloat16", "float16", "mixed_float16", "float64"],
        ["bfloat16"],
    ),
    indirect=True,
)
def test_numbers_of_any_precision_are_trained(tmp_path, policy):
    tuners = [
        search(tuner_class, tmp_path, case(optimizers.SGD))
        for tuner_class in (Caviar, SerialTuner)
    ]
    ours, theirs = map(scores, tuners)
    digits = 1e-6 if policy == "float64" else 0.05
    np.testing.assert_allclose(ours, theirs, rtol=digits)
    assert [group["how"] for group in tuners[0].groups] == ["vectorised"]
    for tuner in tuners:
        expected = keras.config.dtype_policy().variable_dtype
        for variable in tuner.get_best_models(1)[0].trainable_variables:
            assert variable.dtype == expected
    found = [tuner.get_best_models(1)[0].get_weights() for tuner in tuners]
    for actual, expected in zip(*found, strict=True):
        np.testing.assert_allclose(
            actual.astype("float64"),
            expected.astype("float64"),
            rtol=digits,
            atol=digits,
        )
