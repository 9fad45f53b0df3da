"""Lint: every planted mistake is found, and good models are left in peace."""

import functools

import keras
import numpy as np
import pytest
from keras import layers

import tfcourse.initializers
import tfcourse.layers
import tfcourse.optimizers
import tfcourse.regularizers
from tfcourse.diagnostics import lint

BatchNorms = [layers.BatchNormalization, tfcourse.layers.BatchNormalization]
DENSE = functools.partial(layers.Dense, kernel_initializer="glorot_normal")


def found(report):
    return [(finding.layer, finding.rule) for finding in report]


def model_of(*stack, shape=(8,)):
    return keras.Sequential([keras.Input(shape), *stack])


# A bias that batch norm cancels.


@pytest.mark.parametrize("norm", BatchNorms)
@pytest.mark.parametrize(
    "layer, shape",
    [
        (layers.Dense, (8,)),
        (layers.Dense, (5, 8)),
        (functools.partial(layers.Conv1D, kernel_size=3), (9, 2)),
        (functools.partial(layers.Conv2D, kernel_size=3), (9, 9, 2)),
        (functools.partial(layers.SeparableConv2D, kernel_size=3), (9, 9, 2)),
        (functools.partial(layers.Conv2DTranspose, kernel_size=3), (9, 9, 2)),
    ],
)
def test_finds_a_bias_before_batch_norm(norm, layer, shape):
    model = model_of(
        layer(4, name="z"), norm(name="norm"), layers.ReLU(), shape=shape
    )
    (finding,) = lint(model)
    assert finding.layer == "z"
    assert finding.rule == "useless bias"
    assert "norm subtracts the mean" in finding.reason
    assert "use_bias=False" in finding.mend
    assert not lint(
        model_of(layer(4, use_bias=False), norm(), layers.ReLU(), shape=shape)
    )


def test_the_bias_is_found_to_have_no_effect(rng):
    model = model_of(layers.Dense(4, name="z"), layers.BatchNormalization())
    x = rng.normal(size=(16, 8)).astype("float32")
    before = keras.ops.convert_to_numpy(model(x, training=True))
    model.get_layer("z").bias.assign([1.0, -2.0, 3.0, 4.0])
    after = keras.ops.convert_to_numpy(model(x, training=True))
    np.testing.assert_allclose(before, after, atol=1e-5)


def test_finds_it_in_nested_and_branching_models():
    def block(name):
        return model_of(
            layers.Dense(8, name=f"{name}_z"),
            layers.BatchNormalization(),
            layers.Activation("relu"),
        )

    inputs = keras.Input((8,))
    inner_inputs = keras.Input((8,))
    inner = keras.Model(inner_inputs, block("deep")(inner_inputs))
    # The norm of this one is behind the door of another model.
    outer = layers.Dense(8, name="outer_z")(inputs)
    normed = model_of(layers.BatchNormalization(), layers.ReLU())(outer)
    merged = layers.add([inner(inputs), block("flat")(inputs), normed])
    report = lint(keras.Model(inputs, layers.Dense(2)(merged)))
    assert sorted(found(report)) == [
        ("deep_z", "useless bias"),
        ("flat_z", "useless bias"),
        ("outer_z", "useless bias"),
    ]


def test_a_bias_that_also_goes_elsewhere_is_of_use():
    inputs = keras.Input((8,))
    z = layers.Dense(8, name="z")(inputs)
    normed = layers.BatchNormalization()(z)
    assert not lint(keras.Model(inputs, layers.add([z, normed])))
    assert not lint(keras.Model(inputs, [z, normed]))
    assert found(lint(keras.Model(inputs, normed))) == [("z", "useless bias")]


def test_a_shared_layer_is_named_once_and_only_if_all_calls_agree():
    a, b = keras.Input((8,)), keras.Input((8,))
    shared, norm = layers.Dense(8, name="z"), layers.BatchNormalization()
    both = [norm(shared(a)), norm(shared(b))]
    assert found(lint(keras.Model([a, b], both))) == [("z", "useless bias")]
    shared = layers.Dense(8, name="z")
    one = [norm(shared(a)), layers.Activation("relu")(shared(b))]
    assert not lint(keras.Model([a, b], one))


@pytest.mark.parametrize(
    "stack, shape",
    [
        ([layers.Dense(4), layers.LayerNormalization()], (8,)),
        ([layers.Dense(4), layers.BatchNormalization(axis=1)], (5, 8)),
        ([layers.Dense(4), layers.BatchNormalization(trainable=False)], (8,)),
        ([layers.LSTM(4), layers.BatchNormalization()], (5, 8)),
        ([layers.Dense(4), layers.ReLU()], (8,)),
        (
            [
                layers.EinsumDense("abc,cd->abd", (5, 4), bias_axes="bd"),
                layers.BatchNormalization(),
            ],
            (5, 8),
        ),
    ],
)
def test_a_bias_that_is_not_cancelled_is_left_alone(stack, shape):
    rules = {rule for _, rule in found(lint(model_of(*stack, shape=shape)))}
    assert "useless bias" not in rules


# Order of batch norm, activation and dropout.


@pytest.mark.parametrize("norm", BatchNorms)
@pytest.mark.parametrize(
    "activation",
    [
        [layers.Dense(4, "relu", name="a")],
        [layers.Dense(4), layers.Activation("tanh", name="a")],
        [layers.Dense(4), layers.LeakyReLU(name="a")],
        [layers.Dense(4, activation=layers.ELU(), name="a")],
    ],
    ids=["argument", "layer", "class", "instance"],
)
def test_finds_batch_norm_after_the_activation(norm, activation):
    report = lint(model_of(*activation, norm(name="norm"), layers.Dense(2)))
    assert found(report) == [("norm", "batch norm after activation")]
    assert " in a" in report[0].reason


def test_a_norm_that_opens_a_residual_block_is_left_alone():
    inputs = keras.Input((8,))
    x = layers.Dense(8, "relu")(inputs)
    for _ in range(2):
        y = layers.BatchNormalization()(x)
        y = layers.Activation("relu")(y)
        y = layers.Dense(8)(y)
        x = layers.add([x, y])
    assert not lint(keras.Model(inputs, x))


@pytest.mark.parametrize(
    "dropout",
    [
        layers.Dropout(0.5, name="drop"),
        layers.SpatialDropout1D(0.5, name="drop"),
        tfcourse.layers.InvertedDropout(0.5, name="drop"),
    ],
)
@pytest.mark.parametrize("norm", BatchNorms)
def test_finds_dropout_before_batch_norm(dropout, norm):
    dense = layers.Dense(8, use_bias=False)
    model = model_of(dense, dropout, norm(name="norm"), shape=(5, 8))
    report = lint(model)
    assert found(report) == [("drop", "dropout before batch norm")]
    assert "norm learns a variance" in report[0].reason


def test_dropout_that_drops_nothing_is_left_alone():
    for dropout in [
        layers.Dropout(0.0),
        tfcourse.layers.InvertedDropout(1.0),
    ]:
        dense = layers.Dense(8, use_bias=False)
        assert not lint(model_of(dense, dropout, layers.BatchNormalization()))


# Softmax and the loss.

LOGIT_LOSSES = [
    keras.losses.CategoricalCrossentropy(from_logits=True),
    keras.losses.SparseCategoricalCrossentropy(from_logits=True),
    keras.losses.CategoricalFocalCrossentropy(from_logits=True),
    functools.partial(keras.losses.categorical_crossentropy, from_logits=True),
]
PROBABILITY_LOSSES = [
    "categorical_crossentropy",
    "SparseCategoricalCrossentropy",
    keras.losses.categorical_crossentropy,
    keras.losses.SparseCategoricalCrossentropy(),
]


def head(*stack, loss):
    model = model_of(*stack)
    model.compile("adam", loss)
    return model


SOFTMAX_HEADS = [
    [DENSE(3, activation="softmax", name="head")],
    [DENSE(3), layers.Activation("softmax", name="head")],
    [DENSE(3), layers.Softmax(name="head")],
    [
        DENSE(3),
        layers.Softmax(name="head"),
        layers.Reshape((3,)),
        layers.Activation("linear", dtype="float32"),
    ],
]
LINEAR_HEADS = [
    [DENSE(3, name="head")],
    [DENSE(3, name="head"), layers.Activation("linear")],
    [DENSE(3), layers.Activation("relu", name="head")],
]


@pytest.mark.parametrize("loss", LOGIT_LOSSES)
@pytest.mark.parametrize("stack", SOFTMAX_HEADS)
def test_finds_softmax_under_a_loss_of_logits(stack, loss):
    report = lint(head(*stack, loss=loss))
    assert found(report) == [("head", "softmax and logits")]
    assert "The model ends in softmax" in report[0].reason


@pytest.mark.parametrize("loss", PROBABILITY_LOSSES)
@pytest.mark.parametrize("stack", LINEAR_HEADS)
def test_finds_logits_under_a_loss_of_probabilities(stack, loss):
    report = lint(head(*stack, loss=loss))
    assert found(report) == [("head", "softmax and logits")]
    assert "from_logits=True" in report[0].mend


@pytest.mark.parametrize("loss", PROBABILITY_LOSSES)
@pytest.mark.parametrize("stack", SOFTMAX_HEADS)
def test_softmax_under_a_loss_of_probabilities_is_right(stack, loss):
    assert not lint(head(*stack, loss=loss))


@pytest.mark.parametrize("loss", LOGIT_LOSSES)
def test_logits_under_a_loss_of_logits_are_right(loss):
    assert not lint(head(DENSE(3), loss=loss))


def test_sigmoid_and_its_loss():
    Binary = keras.losses.BinaryCrossentropy  # noqa: N806
    sigmoid = functools.partial(DENSE, 1, "sigmoid", name="head")
    linear = functools.partial(DENSE, 1, name="head")
    wrong = [("head", "softmax and logits")]
    assert found(lint(head(sigmoid(), loss=Binary(from_logits=True)))) == wrong
    assert found(lint(head(linear(), loss="binary_crossentropy"))) == wrong
    assert not lint(head(sigmoid(), loss="binary_crossentropy"))
    assert not lint(head(linear(), loss=Binary(from_logits=True)))


@pytest.mark.parametrize(
    "loss", ["mse", lambda y, p: keras.ops.mean(p - y), "kl_divergence", None]
)
def test_other_losses_are_left_alone(loss):
    for stack in (SOFTMAX_HEADS[0], LINEAR_HEADS[0]):
        assert not lint(head(*stack, loss=loss))


@pytest.mark.parametrize("as_dict", [True, False])
def test_each_output_is_held_against_its_own_loss(as_dict):
    inputs = keras.Input((8,))
    outputs = [
        layers.Dense(3, "softmax", name="right")(inputs),
        layers.Dense(3, name="wrong")(inputs),
        layers.Dense(1, name="number")(inputs),
    ]
    model = keras.Model(inputs, outputs)
    losses = ["categorical_crossentropy", "categorical_crossentropy", "mse"]
    if as_dict:
        losses = dict(zip(["right", "wrong", "number"], losses, strict=True))
    model.compile("adam", losses)
    assert found(lint(model)) == [("wrong", "softmax and logits")]


# Initializers.


@pytest.mark.parametrize(
    "initializer",
    [
        "he_normal",
        "he_uniform",
        keras.initializers.VarianceScaling(2.0, mode="fan_in"),
        tfcourse.initializers.He(),
    ],
)
@pytest.mark.parametrize("activation", ["sigmoid", "tanh"])
def test_finds_he_with_sigmoid_or_tanh(initializer, activation):
    dense = functools.partial(layers.Dense, kernel_initializer=initializer)
    for stack in (
        [dense(4, activation, name="z")],
        [dense(4, name="z"), layers.Activation(activation)],
    ):
        report = lint(model_of(*stack))
        assert found(report) == [("z", "He with sigmoid or tanh")]
        assert activation in report[0].reason
        assert "Xavier" in report[0].mend
    assert not lint(model_of(dense(4, "relu"), dense(4)))


@pytest.mark.parametrize(
    "initializer",
    ["glorot_uniform", "lecun_normal", tfcourse.initializers.Xavier()],
)
def test_xavier_with_tanh_is_right(initializer):
    dense = layers.Dense(4, "tanh", kernel_initializer=initializer)
    assert not lint(model_of(dense))


# Regularization.


def test_finds_a_large_dense_layer_without_regularization():
    model = model_of(layers.Dense(100, name="big"), layers.Dense(2))
    report = lint(model, examples=50)
    assert found(report) == [("big", "no regularization")]
    assert "800 weights for 50 examples" in report[0].reason
    assert not lint(model, examples=80)
    assert not lint(model)


def big(**settings):
    return layers.Dense(100, "relu", **settings)


@pytest.mark.parametrize(
    "stack, optimizer",
    [
        ([big(kernel_regularizer="l2")], "sgd"),
        ([big(kernel_regularizer=tfcourse.regularizers.L2(0.1, 50))], "sgd"),
        ([big(), layers.Dropout(0.5)], "sgd"),
        ([layers.Dropout(0.5), big()], "sgd"),
        ([big(), tfcourse.layers.InvertedDropout(0.5)], "sgd"),
        (
            [
                layers.Dense(100, use_bias=False),
                layers.BatchNormalization(),
                layers.ReLU(),
                layers.Dropout(0.5),
            ],
            "sgd",
        ),
        ([big(kernel_constraint="max_norm")], "sgd"),
        ([big()], keras.optimizers.AdamW()),
        ([big()], tfcourse.optimizers.GradientDescent(0.1, l2=0.1)),
    ],
)
def test_any_kind_of_regularization_will_do(stack, optimizer):
    model = model_of(*stack)
    model.compile(optimizer, "mse")
    assert not lint(model, examples=50)


def test_an_optimizer_without_decay_will_not_do():
    model = model_of(big(name="big"))
    model.compile(tfcourse.optimizers.GradientDescent(0.1), "mse")
    assert found(lint(model, examples=50)) == [("big", "no regularization")]


# Whole models.


def mlp():
    return model_of(
        layers.Dense(64, use_bias=False, kernel_initializer="he_normal"),
        layers.BatchNormalization(),
        layers.Activation("relu"),
        layers.Dropout(0.3),
        layers.Dense(32, use_bias=False),
        tfcourse.layers.BatchNormalization(),
        layers.ReLU(),
        tfcourse.layers.InvertedDropout(0.8),
        layers.Dense(3, "softmax"),
    )


def residual():
    inputs = keras.Input((16, 16, 3))

    def unit(x, filters, stride=1):
        y = layers.Conv2D(filters, 3, stride, "same", use_bias=False)(x)
        y = layers.BatchNormalization()(y)
        y = keras.ops.relu(y)
        y = layers.Conv2D(filters, 3, 1, "same", use_bias=False)(y)
        y = layers.BatchNormalization()(y)
        if stride > 1:
            x = layers.Conv2D(filters, 1, stride, use_bias=False)(x)
            x = layers.BatchNormalization()(x)
        return layers.Activation("relu")(x + y)

    x = layers.Conv2D(8, 3, padding="same", use_bias=False)(inputs)
    x = layers.ReLU()(layers.BatchNormalization()(x))
    x = unit(unit(x, 8), 16, stride=2)
    x = layers.GlobalAveragePooling2D()(x)
    return keras.Model(inputs, layers.Dense(3, activation="softmax")(x))


def squeeze_and_excite():
    inputs = keras.Input((8, 8, 4))
    x = layers.BatchNormalization()(inputs)
    s = layers.GlobalAveragePooling2D()(x)
    s = layers.Dense(2, "relu", kernel_initializer="he_normal")(s)
    s = layers.Dense(4, "sigmoid")(s)
    x = layers.Flatten()(layers.multiply([x, layers.Reshape((1, 1, 4))(s)]))
    return keras.Model(inputs, layers.Dense(3, "softmax")(x))


def transformer():
    inputs = keras.Input((6,), dtype="int32")
    x = layers.Embedding(20, 8)(inputs)
    a = layers.MultiHeadAttention(2, 4)(x, x)
    x = layers.LayerNormalization()(x + layers.Dropout(0.1)(a))
    f = layers.Dense(8)(layers.Dense(16, "gelu")(x))
    x = layers.LayerNormalization()(x + f)
    x = layers.Bidirectional(layers.LSTM(4))(x)
    return keras.Model(inputs, layers.Dense(3, "softmax")(x))


@pytest.mark.parametrize(
    "build", [mlp, residual, squeeze_and_excite, transformer]
)
def test_a_good_model_has_no_findings(build):
    model = build()
    model.compile("adam", "sparse_categorical_crossentropy")
    report = lint(model, examples=10_000)
    assert not report
    assert str(report) == "Nothing found."


@pytest.mark.slow
@pytest.mark.parametrize("name", ["MobileNetV2", "DenseNet121"])
def test_the_models_of_keras_have_no_findings(name):
    build = getattr(keras.applications, name)
    assert not lint(build(weights=None, input_shape=(64, 64, 3)))


def test_one_model_may_have_them_all():
    model = model_of(
        layers.Dense(64, "relu", name="big"),
        layers.Dense(64, name="bias", kernel_regularizer="l2"),
        layers.BatchNormalization(),
        layers.Activation("relu"),
        layers.Dense(64, "tanh", kernel_initializer="he_normal", name="he"),
        layers.BatchNormalization(name="after"),
        layers.Dropout(0.5, name="drop"),
        layers.BatchNormalization(),
        layers.Dense(3, name="logits"),
    )
    model.compile("adam", "categorical_crossentropy")
    report = lint(model, examples=50)
    assert set(found(report)) == {
        ("bias", "useless bias"),
        ("after", "batch norm after activation"),
        ("drop", "dropout before batch norm"),
        ("he", "He with sigmoid or tanh"),
        ("big", "no regularization"),
        ("logits", "softmax and logits"),
    }
    assert len(report) == len(set(report)) == len(str(report).splitlines())


def test_of_a_subclassed_model_each_layer_is_held_alone():
    class Net(keras.Model):
        def __init__(self):
            super().__init__()
            self.hidden = layers.Dense(
                100, "tanh", kernel_initializer="he_normal", name="hidden"
            )
            self.out = layers.Dense(2, name="out")

        def call(self, x):
            return self.out(self.hidden(x))

    model = Net()
    assert found(lint(model)) == [("hidden", "He with sigmoid or tanh")]
    model(np.zeros((1, 8)))
    assert ("hidden", "no regularization") in found(lint(model, examples=9))


def test_looks_at_a_model_that_is_not_built_yet():
    model = keras.Sequential(
        [layers.Dense(4, name="z"), layers.BatchNormalization()]
    )
    assert found(lint(model, examples=3)) == [("z", "useless bias")]


def with_norm(norm):
    return model_of(layers.Dense(4, use_bias=False), norm, shape=(8,))


@pytest.mark.parametrize(
    "norm",
    [
        layers.BatchNormalization(name="n"),
        tfcourse.layers.BatchNormalization(name="n"),
    ],
)
@pytest.mark.parametrize(
    "examples, batch_size, left", [(65, 64, 1), (143, 64, 15), (7, 4, 3)]
)
def test_finds_a_small_last_batch(norm, examples, batch_size, left):
    report = lint(with_norm(norm), examples, batch_size)

    assert ("n", "small last batch") in found(report)
    assert f"has {left} of {batch_size} examples" in str(report)


@pytest.mark.parametrize(
    "examples, batch_size",
    [(128, 64), (144, 64), (65, None), (None, 64), (3, 64), (5, 1)],
)
def test_other_batches_are_left_alone(examples, batch_size):
    norms = [layers.BatchNormalization(name="n"), layers.Activation("relu")]
    for norm in norms:
        report = lint(with_norm(norm), examples, batch_size)
        assert "small last batch" not in str(report)
    frozen = layers.BatchNormalization(trainable=False)
    assert "small last batch" not in str(lint(with_norm(frozen), 65, 64))


def test_refuses_a_batch_size_that_is_none():
    with pytest.raises(ValueError, match="`batch_size` of lint must"):
        lint(mlp(), 10, 0)


def test_changes_nothing():
    model = residual()
    before = [len(layer._inbound_nodes) for layer in model.layers]
    lint(model)
    assert [len(layer._inbound_nodes) for layer in model.layers] == before


@pytest.mark.parametrize(
    "examples, error", [(0, ValueError), (-3, ValueError), (1.5, TypeError)]
)
def test_refuses_a_number_of_examples_that_is_none(examples, error):
    with pytest.raises(error, match="`examples` of lint must be"):
        lint(mlp(), examples)


def test_refuses_what_is_no_model():
    with pytest.raises(TypeError, match="must be a Keras model"):
        lint([layers.Dense(3)])


def test_a_report_is_a_table_in_a_notebook():
    model = keras.Sequential(
        [
            keras.Input((4,)),
            keras.layers.Dense(8, name="hidden"),
            keras.layers.BatchNormalization(),
        ]
    )
    found = lint(model)

    assert repr(found) == str(found)
    assert "<td>hidden</td><td>useless bias</td>" in found._repr_html_()
    assert lint(keras.Sequential())._repr_html_() == "<pre>Nothing found.</pre>"
