"""The lecture's program: its numbers, its variants, and what it refuses."""

import keras
import numpy as np
import pytest
import reference
import tensorflow as tf

from tfcourse.errors import InputError
from tfcourse.graph_mode import minimize_quadratic
from tfcourse.graph_mode.named_optimizers import OPTIMIZERS

WITHOUT_PLACEHOLDER = ("functions", "operators")
# A loop in the graph cannot wait for this one's thread.
LOOPING = [name for name in OPTIMIZERS if name != "SyncReplicasOptimizer"]


def run(*args, **kwargs):
    return minimize_quadratic(*args, verbose=False, **kwargs)


def test_prints_what_the_lecture_prints(capsys):
    minimize_quadratic()
    assert capsys.readouterr().out == "0.0\n0.1\n4.99999\n"


def test_other_coefficients_go_to_ten():
    path = run((1, -20, 100), fast=True)

    assert path.w[-1] == pytest.approx(10, abs=1e-4)
    assert path.cost[0] == 100
    assert path.cost[-1] == pytest.approx(0, abs=1e-4)


def test_follows_the_formula():
    a, b, c = 0.5, 3.0, -2.0
    path = run((a, b, c), learning_rate=0.1, steps=50, w0=4.0)

    # The distance from the minimum shrinks by 1 - 2 a alpha at each step.
    w = -3 + 7 * 0.9 ** np.arange(51)
    np.testing.assert_allclose(path.w, w, atol=1e-5)
    np.testing.assert_allclose(path.cost, a * w**2 + b * w + c, atol=1e-4)
    assert path.w.dtype == path.cost.dtype == np.float32


@pytest.mark.parametrize("optimizer", LOOPING)
def test_loop_in_the_graph_gives_the_same_bits(optimizer):
    slow = run(optimizer=optimizer, steps=60)
    fast = run(optimizer=optimizer, steps=60, fast=True)

    np.testing.assert_array_equal(fast, slow)
    assert slow.w[1] > 0
    assert slow.cost[-1] < slow.cost[0]


def test_every_optimizer_of_tensorflow_is_there():
    theirs = {
        name
        for name in dir(tf.compat.v1.train)
        if name.endswith("Optimizer") and name != "Optimizer"
    }
    assert theirs <= set(OPTIMIZERS)
    assert {"gradient_descent", "momentum", "rmsprop", "adam"} <= set(
        OPTIMIZERS
    )


def test_one_replica_goes_as_its_optimizer_does():
    one = run(optimizer="tf.train.SyncReplicasOptimizer", steps=20)
    np.testing.assert_array_equal(
        one, run(optimizer="GradientDescentOptimizer", steps=20)
    )


def test_names_tell_the_courses_adam_from_tensorflows():
    # Adam's first steps show in which place epsilon is.
    settings = {"coefficients": (1e-7, -1e-7, 1), "steps": 2, "fast": True}
    ours = run(optimizer="adam", **settings)
    theirs = run(optimizer="AdamOptimizer", **settings)

    assert ours.w[1] == pytest.approx(0.01 / (1 + 1e-8 / 1e-7), rel=1e-5)
    assert theirs.w[1] < 0.9 * ours.w[1]


@pytest.mark.parametrize("fast", [False, True])
@pytest.mark.parametrize("written", WITHOUT_PLACEHOLDER)
def test_other_ways_of_writing_the_cost_give_the_same_path(written, fast):
    settings = {"coefficients": (0.7, -10, 3), "steps": 40}
    np.testing.assert_array_equal(
        run(written=written, fast=fast, **settings), run(**settings)
    )


@pytest.mark.parametrize("fast", [False, True])
def test_other_coefficients_can_be_fed_at_each_step(rng, fast):
    rows = rng.normal([1, -10, 25], 0.2, size=(30, 3))
    path = run(rows, steps=30, learning_rate=0.05, fast=fast)

    w = [0.0]
    for a, b, _ in rows:
        w.append(w[-1] - 0.05 * (2 * a * w[-1] + b))
    np.testing.assert_allclose(path.w, w, rtol=1e-5)
    # The cost is that which the step to come goes down from.
    a, b, c = np.append(rows, rows[-1:], axis=0).T
    expected = a * np.square(w) + b * np.array(w) + c
    np.testing.assert_allclose(path.cost, expected, rtol=1e-4, atol=1e-4)


def test_momentum_is_the_courses():
    path = run(optimizer="momentum", learning_rate=0.1, steps=30)
    gradients, w = [], [0.0]
    for _ in range(30):
        gradients.append(2 * w[-1] - 10)
        v = reference.momentum_direction(np.array(gradients), beta=0.9)
        w.append(w[-1] - 0.1 * v)
    np.testing.assert_allclose(path.w, w, rtol=1e-5)


def test_nothing_global_is_switched(rng):
    run(steps=2)
    run(steps=2, fast=True, device="/cpu:0")

    assert tf.executing_eagerly()
    assert tf.compat.v1.resource_variables_enabled()
    assert tf.compat.v1.control_flow_v2_enabled()
    outside = tf.compat.v1.get_default_graph()
    assert not outside.get_operations()
    model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(1)])
    model.compile("sgd", "mse")
    x = rng.normal(size=(8, 3)).astype("float32")
    history = model.fit(x, x[:, :1], epochs=3, verbose=0).history["loss"]
    assert history[-1] < history[0]


@pytest.mark.parametrize(
    "arguments, message",
    [
        ({"coefficients": (1, 2)}, "three finite numbers"),
        ({"coefficients": (1, 2, np.nan)}, "three finite numbers"),
        ({"coefficients": (1, 2, 1e39)}, "three finite numbers"),
        ({"coefficients": "abc"}, "three finite numbers"),
        ({"coefficients": np.ones((3, 3)), "steps": 4}, r"\(4, 3\)"),
        ({"coefficients": (0, 1, 2)}, "has no minimum"),
        ({"coefficients": (-1, 1, 2)}, "with -1.0 .* has no minimum"),
        (
            {"coefficients": [(1, 0, 0), (-2, 0, 0)], "steps": 2},
            "with -2.0 .* has no minimum",
        ),
        ({"learning_rate": 0}, r"`learning_rate` .* must lie in \(0, inf\)"),
        ({"learning_rate": float("nan")}, "`learning_rate` .* must lie"),
        ({"w0": float("inf")}, "`w0` .* must lie"),
        ({"steps": 0}, "`steps` must be at least 1"),
        ({"optimizer": "adm"}, "Did you mean 'adam'?.*AdagradDAOptimizer"),
        ({"written": "by hand"}, "'functions' or 'operators'"),
        ({"device": "/gpu:17"}, "no device '/gpu:17'.* has: CPU:0"),
        ({"device": "abacus"}, "no device 'abacus'"),
        ({"learning_rate": 1.5}, "diverged: after step 8, w is -1275 "),
        ({"learning_rate": 1.01}, "diverged: after step 2"),
        ({"learning_rate": 1e38, "steps": 3}, "diverged: after step 1"),
        (
            {
                "coefficients": np.ones((2, 3)),
                "steps": 2,
                "written": "operators",
            },
            "cannot differ from step to step",
        ),
        (
            {"optimizer": "SyncReplicasOptimizer", "fast": True},
            "Leave out `fast`",
        ),
    ],
)
def test_says_what_cannot_be_used(arguments, message):
    with pytest.raises(ValueError, match=message):
        run(**{"fast": "device" not in arguments, **arguments})


def test_refusals_are_input_errors():
    with pytest.raises(InputError):
        run(learning_rate=-1)
    with pytest.raises(TypeError, match="`learning_rate`"):
        run(learning_rate="0.1")


# Those that overshoot, or go back and forth, do not diverge.
@pytest.mark.parametrize(
    "optimizer, learning_rate", [("momentum", 0.5), ("adam", 1.0)]
)
def test_overshooting_is_no_divergence(optimizer, learning_rate):
    path = run(
        optimizer=optimizer,
        learning_rate=learning_rate,
        w0=4.99,
        steps=200,
        fast=True,
    )
    assert path.w.max() > 5
    assert path.w[-1] == pytest.approx(5, abs=0.1)
