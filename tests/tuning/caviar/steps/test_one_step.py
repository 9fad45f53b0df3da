"""Trials one after the other by one step, each in its own size: as by Keras?"""

import keras
import keras_tuner
import numpy as np
import pytest
import side_by_side
from keras import layers
from marks import slow_but

from tfcourse import optimizers
from tfcourse.tuning import Caviar, SerialTuner
from tfcourse.tuning.caviar.steps import costs
from tfcourse.tuning.population.structure.open_sizes import OPEN_LAYERS
from tfcourse.utils.keras_private import every_layer

pytestmark = pytest.mark.skipif(
    keras.config.backend() != "tensorflow",
    reason="JAX compiles what it is given for each size",
)


@pytest.fixture(autouse=True)
def steps_pay(monkeypatch):
    monkeypatch.setattr(costs, "PROGRAM", 1e19)
    monkeypatch.setattr(costs, "SHARED", 0.0)


def normalization():
    return layers.Normalization(mean=0.5, variance=2.0)


def dense(hp, units):
    return [
        normalization(),
        layers.Dense(units, "tanh", kernel_regularizer="l2"),
        layers.BatchNormalization(),
        layers.Dropout(hp.Choice("rate", [0.3])),
        layers.Dense(units + 1, kernel_constraint=keras.constraints.MaxNorm(1)),
        layers.LeakyReLU(),
        layers.GaussianNoise(0.1),
        layers.Dense(units),
        layers.ELU(),
        layers.GaussianDropout(0.2),
        layers.Dense(units, activation=layers.ReLU()),
        layers.Activation("sigmoid"),
        layers.Rescaling(2.0),
    ]


def recurrent(hp, units):
    return [
        layers.GRU(units, return_sequences=True, dropout=0.2),
        layers.TimeDistributed(layers.Dense(units + 2)),
        layers.Bidirectional(
            layers.LSTM(units, return_sequences=True, recurrent_dropout=0.2)
        ),
        layers.GRU(units, reset_after=False, return_sequences=True),
        layers.Bidirectional(layers.LSTM(units, return_sequences=True)),
        layers.Bidirectional(layers.GRU(units, return_sequences=True)),
        layers.SimpleRNN(units + 1),
    ]


def sequence(hp, units):
    return [
        layers.Dense(units),
        layers.SpatialDropout1D(0.2),
        layers.Conv1D(units, hp.Choice("kernel", [2]), activation="relu"),
        layers.MaxPooling1D(2, padding="same"),
        layers.Conv1D(units + 1, 1),
        layers.AveragePooling1D(1),
        layers.Flatten(),
    ]


def images(hp, units):
    return [
        layers.Conv2D(units, 2 + units % 2, padding="same", use_bias=False),
        layers.BatchNormalization(),
        layers.ReLU(),
        layers.MaxPooling2D(2),
        layers.SpatialDropout2D(0.2),
        layers.Conv2D(units + 1, 1),
        layers.AveragePooling2D(1),
        layers.Flatten(),
    ]


def volumes(hp, units):
    return [layers.Conv3D(units, 2), layers.Flatten()]


CHAINS = {
    "dense": (dense, (3,)),
    "recurrent": (recurrent, (5, 2)),
    "sequence": (sequence, (6, 2)),
    "images": (images, (4, 4, 2)),
    "volumes": (volumes, (2, 2, 2, 1)),
}


def branches(units):
    inputs = keras.Input((4,), dtype="int32")
    x = layers.Embedding(9, units)(inputs)
    y = layers.Conv1D(units, 1)(x)
    both = [
        merge()([x, y])
        for merge in (
            layers.Add,
            layers.Average,
            layers.Maximum,
            layers.Multiply,
            layers.Subtract,
        )
    ]
    x = layers.Concatenate()(both)
    pooled = [
        layers.GlobalMaxPooling1D()(x),
        layers.GlobalAveragePooling1D()(x),
    ]
    return keras.Model(inputs, layers.Dense(1)(layers.Concatenate()(pooled)))


def pooled_images(units):
    inputs = keras.Input((4, 4, 1))
    x = layers.Conv2D(units, 2)(inputs)
    pooled = [
        layers.GlobalMaxPooling2D()(x),
        layers.GlobalAveragePooling2D()(x),
    ]
    return keras.Model(inputs, layers.Dense(1)(layers.Concatenate()(pooled)))


GRAPHS = {
    "branches": (branches, np.random.default_rng(0).integers(0, 9, (10, 4))),
    "pooled images": (
        pooled_images,
        np.random.default_rng(0).normal(size=(10, 4, 4, 1)).astype("float32"),
    ),
}


def chain(make, shape):
    def case():
        rng = np.random.default_rng(0)
        x = rng.normal(size=(10, *shape)).astype("float32")
        y = np.tanh(x.reshape(10, -1)[:, :1])

        def space(hp):
            units = hp.Choice("units", [2, 3, 5])
            model = keras.Sequential(
                [keras.Input(shape), *make(hp, units), layers.Dense(1)]
            )
            model.compile(keras.optimizers.Adam(0.01), "mse")
            return model

        return space, (x, y), {"batch_size": 4, "validation_split": 0.2}

    return case


def graph(make, x):
    def space(hp):
        model = make(hp.Choice("units", [2, 3, 5]))
        model.compile(keras.optimizers.SGD(0.01, momentum=0.9), "mse")
        return model

    y = np.random.default_rng(1).normal(size=(10, 1))
    return lambda: (space, (x, y), {"batch_size": 4})


def assert_by_one_step(folder, case, trials=3, **settings):
    tuner = side_by_side.assert_same(folder, case, **settings)
    found = [(group["how"], len(group["trials"])) for group in tuner.groups]
    assert found == [("by one step", trials)], tuner.groups
    return tuner


@pytest.mark.parametrize("name", slow_but(CHAINS, ["dense", "images"]))
def test_layers_of_any_size_train_as_by_keras(name, tmp_path):
    tuner = assert_by_one_step(tmp_path, chain(*CHAINS[name]))
    assert tuner.groups[0]["verified"] == 2


@pytest.mark.parametrize("name", GRAPHS)
def test_graphs_of_any_size_train_as_by_keras(name, tmp_path):
    assert_by_one_step(tmp_path, graph(*GRAPHS[name]))


def test_each_layer_that_is_trusted_is_in_a_test():
    models = [make(2) for make, _ in GRAPHS.values()]
    seen = {type(layer) for model in models for layer in every_layer(model)}
    hp = keras_tuner.HyperParameters()
    for make, shape in CHAINS.values():
        model = keras.Sequential([keras.Input(shape), *make(hp, 2)])
        seen |= {type(layer) for layer in every_layer(model)}
        seen.add(type(model._layers[0]))
    assert set(OPEN_LAYERS) - seen == set()


def small(hp, optimizer=None, **settings):
    units = hp.Choice("units", [2, 3, 5])
    model = keras.Sequential(
        [keras.Input((3,)), layers.Dense(units, "relu"), layers.Dense(1)]
    )
    model.compile(optimizer or keras.optimizers.SGD(0.1), "mse", **settings)
    return model


def on_examples(space, **kwargs):
    return lambda: (space, side_by_side.examples(), {"batch_size": 4} | kwargs)


def test_each_takes_its_pick_of_optimizers(tmp_path):
    def space(hp):
        name = hp.Choice("optimizer", ["adam", "sgd", "rmsprop"])
        return small(hp, keras.optimizers.get(name))

    tuner = assert_by_one_step(tmp_path, on_examples(space), trials=9)
    assert tuner.groups[0]["verified"] == 2


@pytest.mark.parametrize("clipnorm", slow_but([None, 0.1], [0.1]))
def test_own_optimizers_take_sparse_gradients_of_any_size(clipnorm, tmp_path):
    def space(hp):
        embedding = layers.Embedding(9, hp.Choice("units", [2, 3, 5]))
        model = keras.Sequential(
            [
                keras.Input((4,), dtype="int32"),
                embedding,
                layers.Flatten(),
                layers.Dense(1),
            ]
        )
        model.compile(optimizers.Adam(0.01, clipnorm=clipnorm), "mse")
        return model

    _, x = GRAPHS["branches"]
    y = np.random.default_rng(1).normal(size=(10, 1))
    assert_by_one_step(tmp_path, lambda: (space, (x, y), {"batch_size": 4}))


def test_settings_are_values(tmp_path):
    def space(hp):
        units = hp.Choice("units", [2, 3])
        rate = hp.Choice("rate", [0.0, 0.4])
        activation = hp.Choice("activation", ["relu", "tanh"])
        model = keras.Sequential(
            [
                keras.Input((3,)),
                layers.Dense(units, activation),
                layers.Dropout(rate),
                layers.Dense(1),
            ]
        )
        model.compile(keras.optimizers.Adam(0.01), "mse")
        return model

    assert_by_one_step(tmp_path, on_examples(space), trials=8)


@pytest.mark.slow
def test_executions_and_folds_are_of_a_trial(tmp_path):
    case = on_examples(small)
    tuner = assert_by_one_step(tmp_path / "a", case, executions_per_trial=2)
    assert tuner.groups[0]["members"] == 6
    tuner = side_by_side.search(
        Caviar, tmp_path / "b", case, "val_loss", folds=2
    )
    assert [g["how"] for g in tuner.groups] == ["by one step"]
    alone = side_by_side.search(
        Caviar, tmp_path / "c", case, "val_loss", folds=2, smallest_group=99
    )
    np.testing.assert_allclose(
        side_by_side.scores(tuner), side_by_side.scores(alone), rtol=1e-4
    )


def callbacks():
    return [
        keras.callbacks.ReduceLROnPlateau("loss", 0.1, patience=1),
        keras.callbacks.EarlyStopping(
            "loss", patience=1, restore_best_weights=True
        ),
    ]


def test_callbacks_are_called_for_each(tmp_path):
    def case():
        make = on_examples(small, epochs=6, callbacks=callbacks())
        return make()

    assert_by_one_step(tmp_path, case)


def test_later_rounds_go_on_with_the_step(tmp_path):
    own = {"population": 3}
    tuner = side_by_side.search(
        Caviar, tmp_path, chain(*CHAINS["volumes"]), population=2
    )
    # Two are too few for a step of their own, and so is the third.
    assert {group["how"] for group in tuner.groups} == {"alone"}

    def space(hp):
        hp.Choice("again", [0, 1])
        return small(hp)

    tuner = assert_by_one_step(
        tmp_path / "more", on_examples(space), trials=6, own=own
    )
    assert tuner.groups[0]["members"] == 6
    assert len(tuner.groups[0]["trials"]) == 6


class Scaled(layers.Layer):
    """Looks at how wide it is."""

    def build(self, shape):
        self.scale = self.add_weight((shape[-1],), "ones")

    def call(self, x):
        return x * self.scale / self.scale.shape[0]


def test_code_that_may_look_at_sizes_is_one_step_for_each_size(tmp_path):
    def space(hp):
        hp.Choice("again", [0, 1, 2])
        model = keras.Sequential(
            [
                keras.Input((3,)),
                layers.Dense(hp.Choice("units", [2, 5])),
                Scaled(),
                layers.Dense(1),
            ]
        )
        model.compile("sgd", "mse")
        return model

    tuner = side_by_side.assert_same(tmp_path, on_examples(space))
    found = [(g["how"], len(g["trials"])) for g in tuner.groups]
    assert found == [("by one step", 3)] * 2


@pytest.mark.parametrize(
    "own",
    [
        {"smallest_group": 99},
        pytest.param({"halving": True}, marks=pytest.mark.slow),
    ],
    ids=str,
)
def test_is_not_done_where_it_would_be_another_search(own, tmp_path):
    tuner = side_by_side.search(Caviar, tmp_path, on_examples(small), **own)
    assert {group["how"] for group in tuner.groups} == {"alone"}


def test_what_has_ended_is_kept_if_the_search_is_interrupted(tmp_path):
    def interrupt(tuner, trial):
        if trial.trial_id == "0001":
            raise KeyboardInterrupt

    case = on_examples(small)
    with pytest.raises(KeyboardInterrupt):
        side_by_side.search(Caviar, tmp_path, case, on_trial=interrupt)
    ended = []
    tuner = side_by_side.search(
        Caviar, tmp_path, case, on_trial=lambda _, t: ended.append(t.trial_id)
    )
    assert ended == ["0002"]
    theirs = side_by_side.search(SerialTuner, tmp_path, case)
    side_by_side.compare(tuner, theirs)
