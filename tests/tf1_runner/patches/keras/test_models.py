"""Keras 1 and 2.0 to 2.3 as scripts used them. One process runs them all."""

import numpy as np
import pytest
from old_scripts.results import results_of

# One process serves all of them.
pytestmark = pytest.mark.xdist_group("keras 1")

SCRIPT = """
import json, sys
import numpy as np
import keras
from keras import backend as K
from keras import initializations, objectives, regularizers
from keras.callbacks import EarlyStopping, ModelCheckpoint
from keras.engine.topology import Layer
from keras.layers import (
    Activation, BatchNormalization, Convolution1D, Convolution2D,
    Convolution3D, Dense, Dropout, Embedding, Flatten, GRU, GaussianNoise,
    Highway, Input, LSTM, Lambda, LocallyConnected2D, MaxoutDense, Merge,
    SeparableConvolution2D, SpatialDropout2D, TimeDistributedDense, merge,
)
from keras.models import Model, Sequential
from keras.optimizers import SGD
from keras.utils.visualize_util import plot
from keras.wrappers.scikit_learn import KerasClassifier, KerasRegressor

results = {}
ones = dict(init="one", b_regularizer=None)
a, b = Input(shape=(3,)), Input(shape=(3,))
x = np.array([[1.0, 2.0, 3.0], [3.0, 0.0, -1.0]])
y = np.array([[2.0, 2.0, 2.0], [1.0, -1.0, 0.0]])


def value(output, inputs=(a, b), feed=(x, y)):
    model = Model(input=list(inputs), output=output)
    return model.predict(list(feed)).tolist()


for mode in ("sum", "mul", "ave", "max", "concat"):
    results[mode] = value(merge([a, b], mode=mode))
results["dot"] = value(merge([a, b], mode="dot", dot_axes=1))
results["cos"] = value(merge([a, b], mode="cos", dot_axes=(1, 1)))
results["function"] = value(
    merge([a, b], mode=lambda t: t[0] - t[1], output_shape=(3,))
)
results["layer"] = value(Merge(mode="sum")([a, b]))

# A model that begins as two.
left = Sequential([Dense(2, input_dim=3, bias=False, **ones)])
right = Sequential([Dense(2, input_dim=3, bias=False, **ones)])
both = Sequential()
both.add(Merge([left, right], mode="concat", concat_axis=1))
both.add(Dense(1, init="one"))
both.compile("sgd", "mse")
results["merged"] = both.predict([x, y]).tolist()
results["weights of merged"] = len(both.trainable_weights)
both.fit([x, y], np.zeros(2), nb_epoch=1, verbose=0)

# Generators that are counted by examples.
seen = []


def batches(size=4):
    while True:
        seen.append(size)
        yield np.ones((size, 3)), np.ones((size, 1))


one = Sequential([Dense(1, input_dim=3, W_regularizer=regularizers.l2(0.5))])
one.compile(SGD(lr=0.0), "mse", metrics=["accuracy"])
history = one.fit_generator(
    batches(), samples_per_epoch=12, nb_epoch=2, verbose=0, nb_worker=1,
    validation_data=batches(), nb_val_samples=8, max_q_size=1,
)
results["epochs"] = history.epoch
results["batches"] = one.optimizer.iterations
results["steps"] = history.params["steps"]
results["batches"] = int(K.get_value(one.optimizer.iterations))
results["evaluated"] = len(one.evaluate_generator(batches(), val_samples=8))
results["predicted"] = one.predict_generator(batches(), val_samples=8).shape[0]
weights = one.get_weights()[0]
results["penalty"] = [
    float(0.5 * (weights**2).sum() + ((1 - weights.sum()) ** 2)),
    history.history["loss"][-1],
]
results["names"] = [
    "accuracy" in history.history, len(history.history["val_accuracy"]),
]

# What was asked for when training.
shown = Sequential([Dense(2, input_dim=3, activation="softmax")])
shown.compile("sgd", "categorical_crossentropy", class_mode="categorical")
labels = np.eye(2)[[0, 1]]
shown.fit(x, labels, nb_epoch=1, show_accuracy=True, verbose=0)
results["shown"] = len(
    shown.evaluate(x, labels, show_accuracy=True, verbose=0)
)
results["classes"] = shown.predict_classes(x, verbose=0).tolist()
results["likeliest"] = shown.predict_proba(x, verbose=0).argmax(1).tolist()
binary = Sequential([Dense(1, init="one", input_dim=3)])
binary.compile("sgd", "mse")
results["half"] = binary.predict_classes(x, verbose=0).tolist()
stops = EarlyStopping(monitor="val_accuracy", patience=1)
keeps = ModelCheckpoint("best.h5", monitor="val_accuracy", save_best_only=True)
shown.fit(
    x, labels, nb_epoch=6, validation_data=(x, labels), verbose=0,
    callbacks=[stops, keeps],
)
results["stopped"] = stops.stopped_epoch < 6 and keeps.best >= 0

# What callbacks, layers and variables had.
class Looks(keras.callbacks.Callback):
    def on_epoch_end(self, epoch, logs={}):
        self.shapes = [list(part.shape) for part in self.validation_data]


looks = Looks()
names = ModelCheckpoint("w-{val_accuracy:.0f}-{val_acc:.0f}.h5")
shown.fit(
    x, labels, nb_epoch=1, validation_split=0.5, verbose=0,
    callbacks=[looks, names],
)
results["looks"] = looks.shapes
import glob
results["files"] = len(glob.glob("w-[01]-[01].h5"))
results["old weights"] = [
    shown.layers[0].W.shape.as_list(), shown.optimizer.lr.get_value().tolist(),
]
shown.compile("sgd", "mse", metrics=[lambda true, said: K.mean(said)])
shown.fit(x, labels, nb_epoch=1, verbose=0)
results["likeliest of all"] = keras.utils.np_utils.probas_to_classes(
    np.array([[0.1, 0.9], [0.8, 0.2]])
).tolist()

# Arguments of layers.
data = np.array([[1.0, 5.0], [3.0, 1.0]])
normed = Sequential([BatchNormalization(1e-5, mode=2, input_shape=(2,))])
results["mode 2"] = normed.predict(data).tolist()
normed = Sequential([BatchNormalization(mode=0, axis=1, input_shape=(2,))])
results["mode 0"] = normed.predict(data).tolist()
shapes = {}
for name, layer, shape in [
    ("conv 1d", Convolution1D(4, 3, input_dim=2, input_length=9), None),
    ("conv 1d by name", Convolution1D(nb_filter=4, filter_length=2,
        subsample_length=2, border_mode="same", input_shape=(9, 2)), None),
    ("conv 2d of 0.x", Convolution2D(4, 1, 3, 3), (8, 8, 1)),
    ("conv 3d", Convolution3D(2, 3, 3, 2), (5, 5, 5, 1)),
    ("separable", SeparableConvolution2D(4, 3, 2), (8, 8, 2)),
    ("local", LocallyConnected2D(2, 3, 3), (5, 5, 1)),
    ("dense of 0.x", Dense(3, 5), None),
    ("steps", TimeDistributedDense(4, input_dim=3, input_length=6), None),
    ("noise", GaussianNoise(sigma=0.1), (3,)),
    ("drop", SpatialDropout2D(p=0.1), (3, 3, 2)),
    ("lstm", LSTM(4, inner_init="orthogonal", forget_bias_init="one",
        inner_activation="hard_sigmoid", consume_less="gpu", dropout_W=0.1,
        dropout_U=0.1, W_regularizer=regularizers.l2(0.1), input_dim=3,
        input_length=5), None),
    ("lstm of 0.x", LSTM(3, 4, return_sequences=True), None),
    ("gru", GRU(output_dim=4, init="uniform", U_regularizer=None), (5, 3)),
    ("embedding", Embedding(9, 4, input_length=5, dropout=0.2, init="uniform",
        W_regularizer=regularizers.l2(0.1)), None),
    ("highway", Highway(activation="relu"), (3,)),
    ("maxout", MaxoutDense(5, nb_feature=2), (3,)),
    ("dense", Dense(4, activity_regularizer=regularizers.activity_l2(0.1),
        W_regularizer=regularizers.WeightRegularizer(l2=0.1)), (3,)),
]:
    model = Sequential()
    if shape:
        model.add(Activation("linear", input_shape=shape))
    model.add(layer)
    shapes[name] = list(model.output_shape[1:])
results["shapes"] = shapes


# A layer of one's own.
class Own(Layer):
    def __init__(self, units, **kwargs):
        self.units = units
        self.init = initializations.get("one")
        super(Own, self).__init__(**kwargs)

    def build(self, input_shape):
        self.W = self.init((input_shape[1], self.units), name="W")
        self.b = self.add_weight((self.units,), initializer="one", name="b")
        self.trainable_weights = [self.W, self.b]
        super(Own, self).build(input_shape)

    def call(self, x, mask=None):
        return K.dot(x, self.W) + self.b

    def get_output_shape_for(self, input_shape):
        return input_shape[0], self.units


own = Sequential([Own(2, input_shape=(3,))])
own.compile("sgd", "mse")
results["own"] = own.predict(x).tolist()
results["own weights"] = len(own.trainable_weights)
own.fit(x, np.zeros((2, 2)), nb_epoch=1, verbose=0)
results["own learns"] = bool((own.get_weights()[0] != 1).all())

# An initializer of one's own, and arguments of the backend.
def init_weights(shape, name=None):
    return initializations.normal(shape, scale=0.001, name=name)


own = Sequential([Dense(500, input_dim=200, init=init_weights)])
results["own initializer"] = float(own.get_weights()[0].std())
noise = K.random_normal(shape=(2000,), mean=5.0, std=0.1)
results["noise"] = float(K.eval(K.std(noise)))
drawn = K.eval(K.random_uniform((2000,), low=3.0, high=4.0))
results["drawn"] = [float(drawn.min()), float(drawn.max())]
from keras.engine.training import slice_X
results["slice"] = [slice_X(x, 0, 1).tolist(), slice_X([x], [1])[0].tolist()]

# Rates that nobody gave.
for name in ("Adadelta", "Adagrad", "Adamax", "Nadam", "Adam", "RMSprop"):
    rate = getattr(keras.optimizers, name)().lr
    results[name] = round(float(K.get_value(rate)), 6)
net = Sequential([Dense(1, init="one", bias=False, input_dim=1)])
net.compile("adagrad", "mse")
net.fit(np.ones((1, 1)), np.zeros((1, 1)), nb_epoch=2, verbose=0)
results["adagrad"] = float(net.get_weights()[0][0, 0])

from keras.metrics import fmeasure, precision
true = K.variable([[1.0], [1.0], [0.0]])
said = K.variable([[0.9], [0.2], [0.8]])
results["precision"] = [
    float(K.get_value(f(true, said))) for f in (precision, fmeasure)
]


def build(units=2):
    model = Sequential([Dense(units, input_dim=3, activation="relu"),
                        Dense(1, activation="sigmoid")])
    model.compile("adam", "binary_crossentropy", metrics=["accuracy"])
    return model


from sklearn.model_selection import cross_val_score
many = np.tile(x, (10, 1))
classifier = KerasClassifier(build_fn=build, nb_epoch=2, units=3, verbose=0)
scores = cross_val_score(classifier, many, np.tile([0, 1], 10), cv=2)
results["scores"] = len(scores)
plot(shown, to_file="model.png", show_shapes=True)

with open(sys.argv[1], "w") as file:
    json.dump(results, file)
"""


@pytest.fixture(scope="module")
def results(tmp_path_factory):
    return results_of(SCRIPT, tmp_path_factory.mktemp("keras"))


X = np.array([[1.0, 2.0, 3.0], [3.0, 0.0, -1.0]])
Y = np.array([[2.0, 2.0, 2.0], [1.0, -1.0, 0.0]])
_lengths = np.linalg.norm(X, axis=1) * np.linalg.norm(Y, axis=1)


@pytest.mark.parametrize(
    "mode, expected",
    [
        ("sum", X + Y),
        ("mul", X * Y),
        ("ave", (X + Y) / 2),
        ("max", np.maximum(X, Y)),
        ("concat", np.hstack([X, Y])),
        ("dot", (X * Y).sum(1, keepdims=True)),
        ("cos", ((X * Y).sum(1) / _lengths)[:, None]),
        ("function", X - Y),
        ("layer", X + Y),
    ],
)
def test_tensors_are_merged(results, mode, expected):
    np.testing.assert_allclose(results[mode], expected, rtol=1e-5, atol=1e-6)


def test_a_sequential_model_begins_as_several(results):
    # Each branch has two units, and all weights are one.
    expected = 2 * X.sum(1, keepdims=True) + 2 * Y.sum(1, keepdims=True)
    np.testing.assert_allclose(results["merged"], expected, rtol=1e-5)
    assert results["weights of merged"] == 4


def test_generators_are_counted_by_examples(results):
    # 12 examples in batches of 4, twice.
    assert results["epochs"] == [0, 1]
    assert results["steps"] == 3
    assert results["batches"] == 6
    assert results["evaluated"] == 2
    assert results["predicted"] == 8


def test_a_regularizer_of_weights_is_in_the_loss(results):
    expected, loss = results["penalty"]
    assert loss == pytest.approx(expected, rel=1e-5)


def test_accuracy_has_both_names(results):
    assert results["names"] == [True, 2]
    assert results["stopped"]


def test_models_predict_classes(results):
    assert results["shown"] == 2
    assert results["classes"] == results["likeliest"]
    # The sums are 6 and 2.
    assert results["half"] == [[1], [1]]


def test_batch_normalization_has_modes(results):
    np.testing.assert_allclose(results["mode 2"], [[-1, 1], [1, -1]], rtol=1e-4)
    # By the moving statistics, 0 and 1, as yet.
    np.testing.assert_allclose(results["mode 0"], [[1, 5], [3, 1]], rtol=1e-3)


@pytest.mark.parametrize(
    "name, shape",
    {
        "conv 1d": [7, 4],
        "conv 1d by name": [5, 4],
        "conv 2d of 0.x": [6, 6, 4],
        "conv 3d": [3, 3, 4, 2],
        "separable": [6, 7, 4],
        "local": [3, 3, 2],
        "dense of 0.x": [5],
        "steps": [6, 4],
        "noise": [3],
        "drop": [3, 3, 2],
        "lstm": [4],
        "lstm of 0.x": [None, 4],
        "gru": [4],
        "embedding": [5, 4],
        "highway": [3],
        "maxout": [5],
        "dense": [4],
    }.items(),
)
def test_layers_take_their_old_arguments(results, name, shape):
    assert results["shapes"][name] == shape


def test_a_layer_of_ones_own_tells_its_weights(results):
    np.testing.assert_allclose(
        results["own"], np.repeat(X.sum(1, keepdims=True) + 1, 2, axis=1)
    )
    assert results["own weights"] == 2
    assert results["own learns"]


def test_callbacks_layers_and_variables_have_what_they_had(results):
    assert results["looks"] == [[1, 3], [1, 2], [1]]
    assert results["files"] == 1
    assert results["old weights"] == [[3, 2], pytest.approx(0.01)]
    assert results["likeliest of all"] == [1, 0]


def test_an_initializer_may_make_a_variable(results):
    # 100,000 numbers: six standard errors are 1.4 %.
    assert results["own initializer"] == pytest.approx(0.001, rel=0.014)


def test_the_backend_takes_its_old_arguments(results):
    assert results["noise"] == pytest.approx(0.1, rel=0.1)
    assert 3 <= results["drawn"][0] < results["drawn"][1] <= 4
    assert results["slice"] == [[[1, 2, 3]], [[3, 0, -1]]]


def test_rates_that_nobody_gave_are_those_of_then(results):
    rates = {
        "Adadelta": 1.0,
        "Adagrad": 0.01,
        "Adamax": 0.002,
        "Nadam": 0.002,
        "Adam": 0.001,
        "RMSprop": 0.001,
    }
    assert {name: results[name] for name in rates} == rates
    # w - 0.01 g / |g|, and then with the sum of both squares.
    first = 1 - 0.01
    g = 2 * first
    second = first - 0.01 * g / np.sqrt(4 + g**2)
    assert results["adagrad"] == pytest.approx(second, rel=1e-5)


def test_metrics_of_a_batch(results):
    # Said: first and third; true: first and second.
    np.testing.assert_allclose(results["precision"], [0.5, 0.5], rtol=1e-5)


def test_scikit_learn_takes_a_model(results):
    assert results["scores"] == 2
