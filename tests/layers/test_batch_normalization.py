"""Batch normalization: the paper's equations, unbiased averages, any input."""

import itertools
import subprocess
import sys

import keras
import numpy as np
import pytest
import reference
from gradients import gradient_of
from hypothesis import given, settings
from hypothesis import strategies as st
from keras import ops
from marks import on_tensorflow

from tfcourse.layers import BatchNormalization

EPSILON = 1e-8


def array(tensor):
    return ops.convert_to_numpy(tensor)


def normalized(x, axis=-1, mask=None, gamma=1.0, beta=0.0, epsilon=EPSILON):
    x = np.moveaxis(x.astype("float64"), axis, -1)
    mean, variance = reference.batch_statistics(x, mask)
    y = reference.batch_norm(x, mean, variance, gamma, beta, epsilon)
    return np.moveaxis(y, -1, axis)


@pytest.mark.parametrize(
    "shape, axis",
    [
        ((8, 3), -1),
        ((8, 3), 1),
        ((8, 5, 3), -1),
        ((8, 3, 5), 1),
        ((4, 5, 6, 3), -1),
        ((4, 5, 6, 3), 3),
        ((4, 3, 5, 6), 1),
        ((4, 3, 5, 6), -3),
        ((3, 9), 0),
        ((2, 3, 4, 5, 6), -1),
    ],
)
def test_matches_the_paper(rng, shape, axis):
    x = rng.normal(1, 3, shape).astype("float32")
    n = shape[axis]
    gamma, beta = rng.normal(size=(2, n))
    layer = BatchNormalization(axis=axis)
    layer.build(shape)
    layer.gamma.assign(gamma)
    layer.beta.assign(beta)

    y = array(layer(x, training=True))

    expected = normalized(x, axis, gamma=gamma, beta=beta)
    np.testing.assert_allclose(y, expected, rtol=1e-5, atol=1e-5)
    mean, variance = reference.batch_statistics(
        np.moveaxis(x.astype("float64"), axis, -1)
    )
    np.testing.assert_allclose(array(layer.moving_mean), mean, rtol=1e-4)
    np.testing.assert_allclose(
        array(layer.moving_variance), variance, rtol=1e-5
    )


@on_tensorflow
def test_matches_the_paper_in_float64(rng):
    x = rng.normal(100, 3, (16, 4))
    layer = BatchNormalization(dtype="float64")

    y = array(layer(x, training=True))

    np.testing.assert_allclose(y, normalized(x), rtol=1e-10, atol=1e-12)


@settings(max_examples=15, deadline=None, derandomize=True)
@given(
    seed=st.integers(0, 1000),
    shape=st.lists(st.integers(2, 6), min_size=2, max_size=4),
    last_is_feature=st.booleans(),
    scale=st.floats(0.01, 1e3),
    offset=st.floats(-10, 10),
)
def test_ignores_shift_and_scale(seed, shape, last_is_feature, scale, offset):
    axis = -1 if last_is_feature else 1
    x = np.random.default_rng(seed).normal(size=shape)
    layer = BatchNormalization(axis=axis, epsilon=1e-30)

    once = array(layer(x.astype("float32"), training=True))
    y = array(layer((scale * (x + offset)).astype("float32"), training=True))

    # Two values that differ by little lose digits to the offset.
    spread = np.moveaxis(x, axis, -1).reshape(-1, shape[axis]).std(axis=0)
    np.testing.assert_allclose(y, once, atol=1e-4 / min(1, spread.min()))


@pytest.mark.parametrize("jit_compile", [False, True])
def test_gradient_is_the_chain_rule(rng, jit_compile):
    x, upstream = rng.normal(2, 3, (2, 16, 3)).astype("float32")
    gamma = rng.normal(size=3).astype("float32")
    layer = BatchNormalization()
    layer.build(x.shape)
    layer.gamma.assign(gamma)

    def scalar(x):
        return ops.sum(layer(x, training=True) * upstream)

    got = gradient_of(scalar, x, jit_compile)

    expected, _, _ = reference.batch_norm_gradient(
        *(a.astype("float64") for a in (x, upstream, gamma)), EPSILON
    )
    np.testing.assert_allclose(got, expected, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize(
    "momentum", [0.9, 0.0, [0.9, 0.5, 0.99, 0.0, 0.7]], ids=str
)
def test_moving_statistics_are_unbiased(rng, momentum):
    batches = rng.normal(5, 2, (5, 32, 3)).astype("float32")
    rho = np.broadcast_to(momentum, 5)
    layer = BatchNormalization()
    for batch, value in zip(batches, rho, strict=True):
        layer.momentum = float(value)
        layer(batch, training=True)

    pairs = [reference.batch_statistics(x) for x in batches.astype("float64")]
    means, variances = map(np.stack, zip(*pairs, strict=True))
    np.testing.assert_allclose(
        array(layer.moving_mean),
        reference.corrected_average(means, rho),
        rtol=1e-5,
    )
    np.testing.assert_allclose(
        array(layer.moving_variance),
        reference.corrected_average(variances, rho),
        rtol=1e-5,
    )


def test_inference_uses_the_moving_statistics(rng):
    x = rng.normal(5, 2, (3, 32, 4)).astype("float32")
    layer = BatchNormalization(momentum=0.7)
    for batch in x:
        layer(batch, training=True)
    mean, variance = array(layer.moving_mean), array(layer.moving_variance)

    y = array(layer(x[0]))

    expected = reference.batch_norm(x[0], mean, variance, 1.0, 0.0, EPSILON)
    np.testing.assert_allclose(y, expected, rtol=1e-4, atol=1e-5)
    np.testing.assert_array_equal(array(layer.moving_mean), mean)
    np.testing.assert_array_equal(array(layer.moving_variance), variance)


def test_before_any_batch_inference_changes_nothing(rng):
    x = rng.normal(size=(4, 3)).astype("float32")
    np.testing.assert_allclose(array(BatchNormalization()(x)), x, rtol=1e-6)


def test_initial_statistics_do_not_stay_in_the_average(rng):
    layer = BatchNormalization(
        moving_mean_initializer="ones",
        moving_variance_initializer=keras.initializers.Constant(7.0),
    )
    x = rng.normal(size=(64, 2)).astype("float32")
    layer(x, training=True)
    np.testing.assert_allclose(
        array(layer.moving_mean), x.mean(axis=0), rtol=1e-5
    )
    np.testing.assert_allclose(
        array(layer.moving_variance), x.var(axis=0), rtol=1e-5
    )


def test_agrees_with_keras_in_training(rng):
    x = rng.normal(3, 2, (16, 5, 4)).astype("float32")
    ours = BatchNormalization(epsilon=1e-3)
    theirs = keras.layers.BatchNormalization(epsilon=1e-3)
    np.testing.assert_allclose(
        array(ours(x, training=True)),
        array(theirs(x, training=True)),
        rtol=1e-5,
        atol=1e-5,
    )


@pytest.mark.parametrize(
    "dtype, offset, scale",
    [
        ("float16", 300, 4),
        ("float16", 30000, 4000),
        ("bfloat16", 300, 40),
        ("float32", 1e4, 1),
    ],
)
def test_a_large_offset_does_not_swallow_the_variance(
    rng, dtype, offset, scale
):
    x = ops.cast(rng.normal(offset, scale, (512, 4)), dtype)
    exact = array(ops.cast(x, "float32")).astype("float64")
    layer = BatchNormalization(
        dtype="float32" if dtype == "float32" else f"mixed_{dtype}"
    )
    y = layer(x, training=True)
    assert keras.backend.standardize_dtype(y.dtype) == dtype
    assert layer.moving_variance.dtype == "float32"
    np.testing.assert_allclose(
        array(layer.moving_variance), exact.var(axis=0), rtol=1e-4
    )
    # One unit in the last place of 10,000 is a thousandth of the deviation.
    unit = {"float16": 2e-3, "bfloat16": 2e-2, "float32": 1e-2}[dtype]
    np.testing.assert_allclose(
        array(ops.cast(y, "float32")), normalized(exact), atol=unit
    )


@pytest.mark.parametrize("dtype", ["float16", "bfloat16"])
def test_statistics_of_half_precision_are_of_float32(rng, dtype):
    x = ops.cast(rng.normal(100, 1000, (64, 3)), dtype)
    exact = array(ops.cast(x, "float32")).astype("float64")
    layer = BatchNormalization(dtype=dtype)

    layer(x, training=True)

    np.testing.assert_allclose(layer.moving_mean, exact.mean(axis=0), rtol=1e-5)
    np.testing.assert_allclose(
        layer.moving_variance, exact.var(axis=0), rtol=1e-5
    )
    y = array(ops.cast(layer(x), "float32"))
    unit = {"float16": 5e-3, "bfloat16": 4e-2}[dtype]
    np.testing.assert_allclose(y, normalized(exact), atol=unit)
    assert layer.gamma.dtype == dtype


def test_a_last_batch_of_one_example_has_no_variance(rng):
    x = rng.normal(3, 2, (65, 4)).astype("float32")
    model = keras.Sequential([keras.Input((4,)), BatchNormalization()])
    model.compile(keras.optimizers.SGD(0.0), "mse")

    model.fit(x, x, batch_size=64, epochs=3, shuffle=False, verbose=0)

    layer = model.layers[0]
    first = x[:64].astype("float64")
    np.testing.assert_allclose(layer.moving_mean, first.mean(axis=0), rtol=1e-5)
    np.testing.assert_allclose(
        layer.moving_variance, first.var(axis=0), rtol=1e-5
    )


def test_a_mask_that_leaves_one_value_leaves_no_variance(rng):
    x = rng.normal(3, 2, (2, 3, 4)).astype("float32")
    layer = BatchNormalization()
    layer(x, training=True)
    before = [array(v) for v in layer.non_trainable_variables]
    mask = np.zeros((2, 3), bool)
    mask[1, 2] = True

    layer(100 * x, training=True, mask=mask)

    for old, new in zip(before, layer.non_trainable_variables, strict=True):
        np.testing.assert_array_equal(old, array(new))


def test_constant_feature_is_zero_where_its_mean_is_exact():
    x = np.full((8, 2), 7.0, "float32")
    y = array(BatchNormalization()(x, training=True))
    np.testing.assert_array_equal(y, np.zeros_like(y))


@pytest.mark.parametrize("jit_compile", [False, True])
@pytest.mark.parametrize("m, c", [(8, 7.0), (1000, 1000.1)])
def test_constant_feature_stays_finite(m, c, jit_compile):
    x = np.full((m, 2), c, "float32")
    layer = BatchNormalization()
    layer.build(x.shape)

    y = array(layer(x, training=True))
    # A half of float32's spacing, of `c` and of its product with the scale.
    assert np.abs(y).max() <= 1 + 2 * 2**-24 * c / np.sqrt(EPSILON)
    assert np.abs(array(layer.moving_mean) / c - 1).max() < 1e-5
    wider = BatchNormalization(epsilon=1.0)(x, training=True)
    assert np.abs(array(wider)).max() < 1e-2

    def scalar(x):
        return ops.sum(layer(x, training=True) ** 3)

    gradient = gradient_of(scalar, x, jit_compile)
    assert np.all(np.isfinite(gradient))


class TestMask:
    def test_padding_enters_no_statistic(self, rng):
        x = rng.normal(3, 2, (4, 6, 3)).astype("float32")
        mask = rng.random((4, 6)) < 0.6
        x[~mask] = 1e6
        layer = BatchNormalization()
        y = array(layer(x, training=True, mask=mask))
        expected = normalized(x, mask=mask)
        np.testing.assert_allclose(y[mask], expected[mask], atol=1e-5)
        mean, variance = reference.batch_statistics(x.astype("d"), mask)
        np.testing.assert_allclose(array(layer.moving_mean), mean, rtol=1e-5)
        np.testing.assert_allclose(
            array(layer.moving_variance), variance, rtol=1e-5
        )

    def test_comes_from_a_masking_layer(self):
        x = np.array([[[1, 5], [2, 5], [0, 0], [0, 0]]] * 10, "float32")
        inputs = keras.Input((None, 2))
        masked = keras.layers.Masking()(inputs)
        model = keras.Model(inputs, BatchNormalization(momentum=0.0)(masked))
        model.compile("sgd", "mse")
        model.fit(x, x, epochs=2, verbose=0)
        layer = model.layers[-1]
        np.testing.assert_allclose(array(layer.moving_mean), [1.5, 5.0])
        np.testing.assert_allclose(array(layer.moving_variance), [0.25, 0.0])

    def test_of_one_step_for_all_is_broadcast(self):
        layer = BatchNormalization(momentum=0.0)
        y = layer(
            np.ones((1, 2, 3, 4), "f"), training=True, mask=np.ones((1, 2, 1))
        )
        np.testing.assert_array_equal(array(y), np.zeros((1, 2, 3, 4)))
        np.testing.assert_array_equal(array(layer.moving_mean), np.ones(4))

    def test_of_nothing_leaves_the_averages(self, rng):
        x = rng.normal(3, 2, (4, 6, 3)).astype("float32")
        layer = BatchNormalization()
        nothing = np.zeros((4, 6), bool)
        assert np.all(np.isfinite(layer(x, training=True, mask=nothing)))
        np.testing.assert_array_equal(array(layer.moving_weight), np.zeros(3))
        layer(x, training=True)
        before = [array(v) for v in layer.non_trainable_variables]
        y = array(layer(x, training=True, mask=nothing))
        assert np.all(np.isfinite(y))
        for variable, value in zip(
            layer.non_trainable_variables, before, strict=True
        ):
            np.testing.assert_array_equal(array(variable), value)

    def test_of_one_channel_leaves_its_averages(self, rng):
        x = rng.normal(3, 2, (3, 8, 2, 5)).astype("float32")
        mask = np.ones((3, 8, 2), bool)
        mask[1:, :, 1] = False
        layer = BatchNormalization(axis=1)
        for batch, shown in zip(x, mask, strict=True):
            y = array(layer(batch, training=True, mask=shown))
            assert np.all(np.isfinite(y))

        batches = x.astype("float64")
        for moving, values in [
            (layer.moving_mean, batches.mean(axis=(1, 3))),
            (layer.moving_variance, batches.var(axis=(1, 3))),
        ]:
            seen = reference.corrected_average(values, np.full(3, 0.9))
            expected = [seen[0], values[0, 1]]
            np.testing.assert_allclose(array(moving), expected, rtol=1e-5)

    def test_of_one_channel_at_first_leaves_it_unbiased(self, rng):
        x = rng.normal(3, 2, (4, 8, 2, 5)).astype("float32")
        mask = np.ones((4, 8, 2), bool)
        mask[:2, :, 1] = False
        layer = BatchNormalization(axis=1, momentum=0.5)
        for batch, shown in zip(x, mask, strict=True):
            layer(batch, training=True, mask=shown)

        batches = x.astype("float64")
        for moving, values in [
            (layer.moving_mean, batches.mean(axis=(1, 3))),
            (layer.moving_variance, batches.var(axis=(1, 3))),
        ]:
            expected = [
                reference.corrected_average(values[:, 0], 0.5),
                reference.corrected_average(values[2:, 1], 0.5),
            ]
            np.testing.assert_allclose(array(moving), expected, rtol=1e-5)
        np.testing.assert_allclose(
            array(layer.moving_weight), [1 - 0.5**4, 1 - 0.5**2]
        )

    def test_needs_one_axis_less_than_the_inputs(self):
        with pytest.raises(ValueError, match="`mask` of .* one axis less"):
            BatchNormalization()(np.ones((2, 3, 4), "f"), mask=np.ones(2))


def test_empty_batch_leaves_the_averages(rng):
    layer = BatchNormalization()
    layer(rng.normal(size=(8, 3)).astype("f"), training=True)
    before = array(layer.moving_mean)
    assert layer(np.zeros((0, 3), "f"), training=True).shape == (0, 3)
    np.testing.assert_array_equal(array(layer.moving_mean), before)
    assert np.all(np.isfinite(layer.moving_variance))


def test_frozen_layer_infers(rng):
    layer = BatchNormalization(epsilon=1e-12)
    layer.build((None, 3))
    layer.trainable = False
    x = rng.normal(5, 2, (8, 3)).astype("float32")
    np.testing.assert_allclose(array(layer(x, training=True)), x, rtol=1e-5)
    np.testing.assert_array_equal(array(layer.moving_mean), np.zeros(3))
    assert layer.trainable_weights == []
    layer.trainable = True
    assert len(layer.trainable_weights) == 2


def test_momentum_can_change_in_a_compiled_fit(rng):
    x = rng.normal(size=(8, 3)).astype("float32")
    traces = []

    class Counted(BatchNormalization):
        def call(self, inputs, training=None, mask=None):
            traces.append(training)
            return super().call(inputs, training=training, mask=mask)

    layer = Counted(momentum=0.9)
    model = keras.Sequential([keras.Input((3,)), layer])
    model.compile("sgd", "mse")
    model.fit(x, x, batch_size=8, verbose=0)
    traced = len(traces)
    layer.momentum = 0.5
    model.fit(x + 1, x, batch_size=8, verbose=0)
    assert len(traces) == traced
    expected = reference.corrected_average(
        np.stack([x.mean(axis=0), x.mean(axis=0) + 1]), [0.9, 0.5]
    )
    np.testing.assert_allclose(
        array(layer.moving_mean), expected, rtol=1e-4, atol=1e-6
    )
    assert layer.get_config()["momentum"] == 0.5


def test_lists_its_hyperparameters():
    layer = BatchNormalization(momentum=0.8)
    assert list(layer.hyperparameters) == ["momentum"]
    assert layer.hyperparameters["momentum"] is layer.momentum


def test_regularizers_and_constraints_hold(rng):
    layer = BatchNormalization(
        gamma_regularizer=keras.regularizers.L2(0.5),
        beta_regularizer="l1",
        gamma_constraint="non_neg",
        beta_initializer="ones",
    )
    layer(rng.normal(size=(4, 3)).astype("f"))
    losses = sorted(float(loss) for loss in layer.losses)
    np.testing.assert_allclose(losses, [0.03, 1.5], rtol=1e-6)
    assert isinstance(layer.gamma.constraint, keras.constraints.NonNeg)


def test_without_center_and_scale(rng):
    x = rng.normal(size=(8, 3)).astype("float32")
    for center, scale in itertools.product([True, False], repeat=2):
        layer = BatchNormalization(center=center, scale=scale)
        y = array(layer(x, training=True))
        np.testing.assert_allclose(y, normalized(x), rtol=1e-4, atol=1e-5)
        assert len(layer.trainable_weights) == center + scale


@on_tensorflow
def test_unknown_sizes_are_known_when_called(rng):
    import tensorflow as tf

    layer = BatchNormalization()
    layer.build((None, None, 3))
    step = tf.function(
        lambda x: layer(x, training=True),
        input_signature=[tf.TensorSpec((None, None, 3))],
    )
    for shape in [(4, 5, 3), (2, 7, 3)]:
        x = rng.normal(size=shape).astype("float32")
        np.testing.assert_allclose(array(step(x)), normalized(x), atol=1e-5)
    assert np.all(np.isfinite(step(np.zeros((0, 5, 3), "f"))))
    assert np.all(np.isfinite(layer.moving_variance))


@on_tensorflow
@pytest.mark.parametrize("axis", [-1, 1])
def test_vectorizes_over_members(rng, axis):
    import tensorflow as tf

    layer = BatchNormalization(axis=axis)
    layer.build((None, 4, 4))
    x = tf.constant(rng.normal(size=(5, 6, 4, 4)), "float32")
    trainable = [v.value for v in layer.trainable_variables]
    others = [v.value for v in layer.non_trainable_variables]

    def member(x):
        with tf.GradientTape() as tape:
            tape.watch(x)
            y, state = layer.stateless_call(trainable, others, x, training=True)
            loss = tf.reduce_sum(y**3)
        return y, state[1], tape.gradient(loss, x)

    together = tf.vectorized_map(member, x, fallback_to_while_loop=False)
    for i in range(5):
        for whole, alone in zip(together, member(x[i]), strict=True):
            np.testing.assert_allclose(whole[i], alone, rtol=1e-4, atol=1e-4)


@on_tensorflow
def test_synchronized_on_one_device_changes_nothing(rng):
    x = rng.normal(1e4, 1, (64, 5, 3)).astype("float32")
    mask = rng.random((64, 5)) < 0.6
    for call in [{}, {"mask": mask}]:
        results = []
        for synchronized in (True, False):
            layer = BatchNormalization(synchronized=synchronized)
            layer.build(x.shape)
            y = layer(x, training=True, **call)
            state = map(array, layer.non_trainable_variables)
            gradient = gradient_of(
                lambda x: ops.sum(layer(x, training=True, **call) ** 3),  # noqa: B023
                x,
            )
            results.append([array(y), *state, gradient])
        for one, other in zip(*results, strict=True):
            np.testing.assert_array_equal(one, other)
    config = BatchNormalization(synchronized=True).get_config()
    assert BatchNormalization.from_config(config).synchronized


REPLICAS = """
import keras, numpy as np, tensorflow as tf
from tfcourse.layers import BatchNormalization

cpu = tf.config.list_physical_devices("CPU")[0]
two = [tf.config.LogicalDeviceConfiguration()] * 2
tf.config.set_logical_device_configuration(cpu, two)
strategy = tf.distribute.MirroredStrategy(["CPU:0", "CPU:1"])
assert strategy.num_replicas_in_sync == 2
EPSILON = 1e-8

rng = np.random.default_rng(0)
x = rng.normal(1000, 1, (8, 3, 2)).astype("float32")
x[4:] += 30
upstream = rng.normal(size=x.shape).astype("float32")
some = rng.random((8, 3)) < 0.6
first = np.repeat([True, False], 4)[:, None] & some
everything = np.ones((8, 3), bool)


def on_two(run, arrays, cut):
    def part(context):
        half = slice(cut) if context.replica_id_in_sync_group == 0 else slice(
            cut, None
        )
        return [a[half] for a in arrays]

    parts = [
        strategy.experimental_distribute_values_from_function(
            lambda context, i=i: tf.constant(part(context)[i])
        )
        for i in range(len(arrays))
    ]
    results = tf.function(lambda: strategy.run(run, args=parts))()
    return [
        np.concatenate(strategy.experimental_local_results(result))
        for result in results
    ]


def expected(mask):
    values = x.astype("float64")
    mean, variance = values[mask].mean(0), values[mask].var(0)
    inverse = 1 / np.sqrt(variance + EPSILON)
    y = (values - mean) * inverse
    # Through the values themselves, and through the statistics.
    n, shown = mask.sum(), mask[..., None]
    g = upstream.astype("float64")
    gradient = inverse * (
        g - shown * (g.sum((0, 1)) + y * (g * y).sum((0, 1))) / n
    )
    return mean, variance, y, gradient


for cut in (4, 6, 8):
    for mask in (None, some, first):
        with strategy.scope():
            layer = BatchNormalization(momentum=0.5, synchronized=True)
            layer.build((None, 3, 2))

        def run(x, upstream, mask=None):
            with tf.GradientTape() as tape:
                tape.watch(x)
                y = layer(x, training=True, mask=mask)
                total = tf.reduce_sum(y * upstream)
            return y, tape.gradient(total, x)

        arrays = [x, upstream] if mask is None else [x, upstream, mask]
        y, gradient = on_two(run, arrays, cut)
        mean, variance, y_, gradient_ = expected(
            everything if mask is None else mask
        )
        for replica in layer.moving_mean.value.values:
            np.testing.assert_allclose(replica, mean, rtol=1e-6)
        for replica in layer.moving_variance.value.values:
            np.testing.assert_allclose(replica, variance, rtol=1e-4)
        for replica in layer.moving_weight.value.values:
            np.testing.assert_array_equal(replica, 0.5)
        np.testing.assert_allclose(y, y_, rtol=1e-4, atol=1e-3)
        np.testing.assert_allclose(gradient, gradient_, rtol=1e-3, atol=1e-3)

with strategy.scope():
    layer = BatchNormalization(synchronized=True)
    model = keras.Sequential([keras.Input((3, 2)), layer])
    model.compile(keras.optimizers.SGD(0.0), "mse")
model.fit(x, x, batch_size=8, verbose=0)
mean, variance, *_ = expected(everything)
np.testing.assert_allclose(layer.moving_mean, mean, rtol=1e-6)
np.testing.assert_allclose(layer.moving_variance, variance, rtol=1e-4)
print("agreed")
"""


@on_tensorflow
@pytest.mark.slow
def test_synchronized_counts_the_examples_of_all_replicas():
    # In a process of its own: devices are divided before TensorFlow starts.
    done = subprocess.run(
        [sys.executable, "-c", REPLICAS],
        capture_output=True,
        text=True,
        check=False,
    )
    assert "agreed" in done.stdout, done.stderr[-4000:]


class TestBadInput:
    @pytest.mark.parametrize("momentum", [-0.1, 1.0, 2, float("nan")])
    def test_momentum(self, momentum):
        with pytest.raises(ValueError, match=r"`momentum` .* \[0, 1\)"):
            BatchNormalization(momentum=momentum)

    @pytest.mark.parametrize("epsilon", [0.0, -1e-3, float("inf")])
    def test_epsilon(self, epsilon):
        with pytest.raises(ValueError, match=r"`epsilon` .* \(0, inf\)"):
            BatchNormalization(epsilon=epsilon)

    @pytest.mark.parametrize(
        "setting", [{"momentum": "0.9"}, {"epsilon": None}, {"axis": 1.5}]
    )
    def test_types(self, setting):
        [name] = setting
        with pytest.raises(TypeError, match=f"`{name}` of BatchNorm.*Received"):
            BatchNormalization(**setting)

    @pytest.mark.parametrize("value", ["x", 1, None, np.True_], ids=repr)
    @pytest.mark.parametrize("name", ["center", "scale", "synchronized"])
    def test_flags(self, name, value):
        with pytest.raises(TypeError, match=f"`{name}` of .* True or False"):
            BatchNormalization(**{name: value})

    def test_unknown_argument(self):
        with pytest.raises(ValueError, match="momentun"):
            BatchNormalization(momentun=0.9)

    def test_axis_that_is_not_there(self):
        with pytest.raises(ValueError, match="`axis` .* input's 2"):
            BatchNormalization(axis=2).build((4, 3))

    def test_unknown_number_of_features(self):
        with pytest.raises(ValueError, match="known number of features"):
            BatchNormalization().build((4, None))

    @pytest.mark.parametrize("dtype", ["int32", "uint8", "bool"])
    def test_integers(self, dtype):
        with pytest.raises(TypeError, match=f"floating-point.*{dtype}"):
            BatchNormalization()(np.ones((2, 3), dtype))
        with pytest.raises(TypeError, match=f"floating-point.*{dtype}"):
            BatchNormalization()(keras.Input((3,), dtype=dtype))
