"""Parts of contrib that have an heir; one process runs them all."""

import json

import numpy as np
import pytest

from tfcourse.tf1_runner import run_script

# One process serves all of them.
pytestmark = pytest.mark.xdist_group("contrib's optimizers")

SCRIPT = """
import json, sys
import numpy as np
import tensorflow as tf
from tensorflow.contrib.opt import AdamWOptimizer, LazyAdamOptimizer

results = {}
START = [1.0, -2.0, 3.0]


def trained(optimizer, sparse=False, resource=False, steps=3):
    tf.reset_default_graph()
    w = tf.Variable(START, use_resource=resource)
    if sparse:
        loss = tf.reduce_sum(tf.square(tf.gather(w, [0, 2])))
    else:
        loss = tf.reduce_sum(tf.square(w))
    optimizer = optimizer()
    step = optimizer.minimize(loss)
    with tf.Session() as session:
        session.run(tf.global_variables_initializer())
        for _ in range(steps):
            session.run(step)
        return session.run(w).tolist()


opt = tf.contrib.opt
kinds = {
    "adamw": lambda: AdamWOptimizer(0.01, learning_rate=0.1),
    "momentumw": lambda: opt.MomentumWOptimizer(0.01, 0.1, 0.9),
    "extended": lambda: opt.extend_with_decoupled_weight_decay(
        tf.train.GradientDescentOptimizer)(0.01, learning_rate=0.1),
    "nadam": lambda: opt.NadamOptimizer(0.1),
    "adamax": lambda: opt.AdaMaxOptimizer(0.1),
}
for name, make in kinds.items():
    results[name] = trained(make)
    results[name + " of resources"] = trained(make, resource=True)
lazy = lambda: LazyAdamOptimizer(0.1)
results["lazy"] = trained(lazy, sparse=True)
results["lazy of resources"] = trained(lazy, sparse=True, resource=True)

tf.reset_default_graph()
w = tf.Variable(START, name="w")
optimizer = opt.MovingAverageOptimizer(
    tf.train.GradientDescentOptimizer(0.1), average_decay=0.5)
step = optimizer.minimize(tf.reduce_sum(tf.square(w)))
saver = optimizer.swapping_saver()
with tf.Session() as session:
    session.run(tf.global_variables_initializer())
    for _ in range(2):
        session.run(step)
    path = saver.save(session, "./model")
results["average"] = tf.train.load_checkpoint(path).get_tensor("w").tolist()

tf.reset_default_graph()
x = tf.constant([[1.0, 2.0]])
cell = tf.contrib.rnn.HighwayWrapper(tf.contrib.rnn.GRUBlockCell(2))
highway, _ = cell(x, tf.zeros([1, 2]))
inner, _ = tf.contrib.rnn.GRUBlockCell(2)(x, tf.zeros([1, 2]))
tensors = {
    "highway": highway,
    "flipped": tf.contrib.nn.
        deprecated_flipped_softmax_cross_entropy_with_logits(
            [[0.0, 0.0]], [[1.0, 0.0]]),
    "softplus": tf.contrib.nn.scaled_softplus(0.0, 2.0),
    "stateless": tf.contrib.stateless.stateless_random_uniform([1], [1, 2]),
    "smallest": tf.contrib.nn.nth_element([3.0, 1.0, 2.0], 1),
    "time first": tf.contrib.rnn.transpose_batch_time(tf.ones([2, 3, 1])),
}
with tf.Session() as session:
    session.run(tf.global_variables_initializer())
    for name, tensor in tensors.items():
        results[name] = np.asarray(session.run(tensor)).tolist()
results["time first"] = np.shape(results["time first"])
results["names"] = all([
    tf.contrib.lite.TFLiteConverter, tf.contrib.linalg.LinearOperatorDiag,
    tf.contrib.distribute.MirroredStrategy, tf.contrib.summary.scalar,
    tf.contrib.framework.smart_cond, tf.contrib.deprecated.scalar_summary,
    tf.contrib.checkpoint.Checkpoint, tf.contrib.layers.recompute_grad,
])

with open(sys.argv[1], "w") as file:
    json.dump(results, file)
"""


@pytest.fixture(scope="module")
def results(tmp_path_factory):
    folder = tmp_path_factory.mktemp("optimizers")
    (folder / "old.py").write_text(SCRIPT)
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        code = run_script("old.py", ["results.json"], full_traceback=True)
    assert code == 0
    return json.loads((folder / "results.json").read_text())


W = np.array([1.0, -2.0, 3.0])


def steps(rule, decay=0.0, w=W, number=3):
    """Returns w after some steps of a rule of (g, t, state) for |w|²."""
    state = {}
    for t in range(1, number + 1):
        g = 2 * w
        w = w - decay * w - rule(g, t, state)
    return w


def adam(g, t, state, nesterov=False):
    m = state["m"] = 0.9 * state.get("m", 0) + 0.1 * g
    v = state["v"] = 0.999 * state.get("v", 0) + 0.001 * g**2
    m = 0.9 * m + 0.1 * g if nesterov else m
    rate = 0.1 * np.sqrt(1 - 0.999**t) / (1 - 0.9**t)
    return rate * m / (np.sqrt(v) + 1e-8)


def adamax(g, t, state):
    m = state["m"] = 0.9 * state.get("m", 0) + 0.1 * g
    v = state["v"] = np.maximum(0.999 * state.get("v", 0), np.abs(g))
    return 0.1 / (1 - 0.9**t) * m / (v + 1e-8)


def momentum(g, t, state):
    state["m"] = 0.9 * state.get("m", 0) + g
    return 0.1 * state["m"]


EXPECTED = {
    "adamw": steps(adam, 0.01),
    "momentumw": steps(momentum, 0.01),
    "extended": steps(lambda g, t, state: 0.1 * g, 0.01),
    "nadam": steps(lambda g, t, state: adam(g, t, state, True)),
    "adamax": steps(adamax),
}


@pytest.mark.parametrize("kind", ["", " of resources"])
@pytest.mark.parametrize("name", EXPECTED)
def test_a_step_is_its_equation(results, name, kind):
    found = results[f"{name}{kind}"]
    np.testing.assert_allclose(found, EXPECTED[name], rtol=1e-5)


@pytest.mark.parametrize("kind", ["", " of resources"])
def test_lazy_adam_leaves_other_rows_alone(results, kind):
    expected = steps(adam)
    expected[1] = W[1]
    np.testing.assert_allclose(results[f"lazy{kind}"], expected, rtol=1e-5)


def test_a_saver_writes_the_averages(results):
    # 0.8 w and 0.64 w, each in the place of half of what was.
    first = 0.5 * W + 0.5 * 0.8 * W
    np.testing.assert_allclose(
        results["average"], 0.5 * first + 0.5 * 0.64 * W, rtol=1e-6
    )


def test_other_parts_have_heirs(results):
    assert np.shape(results["highway"]) == (1, 2)
    assert results["flipped"] == [pytest.approx(np.log(2))]
    assert results["softplus"] == pytest.approx(np.log(2) / 2)
    assert 0 <= results["stateless"][0] < 1
    assert results["smallest"] == 2
    assert results["time first"] == [3, 2, 1]
    assert results["names"] is True
