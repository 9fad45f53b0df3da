"""The course's optimizers in v1 graphs: equal to the Keras ones, and kept."""

import functools

import keras
import numpy as np
import pytest
import reference
import tensorflow as tf

from tfcourse import graph_mode, optimizers, schedules

v1 = tf.compat.v1

INSIDE = {"epsilon_inside_sqrt": True}
FORMS = {
    "gradient descent": (
        "GradientDescent",
        {},
        reference.gradient_descent_direction,
    ),
    "momentum": ("Momentum", {"beta": 0.8}, reference.momentum_direction),
    "rmsprop": (
        "RMSprop",
        {"beta": 0.99, "epsilon": 1e-8},
        reference.rmsprop_direction,
    ),
    "rmsprop, epsilon inside": (
        "RMSprop",
        {"beta": 0.99, "epsilon": 1e-3, **INSIDE},
        reference.rmsprop_direction,
    ),
    "adam": (
        "Adam",
        {"beta_1": 0.9, "beta_2": 0.999, "epsilon": 1e-8},
        reference.adam_direction,
    ),
    "adam, epsilon inside": (
        "Adam",
        {"beta_1": 0.7, "beta_2": 0.99, "epsilon": 1e-3, **INSIDE},
        reference.adam_direction,
    ),
    "adam, betas 0": (
        "Adam",
        {"beta_1": 0.0, "beta_2": 0.0, "epsilon": 0.5},
        reference.adam_direction,
    ),
}
all_forms = pytest.mark.parametrize(
    "name, settings, direction", FORMS.values(), ids=FORMS
)
ROWS = [2, 0, 2]  # Of the sparse gradient; one comes twice.
STEPS = 100


@pytest.fixture
def start(rng):
    shapes = {"kernel": (3, 2), "bias": (2,), "embeddings": (4, 2)}
    return {
        name: rng.normal(size=shape).astype("float32")
        for name, shape in shapes.items()
    }


@pytest.fixture
def gradients(rng):
    """A hundred of each; the last variable's are of `ROWS` only."""
    shapes = {"kernel": (3, 2), "bias": (2,), "embeddings": (3, 2)}
    return {
        name: rng.normal(size=(STEPS, *shape)).astype("float32")
        for name, shape in shapes.items()
    }


def in_a_graph(make, start, gradients, use_resource=True):
    """Returns the variables after all gradients."""
    with tf.Graph().as_default(), v1.Session() as session:
        variables = {
            name: v1.Variable(value, name=name, use_resource=use_resource)
            for name, value in start.items()
        }
        feeds = {
            name: v1.placeholder(tf.float32, g.shape[1:])
            for name, g in gradients.items()
        }
        pairs = [(feeds[name], variables[name]) for name in ("kernel", "bias")]
        sparse = tf.IndexedSlices(
            feeds["embeddings"], ROWS, start["embeddings"].shape
        )
        pairs.append((sparse, variables["embeddings"]))
        step = v1.train.get_or_create_global_step()
        train = make(step).apply_gradients(pairs, global_step=step)
        session.run(v1.global_variables_initializer())
        for t in range(len(gradients["bias"])):
            feed = {feeds[name]: g[t] for name, g in gradients.items()}
            session.run(train, feed)
        return session.run(variables)


def in_keras(optimizer, start, gradients):
    variables = {
        name: keras.Variable(value, name=name) for name, value in start.items()
    }
    optimizer.build(list(variables.values()))
    shape = tf.constant(start["embeddings"].shape)

    @tf.function
    def step(kernel, bias, rows):
        sparse = tf.IndexedSlices(rows, tf.constant(ROWS), shape)
        optimizer.apply([kernel, bias, sparse], list(variables.values()))

    for t in range(STEPS):
        step(*(tf.constant(g[t]) for g in gradients.values()))
    return {name: np.asarray(v) for name, v in variables.items()}


def dense(gradients):
    """Returns the sparse gradients as they act on all the rows."""
    full = np.zeros((len(gradients["bias"]), 4, 2))
    for i, row in enumerate(ROWS):
        full[:, row] += gradients["embeddings"][:, i]
    return {**gradients, "embeddings": full}


def assert_close(actual, expected, start):
    # A hundred steps round a hundred times.
    for name, value in start.items():
        size = np.abs(value).max() + np.abs(expected[name] - value).max()
        np.testing.assert_allclose(
            actual[name], expected[name], rtol=0, atol=3e-6 * size, err_msg=name
        )


@pytest.mark.parametrize("scale", [1.0, 1e-8], ids=["usual", "tiny"])
@all_forms
def test_equal_to_the_formula(
    start, gradients, name, settings, direction, scale
):
    # Fewer steps: the reference sums over all of the past at each.
    gradients = {k: np.float32(scale) * g[:40] for k, g in gradients.items()}
    l2 = 0.3 if scale == 1 else 0.0
    rate = 0.02

    actual = in_a_graph(
        lambda _: getattr(graph_mode, name)(rate, l2=l2, **settings),
        start,
        gradients,
    )
    expected = {
        key: reference.optimizer_path(
            start[key].astype("float64"),
            g.astype("float64"),
            functools.partial(direction, **settings),
            rate,
            l2=0.0 if key == "bias" else l2,
        )[-1]
        for key, g in dense(gradients).items()
    }

    assert_close(actual, expected, start)


@all_forms
def test_equal_to_keras_mode(start, gradients, name, settings, direction):
    actual, expected = (
        train(getattr(module, name)(0.02, l2=0.3, **settings))
        for module, train in [
            (
                graph_mode,
                lambda ours: in_a_graph(lambda _: ours, start, gradients),
            ),
            (optimizers, lambda ours: in_keras(ours, start, gradients)),
        ]
    )
    assert_close(actual, expected, start)


def test_old_variables_are_updated_alike(start, gradients):
    def make(_):
        return graph_mode.Adam(0.01, l2=0.1)

    new = in_a_graph(make, start, gradients)
    old = in_a_graph(make, start, gradients, use_resource=False)
    assert_close(old, new, start)


# Each rule in the graph, as a tensor, and its schedule.
RULES = {
    "inverse time": (
        lambda step: graph_mode.inverse_time_decay(
            0.1, step, 0.5, interval=2, steps_per_epoch=7
        ),
        lambda: schedules.InverseTimeDecay(
            0.1, 0.5, interval=2, steps_per_epoch=7
        ),
    ),
    "exponential": (
        lambda step: graph_mode.exponential_decay(
            0.1, step, 0.9, interval=3, steps_per_epoch=2
        ),
        lambda: schedules.ExponentialDecay(
            0.1, 0.9, interval=3, steps_per_epoch=2
        ),
    ),
    "root of the epoch": (
        lambda step: graph_mode.inverse_sqrt_decay(
            0.1, step, 2.0, steps_per_epoch=7
        ),
        lambda: schedules.InverseSqrtDecay(0.1, 2.0, steps_per_epoch=7),
    ),
    "root of the step": (
        lambda step: graph_mode.inverse_sqrt_decay(0.1, step),
        lambda: schedules.InverseSqrtDecay(0.1),
    ),
    "by hand": (
        lambda step: graph_mode.piecewise_constant_decay(
            step, [10, 50], [0.1, 0.02, 0.01]
        ),
        lambda: schedules.PiecewiseConstantDecay([10, 50], [0.1, 0.02, 0.01]),
    ),
}


@pytest.mark.parametrize("rule, schedule", RULES.values(), ids=RULES)
def test_decay_is_that_of_the_schedules(rule, schedule):
    steps = [0, 1, 6, 7, 9, 10, 11, 49, 50, 51, 10_000]
    with tf.Graph().as_default(), v1.Session() as session:
        step = v1.placeholder(tf.int64, [])
        rate = rule(step)
        actual = [session.run(rate, {step: t}) for t in steps]

    schedule = schedule()
    expected = [float(schedule(t)) for t in steps]
    np.testing.assert_allclose(actual, expected, rtol=1e-6)
    assert actual[0] != actual[-1]


def test_learning_rate_decays_by_the_global_step(start, gradients):
    rule, schedule = RULES["inverse time"]

    actual = in_a_graph(
        lambda step: graph_mode.Adam(rule(step)), start, gradients
    )

    expected = in_keras(optimizers.Adam(schedule()), start, gradients)
    assert_close(actual, expected, start)


def test_a_setting_may_be_a_placeholder(start, gradients):
    with tf.Graph().as_default(), v1.Session() as session:
        w = v1.Variable(1.0, use_resource=True)
        beta = v1.placeholder(tf.float32, [])
        train = graph_mode.Momentum(1.0, beta).minimize(3 * w)
        session.run(v1.global_variables_initializer())
        session.run(train, {beta: 0.5})
        assert session.run(w) == pytest.approx(1 - 1.5)
        session.run(train, {beta: 0.75})
        assert session.run(w) == pytest.approx(-0.5 - (0.75 * 1.5 + 0.25 * 3))


@pytest.mark.parametrize("name", ["Momentum", "RMSprop", "Adam"])
def test_slots_are_saved_and_restored(tmp_path, name):
    def graph():
        w = v1.Variable([[1.0, -2.0]], name="kernel", use_resource=True)
        optimizer = getattr(graph_mode, name)(0.1)
        train = optimizer.minimize(tf.reduce_sum((w - 3) ** 4))
        return w, optimizer, train, v1.train.Saver()

    with tf.Graph().as_default(), v1.Session() as session:
        w, optimizer, train, saver = graph()
        assert optimizer.get_slot_names() == sorted(
            {"Momentum": "v", "RMSprop": "s", "Adam": "mv"}[name]
        )
        session.run(v1.global_variables_initializer())
        for _ in range(3):
            session.run(train)
        path = saver.save(session, str(tmp_path / "model"))
        for _ in range(3):
            session.run(train)
        unbroken = session.run(w)
        slots = [v.op.name for v in optimizer.variables()]

    assert (
        set(slots)
        == {
            "Momentum": {"kernel/Momentum"},
            "RMSprop": {"kernel/RMSprop"},
            "Adam": {"kernel/Adam", "kernel/Adam_1", "Adam/t"},
        }[name]
    )
    with tf.Graph().as_default(), v1.Session() as session:
        w, _, train, saver = graph()
        saver.restore(session, path)
        for _ in range(3):
            session.run(train)
        np.testing.assert_array_equal(session.run(w), unbroken)


def test_rows_without_a_gradient_are_not_read_by_gradient_descent():
    with tf.Graph().as_default() as graph:
        table = v1.Variable(tf.ones([9, 2]), name="table", use_resource=True)
        rows = tf.gather(table, [1, 4])
        graph_mode.GradientDescent(0.1).minimize(tf.reduce_sum(rows))
        kinds = {op.type for op in graph.get_operations()}
    assert "ResourceScatterSub" in kinds
    assert "UnsortedSegmentSum" not in kinds


def test_half_precision_keeps_epsilon():
    with tf.Graph().as_default(), v1.Session() as session:
        w = v1.Variable(tf.ones([2], tf.float16), use_resource=True)
        zero = tf.zeros([2], tf.float16)
        train = graph_mode.Adam(0.1).apply_gradients([(zero, w)])
        session.run(v1.global_variables_initializer())
        session.run(train)
        np.testing.assert_array_equal(session.run(w), np.ones(2))


@pytest.mark.parametrize(
    "name, settings, error, message",
    [
        ("Adam", {"beta_1": 1.0}, ValueError, r"`beta_1` of Adam .*\[0, 1\)"),
        ("Adam", {"epsilon": 0}, ValueError, "`epsilon` of Adam"),
        ("Momentum", {"beta": "0.9"}, TypeError, "`beta` of Momentum"),
        ("RMSprop", {"epsilon_inside_sqrt": 1}, TypeError, "True or False"),
        ("GradientDescent", {"l2": -1}, ValueError, "`l2` of GradientDescent"),
        ("RMSprop", {"learning_rate": -1}, ValueError, "`learning_rate`"),
    ],
)
def test_refuses_settings_outside_their_intervals(
    name, settings, error, message
):
    with pytest.raises(error, match=message):
        getattr(graph_mode, name)(**settings)


@pytest.mark.parametrize(
    "rule, message",
    [
        (
            lambda: graph_mode.piecewise_constant_decay(0, [5, 2], [1, 2, 3]),
            "must increase",
        ),
        (
            lambda: graph_mode.piecewise_constant_decay(0, [5], [1]),
            "be one more",
        ),
        (
            lambda: graph_mode.piecewise_constant_decay(0, [0, 2], [1, 2, 3]),
            "`boundaries` .* must lie",
        ),
        (lambda: graph_mode.exponential_decay(0.1, 0, base=2), "`base`"),
        (lambda: graph_mode.inverse_sqrt_decay(0.1, 0, k=0), "`k`"),
        (
            lambda: graph_mode.inverse_time_decay(0.1, 0, steps_per_epoch=0),
            "`steps_per_epoch` must be at least 1",
        ),
    ],
)
def test_decay_refuses_constants_outside_their_intervals(rule, message):
    with pytest.raises(ValueError, match=message):
        rule()
