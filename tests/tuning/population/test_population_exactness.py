"""Population: does each member equal its model trained alone?"""

import keras
import numpy as np
import pytest
from keras import layers

from tfcourse import layers as own_layers
from tfcourse import optimizers
from tfcourse.tuning.population import CannotVectorize, Population

K = 3


def digits(rng, n=70, size=12, classes=4):
    y = rng.integers(classes, size=n)
    x = rng.normal(size=(n, size)) + y[:, None] * 0.3
    return x.astype("float32"), y


def models_of(build, seeds=range(K)):
    """Returns twins: K models for the population, K to be trained alone."""
    twins = []
    for _ in range(2):
        models = []
        for seed in seeds:
            keras.utils.set_random_seed(seed + 1)
            models.append(build(seed))
        twins.append(models)
    return twins


def check(build, x, y, epochs=2, rtol=2e-4, atol=2e-5, jit=False, **settings):
    """Trains K models at once and alone; returns the population."""
    together, alone = models_of(build)
    population = Population(together, jit_compile=jit)
    histories = population.fit(
        x, y, epochs=epochs, batch_size=32, shuffle=False, **settings
    )
    for k, model in enumerate(alone):
        expected = model.fit(
            x,
            y,
            epochs=epochs,
            batch_size=32,
            shuffle=False,
            verbose=0,
            **settings,
        )
        actual = histories[k].history
        assert list(actual) == list(expected.history)
        for name, values in expected.history.items():
            np.testing.assert_allclose(
                actual[name], values, rtol=rtol, atol=atol, err_msg=name
            )
        population.assign_to(k, together[k])
        for a, b in zip(
            together[k].variables + together[k].optimizer.variables,
            model.variables + model.optimizer.variables,
            strict=True,
        ):
            np.testing.assert_allclose(
                keras.ops.convert_to_numpy(a),
                keras.ops.convert_to_numpy(b),
                rtol=rtol,
                atol=atol,
                err_msg=a.path,
            )
    return population


def classifier(*hidden, size=12, optimizer=None, **settings):
    settings = {
        "loss": "sparse_categorical_crossentropy",
        "metrics": ["accuracy"],
    } | settings

    def build(seed):
        model = keras.Sequential(
            [
                keras.Input((size,)),
                *[layer() for layer in hidden],
                layers.Dense(4, activation="softmax"),
            ]
        )
        rate = 0.02 * (seed + 1)
        opt = (
            keras.optimizers.SGD(rate) if optimizer is None else optimizer(rate)
        )
        model.compile(opt, **settings)
        return model

    return build


@pytest.mark.parametrize("jit", [False, True], ids=["plain", "xla"])
def test_batch_norm_network(rng, jit):
    x, y = digits(rng)
    build = classifier(
        lambda: layers.Dense(8),
        layers.BatchNormalization,
        lambda: layers.Activation("relu"),
    )
    population = check(build, x, y, jit=jit, validation_data=(x[:40], y[:40]))
    if keras.config.backend() == "tensorflow":
        assert population.report["xla"] == jit
    assert population.report["one_by_one"] == []


HIDDEN = {
    "dropout": [lambda: layers.Dense(8), lambda: layers.Dropout(0.3)],
    "layer norm": [lambda: layers.Dense(8), layers.LayerNormalization],
    "group norm": [
        lambda: layers.Dense(8),
        lambda: layers.GroupNormalization(2),
    ],
    "prelu": [lambda: layers.Dense(8), layers.PReLU],
    "noise": [lambda: layers.GaussianNoise(0.3), lambda: layers.Dense(8)],
    "regularized": [
        lambda: layers.Dense(
            8,
            kernel_regularizer=keras.regularizers.L2(0.01),
            bias_regularizer="l1",
            activity_regularizer="l2",
        )
    ],
    "constrained": [
        lambda: layers.Dense(
            8, kernel_constraint=keras.constraints.MaxNorm(1.0)
        )
    ],
    "convolution": [
        lambda: layers.Reshape((4, 3, 1)),
        lambda: layers.Conv2D(3, 2, activation="relu"),
        lambda: layers.Conv2D(3, 2, padding="same", strides=2),
        layers.Flatten,
    ],
    "pooling": [
        lambda: layers.Reshape((4, 3, 1)),
        lambda: layers.Conv2D(3, 2, padding="same"),
        lambda: layers.MaxPooling2D((2, 1)),
        lambda: layers.Conv2D(3, 1),
        lambda: layers.AveragePooling2D(2, strides=1),
        layers.GlobalAveragePooling2D,
    ],
    "depthwise": [
        lambda: layers.Reshape((4, 3, 1)),
        lambda: layers.SeparableConv2D(3, 2),
        lambda: layers.DepthwiseConv2D(2),
        layers.Flatten,
    ],
    "transposed": [
        lambda: layers.Reshape((4, 3, 1)),
        lambda: layers.Conv2D(3, 2, dilation_rate=2),
        lambda: layers.Conv2DTranspose(2, 2, strides=2),
        layers.Flatten,
    ],
    "conv1d": [
        lambda: layers.Reshape((6, 2)),
        lambda: layers.Conv1D(4, 3, padding="causal"),
        layers.GlobalMaxPooling1D,
    ],
    "lstm": [lambda: layers.Reshape((4, 3)), lambda: layers.LSTM(5)],
    "gru": [
        lambda: layers.Reshape((4, 3)),
        lambda: layers.GRU(5, return_sequences=True),
        lambda: layers.Bidirectional(layers.GRU(2)),
    ],
}


@pytest.mark.slow
@pytest.mark.parametrize("jit", [False, True], ids=["plain", "xla"])
@pytest.mark.parametrize("name", HIDDEN)
def test_layers(rng, name, jit):
    x, y = digits(rng)
    population = check(classifier(*HIDDEN[name]), x, y, jit=jit)
    if keras.config.backend() == "tensorflow" and jit:
        assert population.report["xla"]


OPTIMIZERS = {
    name: getattr(keras.optimizers, name)
    for name in [
        "SGD",
        "RMSprop",
        "Adam",
        "AdamW",
        "Nadam",
        "Adagrad",
        "Adadelta",
        "Adamax",
        "Ftrl",
        "Lion",
        "Lamb",
        "Adafactor",
        "Muon",
    ]
} | {
    "momentum": lambda rate: keras.optimizers.SGD(
        rate, momentum=0.9, nesterov=True
    ),
    "amsgrad": lambda rate: keras.optimizers.Adam(rate, amsgrad=True),
    "centered": lambda rate: keras.optimizers.RMSprop(
        rate, centered=True, momentum=0.5
    ),
    "clipnorm": lambda rate: keras.optimizers.SGD(rate, clipnorm=0.1),
    "global_clipnorm": lambda rate: keras.optimizers.SGD(
        rate, global_clipnorm=0.1
    ),
    "clipvalue": lambda rate: keras.optimizers.SGD(rate, clipvalue=0.01),
    "ema": lambda rate: keras.optimizers.SGD(rate, use_ema=True),
    "schedule": lambda rate: keras.optimizers.SGD(
        keras.optimizers.schedules.ExponentialDecay(0.05, 3, 0.5)
    ),
    "warmup": lambda rate: keras.optimizers.Adam(
        keras.optimizers.schedules.CosineDecay(
            0.0, 10, warmup_target=0.05, warmup_steps=2
        )
    ),
    "pieces": lambda rate: keras.optimizers.SGD(
        keras.optimizers.schedules.PiecewiseConstantDecay(
            [2, 4], [0.1, 0.05, 0.01]
        )
    ),
    "scaled": lambda rate: keras.optimizers.SGD(rate, loss_scale_factor=8.0),
    "loss scale": lambda rate: keras.optimizers.LossScaleOptimizer(
        keras.optimizers.SGD(rate), dynamic_growth_steps=2
    ),
}


@pytest.mark.slow
@pytest.mark.parametrize("name", OPTIMIZERS)
def test_optimizers(rng, name):
    x, y = digits(rng)
    check(classifier(lambda: layers.Dense(8), optimizer=OPTIMIZERS[name]), x, y)


@pytest.mark.slow
@pytest.mark.parametrize(
    "make",
    [
        lambda rate: optimizers.GradientDescent(rate, l2=0.01),
        lambda rate: optimizers.Momentum(rate, beta=1 - rate),
        lambda rate: optimizers.RMSprop(rate, beta=1 - rate),
        lambda rate: optimizers.Adam(rate, beta_1=1 - rate),
    ],
    ids=["gradient descent", "momentum", "rmsprop", "adam"],
)
def test_own_components(rng, make):
    x, y = digits(rng)
    hidden = [
        lambda: layers.Dense(8, use_bias=False),
        lambda: own_layers.BatchNormalization(momentum=0.8),
        lambda: layers.Activation("relu"),
        lambda: own_layers.InvertedDropout(0.7),
    ]
    check(classifier(*hidden, optimizer=make), x, y)


def text(seed):
    words = keras.Input((6,), dtype="int32")
    h = layers.Embedding(20, 8, mask_zero=True)(words)
    h = layers.MultiHeadAttention(2, 4)(h, h)
    h = layers.LayerNormalization()(h)
    h = layers.GlobalAveragePooling1D()(h)
    out = layers.Dense(1, activation="sigmoid")(h)
    model = keras.Model(words, out)
    model.compile(
        keras.optimizers.Adam(0.01 * (seed + 1)),
        "binary_crossentropy",
        metrics=["accuracy", "auc", keras.metrics.Precision(name="precision")],
    )
    return model


@pytest.mark.slow
def test_embedding_and_attention(rng):
    x = rng.integers(20, size=(70, 6)).astype("int32")
    check(text, x, (x[:, :1] > 8).astype("float32"), rtol=1e-3, atol=1e-4)


def two_by_two(seed):
    a, b = keras.Input((12,), name="a"), keras.Input((3,), name="b")
    h = layers.concatenate([layers.Dense(5, activation="relu")(a), b])
    outputs = {
        "kind": layers.Dense(4, activation="softmax", name="kind")(h),
        "size": layers.Dense(1, name="size")(h),
    }
    model = keras.Model({"a": a, "b": b}, outputs)
    model.compile(
        keras.optimizers.RMSprop(0.01 * (seed + 1)),
        {"kind": "sparse_categorical_crossentropy", "size": "huber"},
        loss_weights={"kind": 1.0, "size": 0.3},
        metrics={"kind": ["accuracy"], "size": ["mae"]},
    )
    return model


def test_several_inputs_and_outputs(rng):
    x, y = digits(rng)
    inputs = {"a": x, "b": x[:, :3]}
    check(two_by_two, inputs, {"kind": y, "size": x[:, :1]})


class Residual(keras.Model):
    def __init__(self, units):
        super().__init__()
        self.first = layers.Dense(units, activation="relu")
        self.norm = layers.BatchNormalization()
        self.last = layers.Dense(4)

    def call(self, x, training=False):
        h = self.first(x)
        self.add_loss(1e-2 * keras.ops.mean(keras.ops.square(h)))
        return self.last(self.norm(h, training=training) + h)


def residual(seed):
    model = Residual(6)
    model.compile(
        keras.optimizers.Nadam(0.01),
        keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        metrics=["accuracy"],
    )
    return model


def test_subclassed_model_that_builds_on_data(rng):
    x, y = digits(rng)
    together = residual(0), residual(1)
    alone = residual(0), residual(1)
    for a, b in zip(together, alone, strict=True):
        a(x[:1]), b(x[:1])
        b.set_weights(a.get_weights())
    population = Population(together, jit_compile=False)
    histories = population.fit(x, y, epochs=2, batch_size=32, shuffle=False)
    for k, model in enumerate(alone):
        expected = model.fit(
            x, y, epochs=2, batch_size=32, shuffle=False, verbose=0
        )
        np.testing.assert_allclose(
            histories[k].history["loss"], expected.history["loss"], rtol=1e-4
        )
    fresh = Population([residual(0), residual(1)], jit_compile=False)
    assert len(fresh.fit(x, y)) == 2


@pytest.mark.parametrize(
    "settings",
    [
        {"sample_weight": np.linspace(0.1, 2, 70)},
        {"class_weight": {0: 3.0, 2: 0.5}},
        {"validation_split": 0.25},
    ],
    ids=lambda settings: next(iter(settings)),
)
def test_weights_and_validation(rng, settings):
    x, y = digits(rng)
    build = classifier(
        lambda: layers.Dense(5, activation="tanh"),
        weighted_metrics=["accuracy"],
        metrics=["sparse_categorical_crossentropy"],
    )
    check(build, x, y, **settings)


def test_datasets(rng):
    tf = pytest.importorskip("tensorflow")
    x, y = digits(rng)
    together, alone = models_of(classifier(lambda: layers.Dense(5)))

    def batches(size):
        return tf.data.Dataset.from_tensor_slices((x, y)).batch(size)

    histories = Population(together, jit_compile=False).fit(
        batches(32), epochs=2, validation_data=batches(20)
    )
    for k, model in enumerate(alone):
        expected = model.fit(
            batches(32),
            epochs=2,
            validation_data=batches(20),
            shuffle=False,
            verbose=0,
        )
        for name, values in expected.history.items():
            np.testing.assert_allclose(
                histories[k].history[name], values, rtol=1e-4
            )


@pytest.mark.slow
@pytest.mark.parametrize("policy", ["mixed_bfloat16", "mixed_float16"])
def test_mixed_precision(rng, policy):
    x, y = digits(rng)
    build = classifier(
        lambda: layers.Dense(8, activation="relu", dtype=policy),
        optimizer=lambda rate: keras.optimizers.LossScaleOptimizer(
            keras.optimizers.SGD(rate)
        ),
    )
    # The members' products are summed in another order than alone.
    check(build, x, y, rtol=0.02, atol=0.02)


def test_dropout_differs_between_members_and_has_its_rate(rng):
    x = np.ones((64, 500), "float32")

    def build(seed):
        keras.utils.set_random_seed(seed)
        model = keras.Sequential([keras.Input((500,)), layers.Dropout(0.3)])
        model.add(layers.Dense(1, kernel_initializer="ones", use_bias=False))
        model.compile(keras.optimizers.SGD(0.0), "mean_absolute_error")
        return model

    population = Population([build(k) for k in range(8)], jit_compile=False)
    histories = population.fit(x, np.zeros((64, 1)), batch_size=64)
    # The mean of 64 * 500 kept units, each 1 / 0.7; sigma is 0.0037 of it.
    losses = np.array([h.history["loss"][0] for h in histories])
    assert len(set(losses)) == 8
    np.testing.assert_allclose(losses / 500, 1, atol=6 * 0.0037)


def test_what_assigns_to_parameters_is_refused(rng):
    x, y = digits(rng)
    build = classifier(lambda: layers.SpectralNormalization(layers.Dense(8)))
    with pytest.raises(CannotVectorize, match="assigns to the parameter"):
        Population([build(0), build(1)], jit_compile=False).fit(x, y)


def test_gradient_accumulation_is_refused(rng):
    build = classifier(
        optimizer=lambda rate: keras.optimizers.SGD(
            rate, gradient_accumulation_steps=2
        )
    )
    with pytest.raises(CannotVectorize, match="accumulates gradients"):
        Population([build(0)]).fit(*digits(rng))
