"""Frozen layers that all trials share: once for all, and as by Keras?"""

import keras
import numpy as np
import pytest
import side_by_side
from keras import layers

from tfcourse.tuning import Caviar, SerialTuner
from tfcourse.tuning.population import frozen_prefix
from tfcourse.tuning.population.frozen_prefix import frozen_prefix as find


def images(n=20):
    rng = np.random.default_rng(0)
    x = rng.normal(size=(n, 6, 6, 1)).astype("float32")
    return x, x.mean(axis=(1, 2))


def base(seed=3, trainable=False):
    """A small convolutional network, as if it had been trained."""
    drawn = keras.initializers.GlorotUniform(seed)
    model = keras.Sequential(
        [
            keras.Input((6, 6, 1)),
            layers.Conv2D(4, 3, activation="relu", kernel_initializer=drawn),
            layers.BatchNormalization(moving_mean_initializer="ones"),
            layers.MaxPooling2D(),
        ]
    )
    model.trainable = trainable
    return model


def with_head(hp, under, units=3):
    inputs = keras.Input((6, 6, 1))
    x = layers.GlobalAveragePooling2D()(under(inputs))
    x = layers.Dense(units, activation="relu")(x)
    x = layers.Dropout(hp.Choice("rate", [0.0, 0.5]))(x)
    model = keras.Model(inputs, layers.Dense(1)(x))
    rate = hp.Choice("learning_rate", [0.05, 0.2])
    model.compile(keras.optimizers.Adam(rate), "mse", metrics=["mae"])
    return model


def made_inside(hp):
    return with_head(hp, base(), hp.Choice("units", [3, 9]))


def case(build, **settings):
    x, y = images()
    return lambda: (
        build(),
        (x[:12], y[:12]),
        {"validation_data": (x[12:], y[12:]), "batch_size": 5} | settings,
    )


def assert_together(folder, one):
    ours = side_by_side.search(
        Caviar, folder, one, "val_loss", smallest_group=2
    )
    theirs = side_by_side.search(SerialTuner, folder, one, "val_loss")
    side_by_side.compare(ours, theirs)
    assert "alone" not in [group["how"] for group in ours.groups]


@pytest.fixture
def predictions(monkeypatch):
    """How many examples frozen layers are computed on, in a list."""
    found = []
    outputs = frozen_prefix.FrozenPrefix.outputs

    def noted(self, x):
        found.append(len(x))
        return outputs(self, x)

    monkeypatch.setattr(frozen_prefix.FrozenPrefix, "outputs", noted)
    return found


def test_what_is_made_inside_build_is_computed_once(tmp_path, predictions):
    assert_together(tmp_path, case(lambda: made_inside))
    # Beside a few examples for a first look, there is no second epoch.
    assert predictions.count(12) == predictions.count(8) == 1


@pytest.mark.slow
def test_what_was_there_before_stays_as_it_was(tmp_path, predictions):
    under = base()
    before = under.get_weights()
    assert_together(tmp_path, case(lambda: lambda hp: with_head(hp, under)))
    for a, b in zip(before, under.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)
    assert 12 in predictions


@pytest.mark.slow
def test_little_memory_is_enough(tmp_path, predictions, monkeypatch):
    monkeypatch.setattr(frozen_prefix, "_MOST_BYTES", 5 * 4 * 4)
    assert_together(tmp_path, case(lambda: made_inside))
    # A mini-batch at a time, and the evaluation as one.
    assert 12 not in predictions
    assert predictions.count(5) >= 4


def fitted(build):
    model = build()
    model.compile("adam", "mse")
    model.optimizer.build(model.trainable_variables)
    return model


def over(*under):
    def build():
        return keras.Sequential(
            [keras.Input((6, 6, 1)), *under, layers.Flatten(), layers.Dense(1)]
        )

    return fitted(build)


def test_finds_what_is_the_same_in_each_epoch():
    found = find(over(base()))
    names = [type(layer).__name__ for layer in found.rest.layers]
    # Also what follows and has no weights.
    assert names == ["InputLayer", "Dense"]


@pytest.mark.parametrize(
    "under",
    [
        lambda: [base(trainable=True)],
        lambda: [layers.RandomFlip(), base()],
        lambda: [layers.GaussianNoise(0.1), base()],
        lambda: [layers.Dropout(0.1), base()],
        # Nothing to be gained.
        lambda: [layers.Rescaling(2.0)],
        # Its averages move.
        lambda: [layers.BatchNormalization(center=False, scale=False)],
        lambda: [layers.Lambda(lambda x: x), base()],
    ],
)
def test_leaves_what_is_drawn_or_trained_to_each_member(under):
    assert find(over(*under())) is None


def test_others_of_other_values_are_not_shared():
    prefix = find(over(base()))
    template = over(base())
    values = [
        *template.trainable_variables,
        *template.non_trainable_variables,
        *template.optimizer.variables,
    ]
    columns = [np.stack([np.asarray(v)] * 2) for v in values]
    assert prefix.is_shared(columns)
    (kernel,) = (c for c in columns if c.shape[1:] == (3, 3, 1, 4))
    kernel[1, 0] += 1
    assert not prefix.is_shared(columns)
