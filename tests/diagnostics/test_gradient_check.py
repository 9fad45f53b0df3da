"""Gradient checking: good gradients pass, and planted faults are found."""

import functools
import random

import keras
import numpy as np
import pytest
import reference
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes
from keras import layers, ops

import tfcourse.layers
from tfcourse.diagnostics import (
    check_gradient,
    gradient_check,
    gradient_ratio,
)

SPARSE = "sparse_categorical_crossentropy"


def built(*stack, shape=(6,), loss=SPARSE, **settings):
    keras.utils.set_random_seed(0)
    model = keras.Sequential([keras.Input(shape), *stack])
    model.compile("adam", loss, **settings)
    return model


@pytest.fixture
def x(rng):
    return rng.normal(size=(8, 6)).astype("float32")


@pytest.fixture
def y(rng):
    return rng.integers(0, 3, 8)


# Of functions and arrays.


def test_the_ratio_is_the_courses(rng):
    a, b = rng.normal(size=(2, 4, 3))
    expected = reference.gradient_ratio(a, b)
    assert gradient_ratio(a, b) == pytest.approx(expected, rel=1e-12)
    assert gradient_ratio(a, a) == 0
    assert gradient_ratio(a, -a) == pytest.approx(1)
    assert gradient_ratio(0 * a, 0 * a) == 0


@settings(max_examples=30, deadline=None, derandomize=True)
@given(
    shape=array_shapes(min_dims=0, max_dims=4, max_side=4),
    scale=st.floats(1e-100, 1e100),
    fault=st.sampled_from([0.0, 1e-7, 1e-3, 1.0]),
)
def test_the_ratio_has_no_unit_and_no_shape(shape, scale, fault):
    rng = np.random.default_rng(0)
    a, off = rng.normal(size=(2, *shape))
    b = a + fault * off
    ratio = gradient_ratio(scale * a, scale * b)
    assert ratio == pytest.approx(reference.gradient_ratio(a, b), abs=1e-15)
    assert ratio == gradient_ratio(scale * b, scale * a)
    assert 0 <= ratio <= 1 + 1e-12


@settings(max_examples=15, deadline=None, derandomize=True)
@given(
    shape=array_shapes(min_dims=0, max_dims=3, max_side=4),
    scale=st.floats(1e-6, 1e6),
    seed=st.integers(0, 99),
)
def test_any_shape_and_scale_is_checked(shape, scale, seed):
    w = np.random.default_rng(seed).normal(2, 0.5, shape)
    check = check_gradient(
        lambda w: scale * cube(w), lambda w: 3 * scale * w**2, w, epsilon=1e-5
    )
    assert check.verdict == "good"
    assert check.checked == check.parameters == w.size

    def planted(w):
        gradient = np.array(3 * scale * w**2)
        gradient[tuple(0 for _ in shape)] *= -1
        return gradient

    check = check_gradient(lambda w: scale * cube(w), planted, w, epsilon=1e-5)
    assert check.verdict == "wrong"
    assert check.worst[0].index == tuple(0 for _ in shape)


def cube(w):
    return (w**3).sum()


def test_compares_with_the_two_sided_difference(rng):
    w = rng.normal(size=(3, 2))
    # With so wide a step the error of the difference, epsilon², is seen.
    check = check_gradient(cube, lambda w: 3 * w**2, w, epsilon=1e-2)
    differences = reference.two_sided_difference(cube, w, 1e-2)
    expected = reference.gradient_ratio(3 * w**2, differences)
    assert check.ratio == pytest.approx(expected, rel=1e-6)
    assert check.ratio > 1e-6
    for each in check.worst:
        assert each.difference == pytest.approx(differences[each.index])
        assert each.gradient == pytest.approx(3 * w[each.index] ** 2)


def test_the_difference_is_of_second_order(rng):
    w = rng.normal(size=5)
    wide, narrow = (
        check_gradient(cube, lambda w: 3 * w**2, w, epsilon=epsilon).ratio
        for epsilon in (1e-2, 1e-3)
    )
    assert wide / narrow == pytest.approx(100, rel=1e-3)


@pytest.mark.parametrize(
    "factor, verdict",
    [
        (1, "good"),
        (1 + 2e-7, "good"),
        (1 + 2e-5, "look"),
        (1 + 2e-3, "wrong"),
        (-1, "wrong"),
    ],
)
def test_the_verdict_is_on_the_courses_scale(rng, factor, verdict):
    w = rng.normal(size=20)
    check = check_gradient(cube, lambda w: factor * 3 * w**2, w, epsilon=1e-6)
    assert check.verdict == verdict
    assert str(check).startswith(f"{verdict}: ratio ")


def regularized(theta):
    w, b = theta["W1"], theta["b1"]
    return ((w @ np.ones(2) + b) ** 2).sum() + 0.35 * (w**2).sum()


def hand_written(theta):
    w, b = theta["W1"], theta["b1"]
    z = w @ np.ones(2) + b
    return {"W1": 2 * z[:, None] + 0.7 * w, "b1": 2 * z}


@pytest.fixture
def theta(rng):
    return {"W1": rng.normal(size=(3, 2)), "b1": rng.normal(size=3)}


def test_checks_the_courses_dict_of_parameters(theta):
    assert check_gradient(regularized, hand_written, theta).verdict == "good"
    arrays = hand_written(theta)
    assert check_gradient(regularized, arrays, theta).verdict == "good"


def test_finds_a_regularizer_that_was_forgotten(theta):
    def forgotten(theta):
        w = theta["W1"]
        return {
            **hand_written(theta),
            "W1": hand_written(theta)["W1"] - 0.7 * w,
        }

    check = check_gradient(regularized, forgotten, theta)
    assert check.verdict == "wrong"
    assert {each.name for each in check.worst[:6]} == {"W1"}
    assert check.ratios["b1"] < 1e-6 < check.ratios["W1"]


def test_finds_the_sign_of_one_bias(theta):
    gradient = hand_written(theta)
    gradient["b1"][1] *= -1
    check = check_gradient(regularized, gradient, theta)
    assert check.verdict == "wrong"
    assert (check.worst[0].name, check.worst[0].index) == ("b1", (1,))
    assert "b1[1]: gradient" in str(check)


def test_at_a_kink_any_slope_between_is_right():
    def relu(w):
        return np.maximum(w, 0).sum()

    w = np.array([0.0, 1.0, -1.0])
    for slope, verdict in [
        (0.0, "good"),
        (0.3, "good"),
        (1.0, "good"),
        (-0.1, "wrong"),
        (1.1, "wrong"),
    ]:
        check = check_gradient(relu, np.array([slope, 1.0, 0.0]), w)
        assert check.verdict == verdict
        assert check.kinks == 1
    # One that lies within the step, but not in the parameter itself.
    w = np.array([3e-8, 1.0, -1.0])
    assert check_gradient(relu, np.array([1.0, 1, 0]), w).verdict == "good"


def test_many_kinks_within_a_step_are_no_fault(rng):
    # As many distances from the kink as there are ways to misjudge it.
    w = np.concatenate([np.geomspace(1e-9, 1e-5, 60), [0.5]])

    def f(w):
        return (np.abs(w - 1e-5) + np.maximum(w, 0) + w**2).sum()

    right = np.sign(w - 1e-5) + (w > 0) + 2 * w
    assert check_gradient(f, right, w, epsilon=1e-6).verdict == "good"
    assert check_gradient(f, right, w, epsilon=1e-5).verdict == "good"
    wrong = right.copy()
    wrong[40] = -0.5
    check = check_gradient(f, wrong, w, epsilon=1e-6)
    assert check.verdict == "wrong"
    assert check.worst[0].index == (40,)


def test_a_curve_is_no_kink():
    w = np.array([1e-5, 0.1, 1.0])
    for epsilon in (1e-7, 1e-4):
        check = check_gradient(lambda w: (w**2).sum(), 2 * w, w, epsilon)
        assert check.kinks == 0
        assert check.verdict == "good"


def test_what_rounding_explains_is_not_called_wrong():
    w = np.array([1e-9])

    def f(w):
        return 1e3 + (w**2).sum()

    check = check_gradient(f, 2 * w, w)
    assert check.ratio > 1e-4
    assert check.verdict == "look"
    assert "larger epsilon" in str(check)


def test_a_sample_takes_some_of_every_array(rng):
    theta = {"W": rng.normal(size=(30, 30)), "b": rng.normal(size=4)}

    def f(theta):
        return cube(theta["W"]) + cube(theta["b"])

    def gradient(theta):
        return {name: 3 * w**2 for name, w in theta.items()}

    wrong = gradient(theta)
    wrong["b"] = -wrong["b"]
    check = check_gradient(f, wrong, theta, sample=10)
    assert (check.checked, check.parameters) == (10, 904)
    assert {each.name for each in check.worst[:4]} == {"b"}
    assert len({each.index for each in check.worst if each.name == "b"}) == 4

    def indices(seed):
        check = check_gradient(f, gradient, theta, sample=10, seed=seed)
        return {(each.name, each.index) for each in check.worst}

    assert indices(1) == indices(1) != indices(2)
    assert check_gradient(f, gradient, theta, sample=5000).checked == 904


# Of models.


def conv_net():
    return built(
        layers.Conv2D(3, 3, activation="relu"),
        layers.MaxPooling2D(),
        layers.Flatten(),
        layers.Dense(3, "softmax"),
        shape=(8, 8, 1),
    )


def test_a_good_model_passes(x, y):
    model = built(
        layers.Dense(5, "relu", kernel_regularizer="l2"),
        layers.Dense(4, "tanh", bias_regularizer=keras.regularizers.L1(0.1)),
        layers.Dense(3, "softmax", activity_regularizer="l2"),
    )
    check = gradient_check(model, x, y)
    assert check.ratio < 1e-6
    assert check.verdict == "good"
    assert check.checked == check.parameters == model.count_params()
    assert len(check.ratios) == 6


def test_it_checks_at_other_weights_and_other_losses(x):
    model = built(layers.Dense(4, "sigmoid"), layers.Dense(1), loss="mse")
    for weight in model.trainable_variables:
        weight.assign(np.full(weight.shape, 0.5))
    weights = np.arange(8.0)
    target = np.ones((8, 1))
    for loss in [keras.losses.Huber(), keras.losses.LogCosh()]:
        model.compile("adam", loss)
        check = gradient_check(model, x, target, sample_weight=weights)
        assert check.verdict == "good"


def test_sample_weights_count(x, y):
    model = built(layers.Dense(3, "softmax"))
    check = gradient_check(model, x, y)
    none = gradient_check(model, x, y, sample_weight=np.zeros(8))
    assert check.worst[0].gradient != 0
    assert none.worst[0].gradient == none.worst[0].difference == 0
    assert none.ratio == 0


@pytest.mark.parametrize(
    "norm", [layers.BatchNormalization, tfcourse.layers.BatchNormalization]
)
def test_batch_norm_is_checked_in_training_mode(x, y, norm):
    model = built(
        layers.Dense(5, use_bias=False),
        norm(),
        layers.Activation("tanh"),
        layers.Dense(3, "softmax"),
    )
    assert gradient_check(model, x, y).verdict == "good"
    # Moving statistics that the batch does not have make no difference.
    for layer in model.layers[1:2]:
        layer.moving_mean.assign(layer.moving_mean + 100)
    assert gradient_check(model, x, y).verdict == "good"


def test_zero_pixels_under_zero_biases_are_no_fault(rng, y):
    x = np.zeros((8, 8, 8, 1))
    x[:, 3:5, 3:5] = rng.normal(size=(8, 2, 2, 1))
    check = gradient_check(conv_net(), x, y)
    assert check.kinks > 0
    assert check.verdict == "good"
    assert "at a kink of the loss" in str(check)


def test_embeddings_and_recurrence_pass(rng, y):
    model = built(
        layers.Embedding(4, 2, mask_zero=True),
        layers.SimpleRNN(3),
        layers.Dense(3, "softmax"),
    )
    assert gradient_check(model, rng.integers(0, 4, (8, 3)), y).ratio < 1e-6


def test_many_inputs_outputs_and_loss_weights_pass(rng):
    a, b = keras.Input((3,), name="a"), keras.Input((2,), name="b")
    hidden = layers.Dense(4, "tanh")(layers.concatenate([a, b]))
    outputs = {
        "p": layers.Dense(2, "softmax", name="p")(hidden),
        "q": layers.Dense(1, name="q")(hidden),
    }
    model = keras.Model({"a": a, "b": b}, outputs)
    model.compile(
        "adam", {"p": SPARSE, "q": "mse"}, loss_weights={"p": 1.0, "q": 0.3}
    )
    x = {"a": rng.normal(size=(5, 3)), "b": rng.normal(size=(5, 2))}
    y = {"p": rng.integers(0, 2, 5), "q": rng.normal(size=(5, 1))}
    assert gradient_check(model, x, y).verdict == "good"


class Net(keras.Model):
    """A model that cannot be cloned, with a loss of its own."""

    def __init__(self, function):
        super().__init__()
        self.function = function
        self.hidden = keras.Sequential([layers.Dense(4, "tanh")])
        self.out = layers.Dense(3)

    def call(self, x):
        x = self.function(self.hidden(x))
        self.add_loss(0.01 * ops.sum(x**2))
        return self.out(x)

    def compute_loss(self, x=None, y=None, y_pred=None, sample_weight=None):
        loss = ops.mean((y_pred - ops.one_hot(y, 3, dtype=y_pred.dtype)) ** 2)
        return loss + sum(self.losses)


def test_a_subclassed_model_with_a_loss_of_its_own_passes(x, y):
    model = Net(lambda x: x**2)
    model(x)
    model.compile("adam")
    assert gradient_check(model, x, y).verdict == "good"


def test_nested_models_and_mixed_precision_are_checked_in_float64(x, y):
    policy = "mixed_bfloat16"
    inner = keras.Sequential(
        [keras.Input((6,)), layers.Dense(4, "tanh", dtype=policy)]
    )
    # One in the middle, whose inputs are themselves computed.
    middle = keras.Sequential([keras.Input((4,)), layers.Dense(4, "tanh")])
    model = built(inner, middle, layers.Dense(3, "softmax", dtype=policy))
    assert gradient_check(model, x, y).verdict == "good"


def custom(forward, backward):
    """Returns `forward` with a gradient of one's own."""

    @ops.custom_gradient
    def function(*args):
        def gradient(*args_, upstream=None):
            upstream = args_[0] if upstream is None else upstream
            return backward(upstream, *args)

        return forward(*args), gradient

    return function


class Affine(layers.Layer):
    """z = xW + b with a hand-written gradient."""

    def __init__(self, units, backward, forward=None, **settings):
        super().__init__(**settings)
        self.units = units
        self.function = custom(
            forward or (lambda x, w, b: ops.matmul(x, w) + b), backward
        )

    def build(self, shape):
        self.w = self.add_weight((shape[-1], self.units), name="w")
        self.b = self.add_weight((self.units,), name="b")

    def call(self, x):
        return self.function(x, self.w + 0, self.b + 0)


def right(upstream, x, w, b):
    return (
        ops.matmul(upstream, ops.transpose(w)),
        ops.matmul(ops.transpose(x), upstream),
        ops.sum(upstream, axis=0),
    )


def wrong_factor(upstream, x, w, b):
    dx, dw, db = right(upstream, x, w, b)
    return dx, 2 * dw, db


def wrong_sign(upstream, x, w, b):
    dx, dw, db = right(upstream, x, w, b)
    return dx, dw, db * ops.convert_to_tensor([1, 1, -1, 1.0], db.dtype)


def regularized_forward(x, w, b):
    # The penalty is spread over the outputs, so that the loss has it all.
    return ops.matmul(x, w) + b + 0.1 * ops.sum(w**2)


@pytest.mark.parametrize(
    "backward, forward, verdict, worst",
    [
        (right, None, "good", None),
        (wrong_factor, None, "wrong", ("w", None)),
        (wrong_sign, None, "wrong", ("b", (2,))),
        (right, regularized_forward, "wrong", ("w", None)),
    ],
    ids=["right", "factor", "sign of one bias", "missing regularizer"],
)
def test_finds_a_planted_fault(x, y, backward, forward, verdict, worst):
    model = built(
        Affine(4, backward, forward, name="affine"),
        layers.Activation("tanh"),
        layers.Dense(3, "softmax"),
    )
    check = gradient_check(model, x, y)
    assert check.verdict == verdict
    if worst is not None:
        name, index = worst
        assert check.worst[0].name.endswith(f"affine/{name}")
        assert next(iter(check.ratios)).endswith(f"affine/{name}")
        if index is not None:
            assert check.worst[0].index == index
            assert check.worst[1].error < 1e-6


def test_finds_a_fault_in_a_sample_of_a_large_model(x, y):
    model = built(
        layers.Dense(100, "tanh"),
        Affine(4, wrong_sign, name="affine"),
        layers.Dense(3, "softmax"),
    )
    check = gradient_check(model, x, y, sample=60)
    assert check.checked == 60
    assert check.worst[0].name.endswith("affine/b")
    assert check.worst[0].index == (2,)


def test_finds_a_fault_in_an_activation_and_in_a_loss(x, y):
    wrong_square = custom(lambda z: z**2, lambda upstream, z: 3 * z * upstream)
    model = Net(wrong_square)
    model(x)
    model.compile("adam")
    assert gradient_check(model, x, y).verdict == "wrong"

    model = built(
        layers.Dense(1),
        loss=lambda y, p: ops.mean(wrong_square(p - y), axis=-1),
    )
    check = gradient_check(model, x, np.ones((8, 1)))
    assert check.ratio == pytest.approx(0.2, rel=1e-3)


def test_a_gradient_that_was_stopped_is_found(x, y):
    model = Net(ops.stop_gradient)
    model(x)
    model.compile("adam")
    check = gradient_check(model, x, y)
    assert check.verdict == "wrong"
    assert check.worst[0].gradient == 0


def test_checks_gradients_written_by_hand(x):
    model = built(
        layers.Dense(2, kernel_regularizer=keras.regularizers.L2(0.3)),
        loss="mse",
    )
    target = np.ones((8, 2))
    w, b = (weight.astype("float64") for weight in model.get_weights())
    upstream = 2 * (x @ w + b - target) / 16
    data, bias = x.T.astype("float64") @ upstream, upstream.sum(axis=0)

    good = gradient_check(model, x, target, gradients=[data + 0.6 * w, bias])
    assert good.verdict == "good"
    # Without the regularizer.
    check = gradient_check(model, x, target, gradients=[data, bias])
    assert check.verdict == "wrong"
    assert check.worst[0].name.endswith("kernel")
    with pytest.raises(ValueError, match="`gradients` must have arrays"):
        gradient_check(model, x, target, gradients=[bias, data])


# Randomness.


@pytest.mark.parametrize(
    "layer",
    [
        layers.Dropout(0.5, name="noisy"),
        layers.GaussianNoise(0.1, name="noisy"),
        tfcourse.layers.InvertedDropout(0.5, name="noisy"),
    ],
)
def test_a_random_model_is_refused_or_held(x, y, layer):
    model = built(layers.Dense(8), layer, layers.Dense(3, "softmax"))
    with pytest.raises(ValueError, match=r"because of noisy.*hold_dropout"):
        gradient_check(model, x, y)
    check = gradient_check(model, x, y, hold_dropout=True)
    assert check.verdict == "good"


def test_dropout_that_drops_nothing_is_no_reason(x, y):
    for layer in (layers.Dropout(0.0), tfcourse.layers.InvertedDropout(1.0)):
        model = built(layer, layers.Dense(3, "softmax"))
        assert gradient_check(model, x, y).verdict == "good"


def test_a_loss_that_cannot_be_held_is_refused(x, y):
    def noisy(y, p):
        return ops.mean(p, axis=-1) * np.random.default_rng().normal()

    with pytest.raises(ValueError, match="changes from call to call"):
        gradient_check(built(layers.Dense(3), loss=noisy), x, y)


# What the model is like afterwards.


def state_of(model):
    variables = [*model.variables, *model.optimizer.variables]
    return [ops.convert_to_numpy(v).copy() for v in variables]


def test_the_model_is_left_as_it_was(x, y):
    model = built(
        layers.Dense(4, dtype="mixed_bfloat16"),
        layers.BatchNormalization(),
        layers.Dropout(0.5),
        layers.Dense(3, "softmax"),
        metrics=["accuracy"],
    )
    model.fit(x, y, verbose=0)
    before, python = state_of(model), random.getstate()
    globals_ = keras.config.floatx(), keras.config.dtype_policy().name
    predicted = model.predict(x, verbose=0)

    gradient_check(model, x, y, hold_dropout=True)
    with pytest.raises(ValueError, match="dropout"):
        gradient_check(model, x, y)

    for one, other in zip(state_of(model), before, strict=True):
        np.testing.assert_array_equal(one, other)
        assert one.dtype == other.dtype
    assert random.getstate() == python
    assert globals_ == (
        keras.config.floatx(),
        keras.config.dtype_policy().name,
    )
    np.testing.assert_array_equal(model.predict(x, verbose=0), predicted)
    assert model.layers[0].dtype_policy.name == "mixed_bfloat16"
    # The compiled step, too, goes on with the variables that it knows.
    model.fit(x, y, verbose=0)
    assert not np.array_equal(state_of(model)[0], before[0])


def test_it_is_left_so_when_the_check_fails(x, y):
    model = built(layers.Dense(4), layers.Dense(3, "softmax"))
    model.optimizer.build(model.trainable_variables)
    before = state_of(model)
    with pytest.raises(Exception, match="shape|incompatible"):
        gradient_check(model, x[:, :2], y)
    for one, other in zip(state_of(model), before, strict=True):
        np.testing.assert_array_equal(one, other)
    assert model.layers[0].compute_dtype == "float32"
    assert ops.convert_to_numpy(model(x)).dtype == np.float32


def test_training_goes_on_as_if_nothing_had_been(x, y):
    def weights(check):
        model = built(
            layers.Dense(4),
            layers.BatchNormalization(),
            layers.Dropout(0.5, seed=1),
            layers.Dense(3, "softmax"),
        )
        for _ in range(2):
            model.fit(x, y, shuffle=False, verbose=0)
            if check:
                gradient_check(model, x, y, hold_dropout=True)
        return model.get_weights()

    for one, other in zip(weights(True), weights(False), strict=True):
        np.testing.assert_array_equal(one, other)


# What is refused.


@pytest.mark.parametrize("of", ["model", "arrays"])
@pytest.mark.parametrize(
    "name, value, error",
    [
        ("epsilon", 0, ValueError),
        ("epsilon", -1e-7, ValueError),
        ("epsilon", float("nan"), ValueError),
        ("epsilon", float("inf"), ValueError),
        ("epsilon", "1e-7", TypeError),
        ("sample", 0, ValueError),
        ("sample", 1.5, TypeError),
        ("seed", -1, ValueError),
        ("seed", None, TypeError),
    ],
)
def test_refuses_settings_outside_their_range(x, y, of, name, value, error):
    if of == "model":
        model = built(layers.Dense(3, "softmax"))
        check = functools.partial(gradient_check, model, x, y)
    else:
        check = functools.partial(check_gradient, cube, cube, np.ones(2))
    with pytest.raises(error, match=rf"`{name}` of \w+ must .*{name}="):
        check(**{name: value})


def test_refuses_models_it_cannot_check(x, y):
    with pytest.raises(TypeError, match="use `check_gradient`"):
        gradient_check(lambda x: x, x, y)
    with pytest.raises(ValueError, match="no weights yet"):
        gradient_check(keras.Sequential([layers.Dense(3)]), x, y)
    model = built(layers.Dense(3, trainable=False))
    with pytest.raises(ValueError, match="no trainable parameters"):
        gradient_check(model, x, y)
    model = keras.Sequential([keras.Input((6,)), layers.Dense(3)])
    with pytest.raises(ValueError, match="Call `compile`"):
        gradient_check(model, x, y)


def test_refuses_a_loss_that_is_not_finite(x, y):
    model = built(layers.Dense(3, "softmax"))
    with pytest.raises(ValueError, match="loss must be finite"):
        gradient_check(model, x * np.nan, y)


def test_refuses_gradients_of_another_shape():
    with pytest.raises(ValueError, match=r"shapes \[\(2,\)\].*\[\(3,\)\]"):
        check_gradient(cube, np.ones(3), np.ones(2))
    with pytest.raises(ValueError, match=r"keys of `theta`, \['W'\]"):
        check_gradient(
            lambda t: cube(t["W"]), {"V": np.ones(2)}, {"W": np.ones(2)}
        )
