"""Losses: is each member trained with its own?"""

import keras
import numpy as np
import pytest
from keras import losses
from side_by_side import assert_together, chain_of


def hidden(_):
    return [keras.layers.Dense(4, "tanh")]


def test_numbers_and_kinds(tmp_path):
    kinds = {
        "mse": "mse",
        "function": losses.mean_absolute_error,
        "huber": losses.Huber(0.3),
        "tiny": losses.Huber(1e-6),
    }
    case = chain_of(hidden, lambda hp: kinds[hp.Choice("name", list(kinds))])
    assert_together(tmp_path, case)


@pytest.mark.slow
def test_losses_of_numbers(tmp_path):
    kinds = {
        "msle": "msle",
        "poisson": losses.Poisson(),
        "log_cosh": losses.LogCosh(),
        "hinge": losses.Hinge(),
        "sum": losses.MeanSquaredError(reduction="sum"),
        "cosine": losses.CosineSimilarity(),
    }
    case = chain_of(hidden, lambda hp: kinds[hp.Choice("name", list(kinds))])
    assert_together(tmp_path, case)


@pytest.mark.slow
@pytest.mark.parametrize("activation", ["softmax", None])
def test_crossentropies(tmp_path, activation):
    logits = {"from_logits": activation is None}
    kinds = {
        "plain": lambda: losses.CategoricalCrossentropy(**logits),
        "smooth": lambda: losses.CategoricalCrossentropy(
            label_smoothing=0.2, **logits
        ),
        "focal": lambda: losses.CategoricalFocalCrossentropy(
            gamma=1.5, alpha=0.4, **logits
        ),
        "kl": losses.KLDivergence,
        "mse": losses.MeanSquaredError,
    }

    def case():
        rng = np.random.default_rng(0)
        x = rng.normal(size=(12, 3)).astype("float32")
        y = np.eye(3, dtype="float32")[x.argmax(axis=1)]

        def space(hp):
            model = keras.Sequential(
                [keras.Input((3,)), keras.layers.Dense(3, activation)]
            )
            loss = kinds[hp.Choice("name", list(kinds))]()
            model.compile(keras.optimizers.SGD(0.5), loss, ["accuracy"])
            return model

        weights = np.linspace(0.5, 2, 12)
        return space, (x, y), {"sample_weight": weights, "batch_size": 5}

    assert_together(tmp_path, case)
