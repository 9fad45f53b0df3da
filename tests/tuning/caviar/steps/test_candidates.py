"""Models that take their shapes from the data: as candidates like others."""

import contextlib
import io

import keras
import keras_tuner
import numpy as np
import pytest
import tensorflow as tf
from keras import layers

from tfcourse.tuning import Caviar, RandomSearchOracle, SerialTuner
from tfcourse.tuning.caviar.arguments.fit_arguments import SearchArguments
from tfcourse.tuning.caviar.steps.candidates import (
    Candidate,
    SerialTrial,
    make_candidate,
)
from tfcourse.tuning.population import initial_values

RNG = np.random.default_rng(0)
X = RNG.normal(size=(12, 4, 2)).astype("float32")
FLAT, Y = X.reshape(12, 8), RNG.normal(size=(12, 1)).astype("float32")


class Inside(layers.Layer):
    """Has a layer that draws its seed when it is built."""

    def build(self, shape):
        self.inner = layers.Dense(3)
        self.inner.build(shape)
        super().build(shape)

    def call(self, x):
        return self.inner(x)


class InCall(keras.Model):
    """Makes its layers when it is called."""

    def __init__(self):
        super().__init__()
        self.first, self.second = layers.Dense(4), None

    def call(self, x):
        if self.second is None:
            self.second, self.third = Inside(), layers.Dense(1)
        return self.third(self.second(self.first(x)))


class OfDict(keras.Model):
    def __init__(self):
        super().__init__()
        self.a, self.b, self.c = layers.Dense(2), Inside(), layers.Dense(1)

    def call(self, x):
        return self.c(layers.concatenate([self.a(x["a"]), self.b(x["b"])]))


MODELS = {
    "Flatten": (
        lambda hp=None: keras.Sequential(
            [layers.Flatten(), layers.Dense(3), layers.Dense(1)]
        ),
        X,
    ),
    "recurrent": (
        lambda hp=None: keras.Sequential([layers.LSTM(3), layers.Dense(1)]),
        X,
    ),
    "own layer": (
        lambda hp=None: keras.Sequential([Inside(), layers.Dense(1)]),
        FLAT,
    ),
    "own layer with Input": (
        lambda hp=None: keras.Sequential(
            [keras.Input((8,)), Inside(), layers.Dense(1)]
        ),
        FLAT,
    ),
    "draws when built": (
        lambda hp=None: keras.Sequential(
            [layers.SpectralNormalization(layers.Dense(3)), layers.Dense(1)]
        ),
        FLAT,
    ),
    "nested": (
        lambda hp=None: keras.Sequential(
            [keras.Sequential([Inside()]), layers.Dense(1)]
        ),
        FLAT,
    ),
    "layers made in call": (lambda hp=None: InCall(), FLAT),
    "dict of inputs": (lambda hp=None: OfDict(), {"a": FLAT, "b": FLAT}),
}


def candidates(make, folder, *data, count=1):
    """Returns the tuner, and what becomes of trials of some models."""

    def build(hp):
        model = make(hp)
        hp.Float("unused", 0.0, 1.0)
        model.compile(keras.optimizers.SGD(0.0), "mse")
        return model

    with contextlib.redirect_stdout(io.StringIO()):
        tuner = Caviar(build, "loss", count, directory=folder)
        search = SearchArguments(data, {"verbose": 0})
        return tuner, [
            make_candidate(
                tuner.oracle.create_trial(str(number)),
                tuner,
                search,
                Caviar.run_trial,
                None,
            )
            for number in range(count)
        ]


@pytest.mark.slow
@pytest.mark.parametrize("name", MODELS)
def test_scores_are_those_of_trials_trained_alone(name, tmp_path):
    make, x = MODELS[name]

    def build(hp):
        model = make(hp)
        rate = hp.Float("rate", 1e-3, 0.1)
        model.compile(keras.optimizers.SGD(rate), "mse")
        return model

    scores = []
    for tuner_class in (Caviar, SerialTuner):
        tuner = tuner_class(
            oracle=RandomSearchOracle(
                keras_tuner.Objective("loss", "min"), 4, 0
            ),
            hypermodel=build,
            directory=tmp_path / tuner_class.__name__,
        )
        tuner.search(x, Y, epochs=2, verbose=0, shuffle=False)
        trials = tuner.oracle.trials.values()
        scores.append([trial.score for trial in trials])
    np.testing.assert_allclose(*scores, rtol=1e-5)


@pytest.mark.parametrize("name", MODELS)
def test_begins_with_the_weights_that_fit_makes(name, tmp_path):
    make, x = MODELS[name]
    tuner, (candidate,) = candidates(make, tmp_path, x, Y)
    assert isinstance(candidate, Candidate)
    template = candidate.build()
    keras.utils.set_random_seed(tuner.seed_of(candidate.trial))
    alone = make()
    # It changes nothing.
    alone.compile(keras.optimizers.SGD(0.0), "mse")
    if name == "draws when built":
        # Training changes a vector, and with it the kernel.
        alone.build(x.shape)
    else:
        alone.fit(x, Y, verbose=0)
    values = initial_values(template, [candidate.model])
    weights = alone.trainable_variables + alone.non_trainable_variables
    for column, variable in zip(values, weights, strict=False):
        np.testing.assert_array_equal(column[0], variable)


def test_models_without_input_are_of_one_family(tmp_path):
    def make(hp):
        hidden = layers.Dense(hp.Int("units", 1, 500), "relu")
        return keras.Sequential([layers.Flatten(), hidden, layers.Dense(1)])

    _, (one, other) = candidates(make, tmp_path, X, Y, count=2)
    assert one.family is not None
    assert one.family == other.family
    assert one.structure != other.structure


def test_widths_may_differ_behind_a_layer_that_all_models_share(tmp_path):
    shared = layers.Normalization()
    shared.adapt(FLAT)

    def make(hp):
        hidden = layers.Dense(hp.Int("units", 1, 500), "relu")
        return keras.Sequential([shared, hidden, layers.Dense(1)])

    _, (one, other) = candidates(make, tmp_path, FLAT, Y, count=2)
    assert len(one.constants) == 3
    assert one.family is not None
    assert one.family == other.family


def test_the_width_of_a_layer_that_all_models_share_stays(tmp_path):
    shared = layers.Dense(3, "relu")
    shared.build((None, 8))
    shared.trainable = False

    def make(hp):
        hidden = layers.Dense(hp.Int("units", 1, 500), "relu")
        return keras.Sequential([shared, hidden, layers.Dense(1)])

    _, (candidate,) = candidates(make, tmp_path, FLAT, Y)
    assert len(candidate.constants) == 2
    assert candidate.family is None


def test_a_model_without_input_is_as_one_with_input(tmp_path):
    def make(*first):
        return lambda hp=None: keras.Sequential(
            [*first, layers.Dense(3), layers.Dense(1)]
        )

    _, (without,) = candidates(make(), tmp_path / "1", FLAT, Y)
    _, (given,) = candidates(make(keras.Input((8,))), tmp_path / "2", FLAT, Y)
    assert without.structure == given.structure


# Which datasets were read: they are also tried on copies.
READ = []


class Counting(keras.utils.PyDataset):
    def __len__(self):
        return 3

    def __getitem__(self, index):
        READ.append(id(self))
        return FLAT, Y


def test_reads_no_more_of_a_dataset_than_a_batch(tmp_path):
    data = Counting()
    make, _ = MODELS["layers made in call"]
    _, made = candidates(make, tmp_path, data, count=3)
    assert all(isinstance(candidate, Candidate) for candidate in made)
    assert READ.count(id(data)) == 1


def batches():
    return tf.data.Dataset.from_tensor_slices((FLAT, Y)).batch(4)


def test_does_not_go_through_a_dataset_that_says_its_shapes(
    tmp_path, monkeypatch
):
    data, passes = batches(), []
    monkeypatch.setattr(type(data), "__iter__", passes.append)
    make, _ = MODELS["own layer"]
    _, (candidate,) = candidates(make, tmp_path, data)
    assert isinstance(candidate, Candidate)
    assert not passes


def test_says_so_if_the_shapes_are_not_known(tmp_path):
    def shapeless(*arrays):
        return tuple(
            tf.io.parse_tensor(tf.io.serialize_tensor(array), array.dtype)
            for array in arrays
        )

    data = batches().map(shapeless)
    _, (trial,) = candidates(MODELS["own layer"][0], tmp_path, data)
    assert isinstance(trial, SerialTrial)
    assert "gives no shapes" in trial.why
