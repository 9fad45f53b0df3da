"""What scripts of Keras 0, 1 and 2.0 to 2.3 did, one row for each thing."""

import numpy as np
import pytest
from old_scripts.recurrent import gru, lstm, sigmoid, simple_rnn
from old_scripts.results import results_of_each

# One process serves all of them.
pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("keras situations")]

HEAD = """
import numpy as np
import keras
from keras import backend as K
from keras import activations, initializations, objectives, regularizers
from keras.callbacks import Callback, LearningRateScheduler, ModelCheckpoint
from keras.engine import InputSpec, Layer
from keras.layers import *
from keras.layers.advanced_activations import LeakyReLU
from keras.layers.convolutional import Convolution1D, Convolution2D
from keras.layers.core import Dense, Dropout, Flatten, MaxoutDense, Merge
from keras.layers.normalization import BatchNormalization
from keras.layers.recurrent import GRU, LSTM, SimpleRNN
from keras.models import Model, Sequential, load_model, model_from_json
from keras.optimizers import SGD, Adagrad
from keras.preprocessing.image import ImageDataGenerator
from keras.regularizers import activity_l2, l2
from keras.utils import np_utils
from keras.wrappers.scikit_learn import KerasRegressor

x = np.array([[1.0, 2.0, 3.0], [3.0, 0.0, -1.0]])
y = np.array([[2.0, 2.0, 2.0], [1.0, -1.0, 0.0]])
images = np.arange(32.0).reshape(2, 4, 4, 1)
steps = np.array([[[0.5, -1.0], [1.0, 2.0], [0.0, 1.0]]])


def of(*layers):
    return Sequential(list(layers))


def ones(units=2, **settings):
    return Dense(units, init="one", bias=False, **settings)


def batches(size=1):
    while True:
        for start in range(0, len(x), size):
            rows = slice(start, start + size)
            yield x[rows], x[rows].sum(1, keepdims=True) + 1


def regression(**settings):
    model = of(ones(1, input_dim=3, **settings))
    model.compile(SGD(lr=0.0), "mse", metrics=["mae"])
    return model


def joined(**settings):
    a, b = Input(shape=(3,)), Input(shape=(3,))
    return Model([a, b], merge([a, b], **settings)).predict([x, y])
"""

X = np.array([[1.0, 2.0, 3.0], [3.0, 0.0, -1.0]])
Y = np.array([[2.0, 2.0, 2.0], [1.0, -1.0, 0.0]])
SUMS = X.sum(1, keepdims=True)
IMAGES = np.arange(32.0).reshape(2, 4, 4, 1)
STEPS = np.array([[0.5, -1.0], [1.0, 2.0], [0.0, 1.0]])


def softmax(z):
    return np.exp(z) / np.exp(z).sum(-1, keepdims=True)


def patches(size, stride=1):
    """The sums of squares of an image, without a border."""
    starts = range(0, 5 - size, stride)
    return np.array(
        [
            [
                [[m[i : i + size, j : j + size].sum()] for j in starts]
                for i in starts
            ]
            for m in IMAGES[..., 0]
        ]
    )


def decayed(rate=0.1, decay=0.5):
    w = 1.0
    for step in range(3):
        w -= rate / (1 + decay * step) * 2 * w
    return w


def adagrad(rate=0.01):
    w, squares = 1.0, 0.0
    for _ in range(3):
        squares += (2 * w) ** 2
        w -= rate * 2 * w / np.sqrt(squares)
    return w


# What `run` of a script gives, and what that is: numbers, or an error's text.
SITUATIONS = {
    "input and output of a model": (
        """
        a = Input(shape=(3,))
        run = lambda: Model(input=a, output=ones()(a)).predict(x)
        """,
        np.repeat(SUMS, 2, 1),
    ),
    "inputs and outputs that are lists": (
        """
        a, b = Input((3,)), Input((3,))
        model = Model(input=[a, b], output=[ones()(a), ones(1)(b)])
        model.compile("sgd", "mse", loss_weights=[1.0, 0.5])
        run = lambda: model.predict([x, y])
        """,
        [np.repeat(SUMS, 2, 1), Y.sum(1, keepdims=True)],
    ),
    "sum": ("run = lambda: joined(mode='sum')", X + Y),
    "dot": (
        "run = lambda: joined(mode='dot', dot_axes=[1, 1])",
        (X * Y).sum(1, keepdims=True),
    ),
    "merge by a function": (
        """
        distance = lambda t: K.sqrt(K.sum(K.square(t[0] - t[1]), 1, True))
        run = lambda: joined(
            mode=distance, output_shape=lambda shapes: (shapes[0][0], 1)
        )
        """,
        np.linalg.norm(X - Y, axis=1, keepdims=True),
    ),
    "a merge that is not known": (
        "run = lambda: joined(mode='join')",
        "`mode` of merge must be one of sum, mul, ave, max, concat, dot, cos, "
        "or a function. Received: mode='join'",
    ),
    "models that are merged": (
        """
        left, right = of(ones(input_dim=3)), of(ones(input_dim=3))
        model = of(Merge([left, right], mode="sum"), ones(1))
        run = lambda: model.predict([x, y])
        """,
        2 * (SUMS + Y.sum(1, keepdims=True)),
    ),
    "shared layers of two inputs": (
        """
        a, b, shared = Input((3,)), Input((3,)), ones(1)
        difference = keras.layers.subtract([shared(a), shared(b)])
        run = lambda: Model([a, b], difference).predict([x, y])
        """,
        SUMS - Y.sum(1, keepdims=True),
    ),
    "epochs of so many examples": (
        """
        history = regression().fit_generator(
            batches(), samples_per_epoch=2, nb_epoch=3, verbose=0,
            validation_data=batches(2), nb_val_samples=2,
        )
        run = lambda: [history.history["loss"], history.history["val_loss"]]
        """,
        [[1.0] * 3] * 2,
    ),
    "epochs of so many batches": (
        """
        history = regression().fit_generator(
            batches(), steps_per_epoch=4, epochs=2, verbose=0, max_q_size=1,
            validation_data=batches(), validation_steps=2,
        )
        run = lambda: [history.history["loss"], history.history["val_loss"]]
        """,
        [[1.0] * 2] * 2,
    ),
    "examples that are evaluated": (
        "run = lambda: regression().evaluate_generator("
        "batches(), val_samples=2)",
        [1.0, 1.0],
    ),
    "examples that are predicted": (
        "run = lambda: regression().predict_generator("
        "batches(), val_samples=2)",
        SUMS,
    ),
    "images that are varied": (
        """
        made = ImageDataGenerator(rescale=0.5, horizontal_flip=False)
        flow = made.flow(images, np.ones(2), batch_size=2, shuffle=False)
        run = lambda: flow.next()[0]
        """,
        IMAGES / 2,
    ),
    "batch norm, mode 0": (
        """
        model = of(BatchNormalization(mode=0, epsilon=1e-6, input_shape=(3,)))
        model.compile(SGD(lr=0.0), "mse")
        run = lambda: model.train_on_batch(x, np.zeros((2, 3)))
        """,
        # Each column has two numbers, so becomes 1 and -1.
        1.0,
    ),
    "batch norm, mode 1": (
        "run = lambda: BatchNormalization(mode=1)",
        "`mode=1` of BatchNormalization, which normalized each example by "
        "itself, is LayerNormalization today.",
    ),
    "batch norm, mode 2": (
        "run = lambda: of(BatchNormalization("
        "mode=2, epsilon=1e-6, input_shape=(3,))).predict(x)",
        [[-1, 1, 1], [1, -1, -1]],
    ),
    "classes": (
        """
        model = of(Dense(3, input_dim=3, activation="softmax",
                         weights=[np.eye(3), np.zeros(3)]))
        run = lambda: [model.predict_classes(x, verbose=0),
                       model.predict_proba(x, verbose=0)]
        """,
        [[2, 0], softmax(X)],
    ),
    "a regularizer of weights": (
        "run = lambda: regression(W_regularizer=l2(0.5)).evaluate("
        "x, x.sum(1), verbose=0)[0]",
        1.5,
    ),
    "a regularizer of words": (
        """
        model = of(Embedding(5, 2, input_length=1, init="one",
                             W_regularizer=l2(0.1)), Flatten())
        model.compile("sgd", "mse")
        run = lambda: model.evaluate(np.zeros((1, 1)), np.ones((1, 2)),
                                     verbose=0)
        """,
        1.0,
    ),
    "a regularizer of what comes out": (
        "run = lambda: regression(activity_regularizer=activity_l2(0.1))"
        ".evaluate(x, x.sum(1), verbose=0)[0]",
        0.1 * (SUMS**2).mean(),
    ),
    "a constraint of weights": (
        """
        model = of(ones(1, input_dim=3, W_constraint=keras.constraints
                        .maxnorm(0.5)))
        model.compile(SGD(lr=0.0), "mse")
        model.fit(x, x.sum(1), nb_epoch=1, verbose=0)
        run = lambda: model.get_weights()[0]
        """,
        np.full((3, 1), 0.5 / np.sqrt(3)),
    ),
    "a convolution of images": (
        """
        model = of(Convolution2D(
            1, 3, 3, init="one", subsample=(1, 1), border_mode="valid",
            dim_ordering="tf", input_shape=(4, 4, 1),
        ))
        run = lambda: model.predict(images)
        """,
        patches(3),
    ),
    "channels first": (
        """
        model = of(MaxPooling2D((2, 2), dim_ordering="th",
                                input_shape=(1, 4, 4)))
        run = lambda: model.predict(images.reshape(2, 1, 4, 4))
        """,
        IMAGES[:, None, 1::2, 1::2, 0],
    ),
    "a convolution of sequences": (
        """
        model = of(Convolution1D(nb_filter=1, filter_length=2, init="one",
                                 input_dim=2, input_length=3))
        run = lambda: model.predict(steps)
        """,
        [[[2.5], [4.0]]],
    ),
    "pooling of sequences": (
        "run = lambda: of(MaxPooling1D(pool_length=2, stride=1, "
        "input_shape=(3, 2))).predict(steps)",
        [[[1.0, 2.0], [1.0, 2.0]]],
    ),
    "lstm": (
        """
        model = of(LSTM(output_dim=2, init="one", inner_init="one",
                        consume_less="mem", input_shape=(3, 2)))
        run = lambda: model.predict(steps)
        """,
        lstm(STEPS),
    ),
    "gru": (
        """
        model = of(GRU(2, init="one", inner_init="one",
                       inner_activation="sigmoid", input_shape=(3, 2)))
        run = lambda: model.predict(steps)
        """,
        gru(STEPS, sigmoid),
    ),
    "every step of a simple rnn": (
        """
        model = of(SimpleRNN(2, init="one", inner_init="one",
                             return_sequences=True, input_shape=(3, 2)))
        run = lambda: model.predict(steps)
        """,
        simple_rnn(STEPS),
    ),
    "a dense layer of each step": (
        "run = lambda: of(TimeDistributed(ones(1), input_shape=(3, 2)))"
        ".predict(steps)",
        STEPS.sum(1)[None, :, None],
    ),
    "the greatest of several layers": (
        "run = lambda: of(MaxoutDense(2, nb_feature=3, init='one', "
        "input_dim=3)).predict(x)",
        np.repeat(SUMS, 2, 1),
    ),
    "a highway": (
        "run = lambda: of(Highway(init='zero', activation='relu', "
        "input_dim=3)).predict(x)",
        (1 - sigmoid(-2)) * X,
    ),
    "a rate that decays": (
        """
        model = of(ones(1, input_dim=1))
        model.compile(SGD(lr=0.1, decay=0.5, momentum=0.0), "mse")
        model.fit(np.ones((1, 1)), np.zeros(1), nb_epoch=3, verbose=0)
        run = lambda: model.get_weights()[0][0, 0]
        """,
        decayed(),
    ),
    "the rate of Adagrad": (
        """
        model = of(ones(1, input_dim=1))
        model.compile("adagrad", "mse")
        model.fit(np.ones((1, 1)), np.zeros(1), nb_epoch=3, verbose=0)
        run = lambda: model.get_weights()[0][0, 0]
        """,
        adagrad(),
    ),
    "a rate that a script sets": (
        """
        model = regression()
        rates = LearningRateScheduler(lambda epoch: 0.5 / (1 + epoch))
        model.fit(x, x.sum(1), nb_epoch=2, verbose=0, callbacks=[rates])
        first = model.optimizer.lr.get_value()
        K.set_value(model.optimizer.lr, 0.125)
        run = lambda: [first, K.get_value(model.optimizer.lr)]
        """,
        [0.25, 0.125],
    ),
    "weights of examples": (
        """
        weights = np.array([2.0, 0.0])
        run = lambda: regression().evaluate(
            x, x.sum(1) + 1, sample_weight=weights, verbose=0
        )[0]
        """,
        # The second counts neither above nor below.
        2.0,
    ),
    "the accuracy's old name": (
        """
        model = of(ones(1, input_dim=3))
        model.compile("sgd", "mse", metrics=["accuracy"])
        history = model.fit(x, np.array([1.0, 0.0]), nb_epoch=1,
                            verbose=0).history
        run = lambda: history["acc"][0]
        """,
        0.5,
    ),
    "a layer of one's own": (
        """
        class Scale(Layer):
            def build(self, input_shape):
                self.input_spec = [InputSpec(ndim=2)]
                self.g = K.variable(np.full(input_shape[1], 2.0))
                self.trainable_weights = [self.g]
                self.built = True

            def call(self, x, mask=None):
                return x * self.g

            def get_output_shape_for(self, input_shape):
                return input_shape

        model = of(Scale(input_shape=(3,)))
        run = lambda: [model.predict(x), len(model.trainable_weights)]
        """,
        [2 * X, 1],
    ),
    "a function of tensors": (
        """
        model = of(Dropout(0.5, input_shape=(3,)), ones(1))
        inner = K.function(
            [model.layers[0].input, K.learning_phase()],
            [model.layers[-1].output],
        )
        run = lambda: inner([x, 0])[0]
        """,
        SUMS,
    ),
    "weights by their names": (
        """
        layer = Dense(1, input_dim=3, W_regularizer=None,
                      weights=[np.ones((3, 1)), np.full(1, 2.0)])
        of(layer)
        run = lambda: [layer.W.get_value(), layer.b.get_value()]
        """,
        [np.ones((3, 1)), [2.0]],
    ),
    "a model as text": (
        """
        import json
        config = {"name": "d", "output_dim": 2, "init": "one", "bias": True,
                  "batch_input_shape": [None, 3], "W_regularizer": None,
                  "b_regularizer": None, "activity_regularizer": None,
                  "W_constraint": None, "b_constraint": None, "trainable": True,
                  "activation": "linear", "input_dim": 3,
                  "input_dtype": "float32"}
        text = json.dumps({"class_name": "Sequential", "keras_version": "1.2.2",
                           "config": [{"class_name": "Dense",
                                       "config": config}]})
        run = lambda: model_from_json(text).predict(x)
        """,
        np.repeat(SUMS, 2, 1),
    ),
    "a model in a file": (
        """
        regression().save("model.h5")
        run = lambda: load_model("model.h5").predict(x)
        """,
        SUMS,
    ),
    "a model that finds its input's shape": (
        """
        model = of(Flatten(), ones(1))
        model.compile("sgd", "mse")
        model.fit(x[:, :, None], x.sum(1), nb_epoch=1, verbose=0)
        run = lambda: model.predict(x[:, :, None])
        """,
        SUMS,
    ),
    "a gradient of the whole loss": (
        """
        model = regression()
        slope = K.gradients(model.total_loss, model.trainable_weights)
        steep = K.function(model.inputs + model.targets, slope)
        run = lambda: steep([x, np.zeros((2, 1))])[0]
        """,
        (X * SUMS).sum(0)[:, None],
    ),
    "an optimizer's small name": (
        "run = lambda: keras.optimizers.rmsprop(lr=0.25).lr.get_value()",
        0.25,
    ),
    "labels as rows": (
        "run = lambda: np_utils.to_categorical([0, 2], nb_classes=3)",
        [[1, 0, 0], [0, 0, 1]],
    ),
    "a model for scikit-learn": (
        """
        model = KerasRegressor(build_fn=regression, nb_epoch=1, verbose=0)
        model.fit(x, x.sum(1))
        run = lambda: model.predict(x, verbose=0)
        """,
        SUMS[:, 0],
    ),
    "names that a star brought along": (
        """
        space = {}
        exec("from keras.layers import *", space)
        run = lambda: [space["np"].ndim(x), space["K"].ndim(K.variable(x)),
                       len(space["merge"]([Input((3,))] * 2, "mul").shape)]
        """,
        [2, 2, 2],
    ),
}


@pytest.fixture(scope="module")
def results(tmp_path_factory):
    codes = {name: code for name, (code, _) in SITUATIONS.items()}
    return results_of_each(codes, HEAD, tmp_path_factory.mktemp("keras"))


@pytest.mark.parametrize("name", SITUATIONS)
def test_scripts_of_that_time_get_what_they_got(results, name):
    _assert_equal(results[name], SITUATIONS[name][1])


def _assert_equal(found, expected):
    if isinstance(expected, str) or isinstance(found, str):
        assert found == expected
    elif isinstance(expected, list) and len(expected) == len(found):
        for a, b in zip(found, expected, strict=True):
            _assert_equal(a, b)
    else:
        np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-6)
