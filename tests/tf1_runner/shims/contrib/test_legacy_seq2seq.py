"""Models of `legacy_seq2seq`, and what is drawn after a gradient.

One process runs them all. The numbers are TensorFlow 1.12's.
"""

import json
import textwrap

import numpy as np
import pytest

from tfcourse.tf1_runner import run_script

# One process serves all of them.
pytestmark = pytest.mark.xdist_group("legacy seq2seq")

SCRIPT = """
import json, sys
import numpy as np
import tensorflow as tf

results = {}
legacy = tf.contrib.legacy_seq2seq
rnn = tf.contrib.rnn


def fresh():
    tf.reset_default_graph()
    tf.set_random_seed(1)


def integers(steps):
    return [tf.placeholder(tf.int32, [None]) for _ in range(steps)]


def run(name, tensors, feed=None):
    with tf.Session() as session:
        session.run(tf.global_variables_initializer())
        values = session.run(tensors, feed)
    flat = [np.asarray(v, "float64").ravel() for v in values]
    results[name] = [v[:4].tolist() for v in flat]


def sentences(*lists):
    each = [place for places in lists for place in places]
    return {p: [k % 5, (k + 2) % 5, k * 3 % 5] for k, p in enumerate(each)}


fresh()
e, d = integers(3), integers(4)
outputs, _ = legacy.embedding_rnn_seq2seq(e, d, rnn.GRUCell(4), 5, 6, 3)
ones = [tf.ones([3]), tf.ones([3]), tf.zeros([3]), tf.ones([3])]
loss = legacy.sequence_loss(outputs, d, ones)
run("embedding", [outputs[3], loss], sentences(e, d))

# What comes next is decided when it is run.
fresh()
e, d, fed = integers(3), integers(4), tf.placeholder(tf.bool, [])
cell = rnn.BasicLSTMCell(4)
outputs, state = legacy.embedding_rnn_seq2seq(
    e, d, cell, 5, 6, 3, feed_previous=fed
)
for name, value in [("given", False), ("its own", True)]:
    feed = {**sentences(e, d), fed: value}
    run(f"cond, {name}", [outputs[3], state.h], feed)

fresh()
e, d = integers(3), integers(4)
projection = tf.get_variable("w", [4, 6]), tf.get_variable("b", [6])
outputs, _ = legacy.embedding_attention_seq2seq(
    e,
    d,
    rnn.GRUCell(4),
    5,
    6,
    3,
    num_heads=2,
    output_projection=projection,
    feed_previous=True,
    initial_state_attention=True,
)
run("attention", [outputs[0], outputs[3]], sentences(e, d))
results["variables"] = [v.name for v in tf.trainable_variables()][2:]

fresh()
x = [tf.placeholder(tf.float32, [None, 2]) for _ in range(3)]
outputs, _ = legacy.basic_rnn_seq2seq(x, x[::-1], rnn.BasicLSTMCell(4))
run("basic", [outputs[2]], {p: np.arange(6.0).reshape(3, 2) / 6 for p in x})

# Draws after a gradient, and after functions that have other operations.
fresh()
x, a = tf.placeholder(tf.float32, [None, 3]), tf.placeholder(tf.int32, [None])
w = tf.Variable(tf.random_normal([3, 5]))
b = tf.Variable(tf.zeros([5]))
chosen = tf.one_hot(a, 5, 1.0, 0.0)
q = tf.reduce_sum(tf.nn.relu(tf.matmul(x, w) + b) * chosen, 1)
loss = tf.reduce_mean(tf.square(1.0 - q / 2.0)) + tf.reduce_mean(w)
tf.train.AdamOptimizer(0.1).minimize(loss)
tf.map_fn(lambda row: tf.maximum(row, 0.0), tf.transpose(x))
tf.train.Saver()
run("draw", [tf.random_normal([2])])

if tf.__version__ == "1.15.5":
    # The cell of the decoder was called in the bucket before.
    fresh()
    e, d = integers(3), integers(4)
    cell = tf.nn.rnn_cell.GRUCell(4)

    def sampled(inputs, labels):
        labels = tf.reshape(labels, [-1, 1])
        w, b = tf.transpose(projection[0]), projection[1]
        return tf.nn.sampled_softmax_loss(w, b, inputs, labels, 6, 6)

    projection = tf.get_variable("w", [4, 6]), tf.get_variable("b", [6])
    outputs, losses = tf.nn.seq2seq.model_with_buckets(
        e,
        d,
        d,
        [tf.ones([3])] * 4,
        [(1, 2), (3, 4)],
        lambda x, y: tf.nn.seq2seq.embedding_attention_seq2seq(
            x, y, cell, 5, 6, 3, output_projection=projection
        ),
        softmax_loss_function=sampled,
    )
    results["bucket variables"] = [v.name for v in tf.trainable_variables()]
    run("buckets", losses, sentences(e, d))

    # Either order of a loss's arguments, told by their names.
    squares = lambda y_pre, y_target: tf.square(y_pre - 2 * y_target)
    for name, loss in [
        ("logits first", squares),
        ("labels first", lambda y, z: squares(z, y)),
        ("by name", lambda logits, labels: squares(logits, labels)),
    ]:
        value = legacy.sequence_loss_by_example(
            [tf.constant([1.0])],
            [tf.constant([3.0])],
            [tf.ones([1])],
            softmax_loss_function=loss,
        )
        one = tf.constant([[[1.0]]]), tf.constant([[3.0]]), tf.ones([1, 1])
        of_tensors = tf.contrib.seq2seq.sequence_loss(
            *one, softmax_loss_function=loss
        )
        run(name, [value, of_tensors])

    # Axes of three dimensions were in their figure at once.
    import matplotlib.pyplot as plt
    from mpl_toolkits.mplot3d import Axes3D

    axes = Axes3D(plt.figure()), plt.figure().gca(projection="3d")
    results["axes"] = [len(each.figure.axes) for each in axes]

    # Text was bytes in Python 2.
    text = tf.train.BytesList(value=["a", b"b"])
    results["text"] = [each.decode() for each in text.value]

    # A tensor between two transpositions is fed.
    middle = tf.transpose(tf.placeholder(tf.float32, [None, 2, 3]), [1, 0, 2])
    total = tf.reduce_sum(tf.transpose(middle, [1, 0, 2]) * 2.0)
    run("fed", [total], {middle: np.ones([2, 5, 3])})

with open(sys.argv[1], "w") as file:
    json.dump(results, file)
"""

TENSORFLOW_1 = {
    "embedding": [[-0.45202, -0.14959, -0.14825, 0.11747], [1.79912]],
    "cond, given": [
        [0.03803, 0.00377, -0.09341, 0.01479],
        [-0.07403, -0.01959, 0.08398, -0.05514],
    ],
    "cond, its own": [
        [0.05239, 0.08306, -0.08104, -0.08885],
        [-0.21343, 0.0706, -0.05035, -0.00855],
    ],
    "attention": [
        [0.29625, 0.08411, -0.08093, 0.16098],
        [0.03664, 0.12221, 0.17998, 0.44319],
    ],
    "basic": [[-0.03465, -0.01076, -0.0167, 0.01643]],
    "draw": [[-1.35088, -0.22524]],
}


@pytest.fixture(scope="module")
def results(tmp_path_factory):
    folder = tmp_path_factory.mktemp("sequences")
    (folder / "course.py").write_text(textwrap.dedent(SCRIPT))

    arguments = [folder / "results.json"]
    assert run_script(folder / "course.py", arguments) == 0

    return json.loads((folder / "results.json").read_text())


@pytest.mark.parametrize("name", TENSORFLOW_1)
def test_models_and_draws_are_those_of_tensorflow_1(results, name):
    for actual, expected in zip(results[name], TENSORFLOW_1[name], strict=True):
        np.testing.assert_allclose(actual, expected, atol=2e-5)


def test_variables_have_the_names_of_old_checkpoints(results):
    scope = "embedding_attention_seq2seq"
    decoder = f"{scope}/embedding_attention_decoder/attention_decoder"
    names = results["variables"]
    assert names[0] == f"{scope}/rnn/embedding_wrapper/embedding:0"
    assert names[-1] == f"{decoder}/AttnOutputProjection/bias:0"
    assert f"{decoder}/Attention_1/kernel:0" in names
    assert len(names) == 22


def test_buckets_share_their_variables_and_the_encoder_has_its_own(results):
    names = results["bucket variables"]
    kernels = [name for name in names if "gates/kernel" in name]
    assert len(names) == 20
    assert len(kernels) == 2
    assert np.isfinite(results["buckets"]).all()


@pytest.mark.parametrize("name", ["logits first", "labels first", "by name"])
def test_a_loss_takes_its_arguments_in_the_order_of_its_time(results, name):
    assert results[name] == [[(1 - 2 * 3) ** 2]] * 2


def test_any_tensor_may_be_fed(results):
    assert results["fed"] == [[2 * 5 * 3 * 2.0]]


def test_axes_are_in_their_figure_and_text_is_bytes(results):
    assert results["axes"] == [1, 1]
    assert results["text"] == ["a", "b"]
