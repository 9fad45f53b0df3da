"""Population: does each member equal its model trained alone?"""

import keras
import numpy as np
import pytest
from keras import layers

from tfcourse import layers as own_layers
from tfcourse import optimizers
from tfcourse.tuning.population import CannotVectorize, Population

K = 2


def digits(rng, n=50, size=12, classes=4):
    y = rng.integers(classes, size=n)
    x = rng.normal(size=(n, size)) + y[:, None] * 0.3
    return x.astype("float32"), y


def models_of(build):
    models = []
    for seed in range(K):
        keras.utils.set_random_seed(seed + 1)
        model = build(seed)
        model.optimizer.build(model.trainable_variables)
        models.append(model)
    return models


def variables(model):
    return [*model.variables, *model.optimizer.variables]


def values(model):
    return [keras.ops.convert_to_numpy(v).copy() for v in variables(model)]


def check(
    build,
    x,
    y,
    rtol=2e-4,
    atol=2e-5,
    jit=False,
    data=None,
    subsets=None,
    **settings,
):
    """Trains K models at once and alone; returns the population."""
    settings = {"shuffle": False, "epochs": 2} | settings
    if data is None:
        settings["batch_size"] = 32
    models = models_of(build)
    initial = [values(model) for model in models]
    population = Population(models, jit_compile=jit)
    inputs = (x, y) if data is None else (data,)
    histories = population.fit(*inputs, subsets=subsets, **settings)
    # One model for all, as its program is the same.
    alone = build(0)
    alone.optimizer.build(alone.trainable_variables)
    for k, model in enumerate(models):
        for variable, value in zip(variables(alone), initial[k], strict=True):
            variable.assign(value)
        if subsets is not None:
            inputs, settings = of_subset(k, x, y, subsets, settings)
        expected = alone.fit(*inputs, verbose=0, **settings).history
        actual = histories[k].history
        assert list(actual) == list(expected)
        for name in expected:
            np.testing.assert_allclose(
                actual[name],
                expected[name],
                rtol=rtol,
                atol=atol,
                err_msg=name,
            )
        population.assign_to(k, model)
        for variable, a, b in zip(
            variables(alone), values(model), values(alone), strict=True
        ):
            np.testing.assert_allclose(
                a, b, rtol=rtol, atol=atol, err_msg=variable.path
            )
    return population


def of_subset(k, x, y, subsets, settings):
    train, held_out = (part[k] for part in subsets)
    data = x[held_out], y[held_out]
    return (x[train], y[train]), settings | {"validation_data": data}


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


@pytest.mark.parametrize(
    "jit",
    [
        pytest.param(False, id="plain", marks=pytest.mark.slow),
        pytest.param(True, id="xla"),
    ],
)
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


@pytest.mark.parametrize(
    "jit", [False, pytest.param(True, marks=pytest.mark.slow)]
)
def test_members_have_examples_of_their_own(rng, jit):
    x, y = digits(rng, 60)
    orders = np.stack([rng.permutation(60) for _ in range(K)])
    build = classifier(
        lambda: layers.Dense(8),
        layers.BatchNormalization,
        lambda: layers.Activation("relu"),
    )
    population = check(
        build, x, y, jit=jit, subsets=np.split(orders, [40], axis=1)
    )
    assert population.report["one_by_one"] == []


HIDDEN = {
    "dense": [
        lambda: layers.Dense(
            8,
            kernel_regularizer=keras.regularizers.L2(0.01),
            bias_regularizer="l1",
            activity_regularizer="l2",
        ),
        layers.LayerNormalization,
        lambda: layers.Dense(
            8, kernel_constraint=keras.constraints.MaxNorm(1.0)
        ),
        layers.PReLU,
        lambda: layers.GroupNormalization(2),
    ],
    "random": [
        lambda: layers.GaussianNoise(0.3),
        lambda: layers.Dense(8),
        lambda: layers.Dropout(0.3),
    ],
    "convolution": [
        lambda: layers.Reshape((4, 3, 1)),
        lambda: layers.Conv2D(3, 2, padding="same", activation="relu"),
        lambda: layers.MaxPooling2D((2, 1)),
        lambda: layers.Conv2D(3, 2, padding="same", strides=2),
        lambda: layers.AveragePooling2D(1, strides=1),
        layers.GlobalAveragePooling2D,
    ],
    "odd convolution": [
        lambda: layers.Reshape((4, 3, 1)),
        lambda: layers.Conv2DTranspose(2, 2, strides=2),
        lambda: layers.SeparableConv2D(3, 2, dilation_rate=2),
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
        lambda: layers.Bidirectional(layers.GRU(2)),
    ],
}
BY_XLA = ["random", "convolution", "odd convolution"]


@pytest.mark.slow
@pytest.mark.parametrize(
    "name, jit", [(n, False) for n in HIDDEN] + [(n, True) for n in BY_XLA]
)
def test_layers(rng, name, jit):
    x, y = digits(rng)
    population = check(classifier(*HIDDEN[name]), x, y, jit=jit)
    if keras.config.backend() == "tensorflow" and jit:
        assert population.report["xla"]


# SGD, RMSprop, Adam, AdamW and Nadam: in the tests of `supernet`, too.
OPTIMIZERS = {
    name: getattr(keras.optimizers, name)
    for name in [
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
    "nesterov": lambda rate: keras.optimizers.SGD(
        rate, momentum=0.9, nesterov=True, clipvalue=0.01, weight_decay=0.1
    ),
    "amsgrad": lambda rate: keras.optimizers.Adam(
        rate, amsgrad=True, global_clipnorm=0.1
    ),
    "centered": lambda rate: keras.optimizers.RMSprop(
        rate, centered=True, momentum=0.5, clipnorm=0.1
    ),
    "ema": lambda rate: keras.optimizers.SGD(
        rate, use_ema=True, loss_scale_factor=8.0
    ),
    "averages taken": lambda rate: keras.optimizers.Adam(
        rate, use_ema=True, ema_momentum=0.5, ema_overwrite_frequency=2
    ),
    "warmup": lambda rate: keras.optimizers.Adam(
        keras.optimizers.schedules.CosineDecay(
            0.0, 10, warmup_target=0.05, warmup_steps=2
        )
    ),
    "pieces": lambda rate: keras.optimizers.SGD(
        keras.optimizers.schedules.PiecewiseConstantDecay(
            [1, 3], [0.1, 0.05, 0.01]
        )
    ),
    "loss scale": lambda rate: keras.optimizers.LossScaleOptimizer(
        keras.optimizers.RMSprop(rate), dynamic_growth_steps=2
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


def test_subclassed_model(rng):
    x, y = digits(rng)

    def built(seed):
        model = residual(seed)
        model(x[:1])
        return model

    check(built, x, y)


def test_models_that_build_on_data(rng):
    population = Population([residual(0), residual(1)], jit_compile=False)
    (first, second) = population.fit(*digits(rng))
    assert first.history["loss"] != second.history["loss"]


@pytest.mark.parametrize(
    "settings",
    [
        {"sample_weight": np.linspace(0.1, 2, 50), "validation_split": 0.25},
        {"class_weight": {0: 3.0, 2: 0.5}},
    ],
    ids=lambda settings: next(iter(settings)),
)
def test_weights_and_validation(rng, settings):
    x, y = digits(rng)
    build = classifier(
        weighted_metrics=["accuracy"],
        metrics=["sparse_categorical_crossentropy"],
    )
    check(build, x, y, **settings)


def test_datasets(rng):
    tf = pytest.importorskip("tensorflow")
    x, y = digits(rng)

    def batches(size):
        return tf.data.Dataset.from_tensor_slices((x, y)).batch(size)

    check(classifier(), x, y, data=batches(32), validation_data=batches(20))


@pytest.mark.slow
def test_mixed_precision(rng):
    x, y = digits(rng)
    build = classifier(
        lambda: layers.Dense(8, activation="relu", dtype="mixed_float16"),
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


class SumOfSquares(keras.metrics.Metric):
    """That of a layer's weights, whatever the data."""

    def __init__(self, layer):
        super().__init__(name="squares")
        self._layer = layer

    def update_state(self, *arguments, **settings):
        pass

    def result(self):
        return keras.ops.sum(keras.ops.square(self._layer.kernel))


def test_metric_that_looks_at_the_weights(rng):
    def build(seed):
        hidden = layers.Dense(3)
        model = keras.Sequential(
            [keras.Input((12,)), hidden, layers.Dense(4, "softmax")]
        )
        model.compile(
            keras.optimizers.SGD(0.1 * (seed + 1)),
            "sparse_categorical_crossentropy",
            metrics=[SumOfSquares(hidden)],
        )
        return model

    check(build, *digits(rng))


@pytest.mark.parametrize(
    "jit", [False, pytest.param(True, marks=pytest.mark.slow)]
)
def test_losses_of_outputs_count_each_batch_the_same(rng, jit):
    x, y = digits(rng)

    def build(seed):
        inputs = keras.Input((12,))
        a, b = (layers.Dense(4, "softmax", name=name)(inputs) for name in "ab")
        model = keras.Model(inputs, [a, b])
        model.compile(
            keras.optimizers.SGD(0.02 * (seed + 1)),
            ["sparse_categorical_crossentropy"] * 2,
            loss_weights=[1.0, 0.3],
        )
        return model

    # Both end with a smaller batch.
    held_out = x[:45], [y[:45], y[:45]]
    check(build, x, [y, y], jit=jit, validation_data=held_out)


def test_a_loss_of_the_users_in_a_class_of_keras(rng):
    x, y = digits(rng)
    wrapper = keras.losses.MeanSquaredError.__base__

    def worst(y, p):
        return keras.ops.max(keras.ops.square(y - p))

    def build(seed):
        model = keras.Sequential([keras.Input((12,)), layers.Dense(1)])
        model.compile(keras.optimizers.SGD(0.02), wrapper(worst))
        return model

    check(build, x, y[:, None], validation_data=(x[:45], y[:45, None]))
