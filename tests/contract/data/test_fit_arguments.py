"""Do arguments of `fit`, alone and in pairs, do what they do in Keras?"""

import keras
import keras_tuner
import numpy as np
import pytest
from keras import layers
from marks import slow_but
from side_by_side import assert_same, compiled, examples, search

from tfcourse.errors import CannotVectorize, InputError
from tfcourse.tuning import Caviar
from tfcourse.tuning.caviar.arguments.nothing_changed import (
    nothing_changed,
)

X, Y = examples(10)
V = examples(7, seed=1)
WEIGHTS = np.linspace(0.1, 2, 10).astype("float32")
V_WEIGHTS = np.linspace(2, 0.1, 7).astype("float32")
LABELS = np.arange(10) % 3


def regression(hp):
    return compiled(hp, layers.Dense(4, "tanh"), layers.Dense(1))


def classification(hp):
    return compiled(
        hp,
        layers.Dense(4, "tanh"),
        layers.Dense(3, "softmax"),
        loss="sparse_categorical_crossentropy",
        metrics=["accuracy"],
        weighted_metrics=["accuracy"],
    )


def one_hot(hp):
    return compiled(
        hp,
        layers.Dense(3, "softmax"),
        loss="categorical_crossentropy",
    )


SAME = {
    "split": {"validation_split": 0.3},
    "split, data": {"validation_split": 0.3, "validation_data": V},
    "split, weights": {"validation_split": 0.3, "sample_weight": WEIGHTS},
    "split, weights, data": {
        "validation_split": 0.3,
        "sample_weight": WEIGHTS,
        "validation_data": V,
    },
    "weights": {"sample_weight": WEIGHTS, "batch_size": 4},
    "weights of a column": {"sample_weight": WEIGHTS[:, None]},
    "weights of zero": {"sample_weight": WEIGHTS * 0},
    "integer weights": {"sample_weight": np.arange(10)},
    "data of three": {"validation_data": (*V, V_WEIGHTS)},
    "data of three, batches": {
        "validation_data": (*V, V_WEIGHTS),
        "validation_batch_size": 3,
    },
    "data as a list": {"validation_data": list(V)},
    "batch of 3": {"batch_size": 3, "validation_data": V},
    "batch of 50": {"batch_size": 50},
    "shuffle by batch": {"shuffle": "batch", "batch_size": 10},
    "steps": {"steps_per_epoch": 2, "batch_size": 3},
    "steps, data": {
        "steps_per_epoch": 1,
        "batch_size": 3,
        "validation_data": V,
    },
    "validation steps": {
        "validation_data": V,
        "validation_steps": 1,
        "validation_batch_size": 3,
    },
    "validation frequency": {
        "validation_data": V,
        "validation_freq": 2,
        "epochs": 4,
    },
    "validation epochs": {"validation_data": V, "validation_freq": [1, 3]},
    "NumPy's numbers": {
        "batch_size": np.int64(3),
        "epochs": np.int32(2),
        "validation_data": V,
        "validation_steps": np.int64(1),
    },
    "later start": {"initial_epoch": 1, "epochs": 3},
    "printed": {"verbose": 2},
    "as usual": {"verbose": "auto"},
    "stopping": {
        "callbacks": [keras.callbacks.EarlyStopping("loss", patience=0)],
        "epochs": 4,
    },
    "stopping from epoch": {
        "callbacks": [
            keras.callbacks.EarlyStopping(
                "loss", min_delta=9, patience=1, start_from_epoch=1
            )
        ],
        "epochs": 6,
    },
    "stopping by a baseline": {
        "callbacks": [keras.callbacks.EarlyStopping("loss", baseline=0.01)],
        "epochs": 3,
    },
    "a rate that falls": {
        "callbacks": [
            keras.callbacks.LearningRateScheduler(lambda epoch, lr: lr / 2)
        ],
        "epochs": 3,
    },
}


@pytest.mark.filterwarnings("ignore:Your input ran out of data")
@pytest.mark.parametrize("name", slow_but(SAME, ["split, weights, data"]))
def test_argument_does_what_it_does_in_fit(tmp_path, name):
    assert_same(tmp_path, lambda: (regression, (X, Y), SAME[name]))


OF_CLASSES = {
    "class weights": {"class_weight": {0: 1.0, 1: 2.0, 2: 0.5}},
    "class weights in part": {"class_weight": {1: 3.0}},
    "class weights, split": {
        "class_weight": {0: 0.5, 2: 2.0},
        "validation_split": 0.4,
    },
    "class weights, data": {
        "class_weight": {0: 0.5, 2: 2.0},
        "validation_data": (V[0], LABELS[:7]),
        "batch_size": 4,
    },
    "weights, split": {"sample_weight": WEIGHTS, "validation_split": 0.3},
}


@pytest.mark.slow
@pytest.mark.parametrize("name", OF_CLASSES)
@pytest.mark.parametrize("column", [False, True], ids=["row", "column"])
def test_weights_of_classes_do_what_they_do_in_fit(tmp_path, name, column):
    y = LABELS[:, None] if column else LABELS
    kwargs = OF_CLASSES[name]
    assert_same(tmp_path, lambda: (classification, (X, y), kwargs))


@pytest.mark.slow
def test_class_weights_of_one_hot_targets(tmp_path):
    y = np.eye(3, dtype="float32")[LABELS]
    kwargs = {"class_weight": {0: 0.5, 2: 2.0}}
    assert_same(tmp_path, lambda: (one_hot, (X, y), kwargs))


def frames():
    pandas = pytest.importorskip("pandas")
    return pandas.DataFrame(X), pandas.Series(Y[:, 0])


INPUTS = {
    "float64": lambda: (X.astype("float64"), Y.astype("float64")),
    "float16": lambda: (X.astype("float16"), Y),
    "integers": lambda: ((10 * X).astype("int64"), Y.round().astype("int32")),
    "bytes": lambda: ((10 + X).astype("uint8"), Y),
    "flags": lambda: (X > 0, Y > 0),
    "tensors": lambda: tuple(map(keras.ops.convert_to_tensor, (X, Y))),
    "flat targets": lambda: (X, Y[:, 0]),
    "not contiguous": lambda: (X[::-1][:, ::-1], Y[::-1]),
    "frames": frames,
}


@pytest.mark.slow
@pytest.mark.parametrize("split", [0.0, 0.3], ids=["whole", "split"])
@pytest.mark.parametrize("kind", INPUTS)
def test_data_of_a_kind_are_taken_as_by_fit(tmp_path, kind, split):
    case = regression, INPUTS[kind](), {"validation_split": split}
    assert_same(tmp_path, lambda: case)


class OwnFit(keras_tuner.HyperModel):
    """Changes in `fit` what it is given."""

    def build(self, hp):
        return regression(hp)

    def fit(self, hp, model, x, y, **kwargs):
        scale = hp.Choice("scale", [1.0, 2.0])
        kwargs |= {"batch_size": hp.Choice("batch_size", [5, 10])}
        return model.fit(
            x * scale, y, validation_data=(V[0] * scale, V[1]), **kwargs
        )


class FitsTwice(OwnFit):
    def fit(self, hp, model, x, y, **kwargs):
        model.fit(x, y, epochs=1, verbose=0)
        return model.fit(x, y, **kwargs)


class AnswersANumber(OwnFit):
    def fit(self, hp, model, x, y, **kwargs):
        history = model.fit(x, y, **kwargs)
        return 2 * min(history.history["loss"])


class Refreezes(OwnFit):
    def fit(self, hp, model, x, y, **kwargs):
        model.layers[0].trainable = False
        return super().fit(hp, model, x, y, **kwargs)


class WritesIntoABuffer(OwnFit):
    def __init__(self):
        super().__init__()
        self.buffer = np.empty_like(X)

    def fit(self, hp, model, x, y, **kwargs):
        np.multiply(x, hp.Choice("scale", [1.0, 2.0]), out=self.buffer)
        return model.fit(self.buffer, y, **kwargs)


class KeepsItsModels(OwnFit):
    def __init__(self):
        super().__init__()
        self.models = []
        self.fits = 0

    def fit(self, hp, model, x, y, **kwargs):
        self.models.append(model)
        self.fits += 1
        return model.fit(x, y, **kwargs)


@pytest.mark.parametrize("space", [WritesIntoABuffer, KeepsItsModels])
def test_a_fit_that_is_asked_what_it_does_does_nothing(space):
    space, x = space(), X.copy()
    with (
        pytest.raises((ValueError, CannotVectorize)),
        nothing_changed(space, [(x, Y), {}]),
    ):
        space.fit(keras_tuner.HyperParameters(), Fits(), x, Y)
    assert not getattr(space, "models", [])
    assert not getattr(space, "fits", 0)
    x[...] = 0.0


class Fits:
    def fit(self, *args, **kwargs):
        return None


@pytest.mark.slow
@pytest.mark.parametrize(
    "space",
    [
        *(OwnFit, FitsTwice, AnswersANumber, Refreezes),
        *(WritesIntoABuffer, KeepsItsModels),
    ],
)
def test_a_fit_of_the_users_does_what_it_says(tmp_path, space):
    name = "default_objective" if space is AnswersANumber else "loss"
    assert_same(tmp_path, lambda: (space(), (X, Y), {}), name)


# What Keras refuses is refused before the first trial.
REFUSED = {
    "both weights": {"sample_weight": WEIGHTS, "class_weight": {0: 2.0}},
    "nothing to train on": {"validation_split": 1.0},
    "all to train on": {"validation_split": -0.1},
    "nothing left to do": {"initial_epoch": 2, "epochs": 2},
    "batches of none": {"batch_size": 0},
    "weights of another length": {"sample_weight": WEIGHTS[:-1]},
    "data of one": {"validation_data": (V[0],)},
    "an unknown argument": {"epoch": 3},
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_fit_refuses_is_refused_first(tmp_path, name):
    with pytest.raises(InputError):
        search(Caviar, tmp_path, lambda: (regression, (X, Y), REFUSED[name]))
    assert not list(tmp_path.glob("*/p/trial_*/history.json"))
