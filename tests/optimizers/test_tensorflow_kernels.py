"""On TensorFlow: fused kernels, sparse gradients, two replicas."""

import subprocess
import sys
from unittest import mock

import keras
import numpy as np
import pytest

from tfcourse import optimizers

if keras.config.backend() != "tensorflow":
    pytest.skip("TensorFlow's own interface", allow_module_level=True)

import tensorflow as tf

from tfcourse.optimizers import tensorflow_kernels as fused
from tfcourse.optimizers import xla_l2 as xla

CASES = {
    "GradientDescent": (optimizers.GradientDescent, {}),
    "Momentum": (optimizers.Momentum, {}),
    "RMSprop": (optimizers.RMSprop, {"beta": 0.9}),
    "RMSprop, inside": (
        optimizers.RMSprop,
        {"beta": 0.9, "epsilon_inside_sqrt": True},
    ),
    "Adam": (optimizers.Adam, {}),
    "Adam, inside": (optimizers.Adam, {"epsilon_inside_sqrt": True}),
}
every_optimizer = pytest.mark.parametrize(
    "make, settings", CASES.values(), ids=CASES
)
# Above and below the size from which the kernels branch on `l2`.
SHAPES = {"kernel": (130, 130), "small_kernel": (3, 2), "bias": (4,)}


def train(optimizer, gradients, compiled=None):
    """Returns all variables after each step on all gradients."""
    variables = [
        keras.Variable(np.ones(shape, "float32"), name=name)
        for name, shape in SHAPES.items()
    ]
    optimizer.build(variables)
    step = lambda *g: optimizer.apply(list(g), variables)  # noqa: E731
    if compiled is not None:
        step = tf.function(step, jit_compile=compiled)
    for g in gradients:
        step(*g)
    return [v.numpy() for v in (*variables, *optimizer.variables)]


def assert_close(actual, expected, rtol=1e-5):
    for a, b in zip(actual, expected, strict=True):
        np.testing.assert_allclose(a, b, rtol=rtol, atol=1e-6)


@pytest.fixture
def gradients(rng):
    return [
        [rng.normal(size=s).astype("float32") for s in SHAPES.values()]
        for _ in range(6)
    ]


@pytest.mark.parametrize("l2", [0.0, 0.3])
@every_optimizer
def test_fused_kernels_compute_the_plain_equation(
    gradients, make, settings, l2
):
    with mock.patch.object(fused, "applies_to", return_value=False):
        plain = train(make(0.05, l2=l2, **settings), gradients)
    with mock.patch.object(fused, "update", wraps=fused.update) as update:
        eager = train(make(0.05, l2=l2, **settings), gradients)
        assert update.call_count == len(gradients)
        graph = train(make(0.05, l2=l2, **settings), gradients, compiled=False)
        # Once, in tracing.
        assert update.call_count == len(gradients) + 1
        xla = train(make(0.05, l2=l2, **settings), gradients, compiled=True)
        assert update.call_count == len(gradients) + 1

    for other in (eager, graph, xla):
        assert_close(other, plain)


def test_xla_is_seen_in_functions_within_functions():
    seen = []

    def inner():
        seen.append(xla.in_xla_context())
        return tf.constant(0)

    inner()
    tf.function(inner)()
    tf.function(inner, jit_compile=True)()
    tf.function(lambda: tf.function(inner)(), jit_compile=True)()
    tf.function(lambda: tf.function(inner, jit_compile=True)())()

    assert seen[:2] == [False, False]
    assert all(seen[2:])
    assert len(seen) >= 5


def test_a_subclass_with_its_own_step_is_obeyed():
    class Negative(optimizers.GradientDescent):
        def update_step(self, gradient, variable, learning_rate):
            super().update_step(-gradient, variable, learning_rate)

    class Doubled(optimizers.GradientDescent):
        def equation(self, g, learning_rate):
            return super().equation(2 * g, learning_rate)

    for make, expected in ((Negative, 0.5), (Doubled, -1.0)):
        w = keras.Variable([0.0])
        make(0.5).apply([tf.constant([1.0])], [w])
        np.testing.assert_allclose(w.numpy(), expected)


def test_variables_of_several_dtypes_take_the_plain_path():
    w = [keras.Variable([0.0], dtype=d) for d in ("float32", "float64")]
    optimizers.Adam(0.5).apply(
        [tf.constant([1.0]), tf.constant([1.0], "float64")], w
    )
    for variable in w:
        np.testing.assert_allclose(variable.numpy(), -0.5, rtol=1e-6)


def test_takes_keras_and_tensorflow_variables_together():
    w = [keras.Variable([0.0]), tf.Variable([0.0])]
    optimizer = optimizers.Momentum(1.0, beta=0.0)
    optimizer.apply([tf.constant([1.0])] * 2, w)
    with pytest.warns(UserWarning, match="Gradients do not exist"):
        optimizer.apply([tf.constant([1.0]), None], w)

    np.testing.assert_allclose(w[0].numpy(), -2)
    np.testing.assert_allclose(w[1].numpy(), -1)


def sparse_step(optimizer, w, indices, sparse):
    def step(values):
        g = tf.IndexedSlices(values, indices, tf.constant([6, 3]))
        optimizer.apply([g if sparse else tf.convert_to_tensor(g)], [w])

    return step


@pytest.mark.parametrize("jit_compile", [None, False, True])
@pytest.mark.parametrize("l2", [0.0, 0.3])
@every_optimizer
def test_sparse_gradients_do_as_dense_ones(
    rng, make, settings, l2, jit_compile
):
    start = rng.normal(size=(6, 3)).astype("float32")
    # The rows of 4 must be summed before they are squared.
    indices = tf.constant([4, 0, 4])
    results = []
    for sparse in (True, False):
        embeddings = keras.Variable(start, name="embeddings")
        optimizer = make(0.05, l2=l2, **settings)
        optimizer.build([embeddings])

        step = sparse_step(optimizer, embeddings, indices, sparse)
        if jit_compile is not None:
            step = tf.function(step, jit_compile=jit_compile)
        values = np.random.default_rng(1).normal(size=(4, 3, 3))
        for value in values.astype("float32"):
            step(tf.constant(value))
        results.append([embeddings.numpy()])

    assert_close(*results)


def test_gradient_descent_touches_only_the_rows_of_a_sparse_gradient():
    w = keras.Variable(np.ones((5, 2), "float32"), name="embeddings")
    optimizer = optimizers.GradientDescent(0.5)
    g = tf.IndexedSlices(tf.ones((2, 2)), tf.constant([1, 3]), (5, 2))

    with mock.patch.object(
        optimizer, "assign_sub", wraps=optimizer.assign_sub
    ) as assign_sub:
        optimizer.apply([g], [w])

    (_, step), _ = assign_sub.call_args
    assert isinstance(step, tf.IndexedSlices)
    np.testing.assert_array_equal(w.numpy()[:, 0], [1, 0.5, 1, 0.5, 1])


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"clipnorm": 0.1},
        {"global_clipnorm": 0.1},
        {"clipvalue": 0.01},
        {"gradient_accumulation_steps": 2},
        {"use_ema": True},
    ],
    ids=lambda options: next(iter(options), "none"),
)
@every_optimizer
@pytest.mark.parametrize("repeated", [False, True])
def test_an_embedding_trains_as_a_matrix_on_one_hot_words(
    rng, make, settings, options, repeated
):
    words = np.stack([rng.permutation(7)[:4] for _ in range(3)]).reshape(12, 1)
    if repeated:
        # Keras's optimizers would clip before adding up what a word has.
        words = np.array([1, 1, 1, 2, 3, 3, 3, 3, 1, 2, 1, 2]).reshape(12, 1)
    y = rng.normal(size=(12, 2)).astype("float32")
    start = rng.normal(size=(7, 2)).astype("float32")
    one_hot = np.eye(7, dtype="float32")[words[:, 0]]
    results = []
    for x, first in (
        (words, [keras.layers.Embedding(7, 2), keras.layers.Flatten()]),
        (one_hot, [keras.layers.Dense(2, use_bias=False)]),
    ):
        model = keras.Sequential([keras.Input(x.shape[1:]), *first])
        model.set_weights([start])
        model.compile(make(0.05, l2=0.1, **settings, **options), "mse")
        model.fit(x, y, batch_size=4, epochs=2, shuffle=False, verbose=0)
        results.append(model.get_weights())

    assert_close(*results, rtol=1e-4)


def test_a_tensorflow_checkpoint_holds_the_whole_state(rng, tmp_path):
    x = rng.normal(size=(8, 4)).astype("float32")
    model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(1)])
    model.compile(optimizers.Adam(0.05, beta_1=0.8), "mse")
    fit = {"batch_size": 4, "shuffle": False, "verbose": 0}
    model.fit(x, x[:, :1], **fit)
    checkpoint = tf.train.Checkpoint(model, optimizer=model.optimizer)
    path = checkpoint.save(tmp_path / "checkpoint")
    model.fit(x, x[:, :1], **fit)
    expected = model.get_weights()
    model.optimizer.beta_1 = 0.1
    model.fit(x, x[:, :1], **fit)

    checkpoint.restore(path)
    model.fit(x, x[:, :1], **fit)

    for a, b in zip(model.get_weights(), expected, strict=True):
        np.testing.assert_array_equal(a, b)


REPLICAS = """
import keras, numpy as np, tensorflow as tf
from tfcourse import optimizers
from tfcourse.schedules import InverseTimeDecay

cpu = tf.config.list_physical_devices("CPU")[0]
two = [tf.config.LogicalDeviceConfiguration()] * 2
tf.config.set_logical_device_configuration(cpu, two)
strategy = tf.distribute.MirroredStrategy(["CPU:0", "CPU:1"])
assert strategy.num_replicas_in_sync == 2

rng = np.random.default_rng(0)
words = rng.integers(0, 7, size=(16, 2))
y = rng.normal(size=(16, 1)).astype("float32")


def trained(scope, make, options, l2=0.4):
    with scope:
        keras.utils.set_random_seed(0)
        model = keras.Sequential([
            keras.Input((2,)),
            keras.layers.Embedding(7, 3),
            keras.layers.Flatten(),
            keras.layers.Dense(1),
        ])
        model.compile(make(**options), "mse", jit_compile=False)
    model.fit(words, y, batch_size=8, epochs=2, shuffle=False, verbose=0)
    model.optimizer.l2 = l2
    model.fit(words, y, batch_size=8, epochs=2, shuffle=False, verbose=0)
    return model.get_weights()


class Here:
    __enter__ = __exit__ = lambda *_: None


for make, options in (
    (optimizers.GradientDescent, {"learning_rate": 0.05, "l2": 0.1}),
    (optimizers.Momentum, {"learning_rate": 0.05, "l2": 0.1}),
    (optimizers.RMSprop, {"learning_rate": 0.05, "use_ema": True}),
    (
        optimizers.Adam,
        {"learning_rate": InverseTimeDecay(0.05), "weight_decay": 0.1},
    ),
):
    one = trained(Here(), make, options)
    two = trained(strategy.scope(), make, options)
    for a, b in zip(one, two, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-4, atol=1e-5)

# Keras clips the gradient of each replica before it sums them.
options = {"learning_rate": 0.05, "global_clipnorm": 0.1}
ours, keras_own = (
    trained(strategy.scope(), make, options, l2=0.0)
    for make in (optimizers.GradientDescent, keras.optimizers.SGD)
)
for a, b in zip(ours, keras_own, strict=True):
    np.testing.assert_allclose(a, b, rtol=1e-5, atol=1e-6)
print("agreed")
"""


@pytest.mark.slow
def test_two_replicas_train_as_one():
    # In a process of its own: devices are divided before TensorFlow starts.
    done = subprocess.run(
        [sys.executable, "-c", REPLICAS],
        capture_output=True,
        text=True,
        check=False,
    )
    assert "agreed" in done.stdout, done.stderr[-4000:]


def test_xla_leaves_out_an_l2_of_0_outside_loops():
    off, on = optimizers.Momentum(0.1), optimizers.Momentum(0.1, l2=0.5)
    seen = []

    def ask():
        seen.append((xla.applies_to(off.l2), xla.applies_to(on.l2)))
        return tf.constant(0)

    def in_a_loop():
        for _ in tf.range(2):
            ask()

    inner = tf.function(ask)
    tf.function(ask)()
    tf.function(ask, jit_compile=True)()
    tf.function(lambda: inner(), jit_compile=True)()
    tf.function(in_a_loop, jit_compile=True)()

    assert seen == [(False, False), (True, False), (True, False), (False,) * 2]


@pytest.mark.parametrize("where", ["in a loop", "in a function", "assigned"])
def test_l2_acts_under_xla_wherever_the_step_is(where):
    # XLA leaves out an `l2` of 0 only where it can see that it is 0.
    w, g = np.ones((4, 3), "float32"), np.zeros((4, 3), "float32")

    def run(l2_before, l2_within):
        kernel = keras.Variable(w, name="kernel")
        optimizer = optimizers.Momentum(0.1, l2=l2_before)
        optimizer.build([kernel])

        def step():
            optimizer.apply([g], [kernel])

        def in_a_loop():
            for _ in tf.range(3):
                step()

        def assigned():
            optimizer.l2.assign(optimizer.l2 + l2_within)
            step()

        inner = tf.function(step)
        steps = {
            "in a loop": in_a_loop,
            "in a function": lambda: inner(),
            "assigned": assigned,
        }
        compiled = tf.function(steps[where], jit_compile=True)
        compiled()
        optimizer.l2 = 0.5
        compiled()
        return kernel.numpy()

    # An `l2` that is not 0 when tracing is read at every step.
    np.testing.assert_allclose(run(0.0, 0.25), run(1e-30, 0.25), rtol=1e-6)
    assert run(0.0, 0.25).max() < 1
