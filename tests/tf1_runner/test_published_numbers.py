"""Do course scripts print what was published? One process runs them all.

The numbers are the course's own (TensorFlow 1.0 to 1.3), or those of
TensorFlow 1.4 and 1.12, which agree, where nothing was published.
"""

import json
import textwrap

import numpy as np
import pytest

from tfcourse.tf1_runner import run_script

# One process serves all of them.
pytestmark = pytest.mark.xdist_group("published numbers")

SCRIPT = """
import json, sys
import numpy as np
import tensorflow as tf

results = {}


def fresh(seed):
    tf.reset_default_graph()
    tf.set_random_seed(seed)


# The steps of a loop run side by side: on several threads, which of them draws
# first is left to chance.
one_thread = tf.ConfigProto(
    use_per_session_threads=True, inter_op_parallelism_threads=1
)


def run(name, tensors, feed=None):
    with tf.Session(config=one_thread) as session:
        session.run(tf.global_variables_initializer())
        values = session.run(tensors, feed)
    flat = [np.asarray(v, "float64").ravel() for v in values]
    results[name] = [v[:6].tolist() for v in flat]


# The deep learning course's convolutional model.
fresh(1)
np.random.seed(1)
X = tf.placeholder(tf.float32, [None, 64, 64, 3])
Y = tf.placeholder(tf.float32, [None, 6])
xavier = tf.contrib.layers.xavier_initializer
W1 = tf.get_variable("W1", [4, 4, 3, 8], initializer=xavier(seed=0))
W2 = tf.get_variable("W2", [2, 2, 8, 16], initializer=xavier(seed=0))
A1 = tf.nn.relu(tf.nn.conv2d(X, W1, strides=[1, 1, 1, 1], padding="SAME"))
P1 = tf.nn.max_pool(A1, [1, 8, 8, 1], [1, 8, 8, 1], "SAME")
A2 = tf.nn.relu(tf.nn.conv2d(P1, W2, strides=[1, 1, 1, 1], padding="SAME"))
P2 = tf.nn.max_pool(A2, [1, 4, 4, 1], [1, 4, 4, 1], "SAME")
P2 = tf.contrib.layers.flatten(P2)
Z3 = tf.contrib.layers.fully_connected(P2, 6, activation_fn=None)
feed = {X: np.random.randn(2, 64, 64, 3)}
run("convolution", [W1[1, 1, 1], W2[1, 1, 1], Z3[0], Z3[1]], feed)
cost = tf.nn.softmax_cross_entropy_with_logits(logits=Z3, labels=Y)
np.random.seed(1)
feed = {X: np.random.randn(4, 64, 64, 3), Y: np.random.randn(4, 6)}
run("convolution cost", [tf.reduce_mean(cost)], feed)

# A logistic regression and a linear one of "Deep Learning Zero to All".
x = np.array([[1, 2], [2, 3], [3, 1], [4, 3], [5, 3], [6, 2]], "float32")
y = np.array([[0], [0], [0], [1], [1], [1]], "float32")
fresh(777)
X = tf.placeholder(tf.float32, [None, 2])
Y = tf.placeholder(tf.float32, [None, 1])
W = tf.Variable(tf.random_normal([2, 1]))
b = tf.Variable(tf.random_normal([1]))
h = tf.sigmoid(tf.matmul(X, W) + b)
cost = -tf.reduce_mean(Y * tf.log(h) + (1 - Y) * tf.log(1 - h))
train = tf.train.GradientDescentOptimizer(learning_rate=0.01).minimize(cost)
with tf.Session() as sess:
    sess.run(tf.global_variables_initializer())
    costs = [sess.run([cost, train], {X: x, Y: y})[0] for _ in range(201)]
results["logistic"] = [[float(costs[0]), float(costs[200])]]

fresh(777)
xs = [tf.placeholder(tf.float32) for _ in range(3)]
tf.placeholder(tf.float32)
ws = [tf.Variable(tf.random_normal([1])) for _ in range(4)]
h = xs[0] * ws[0] + xs[1] * ws[1] + xs[2] * ws[2] + ws[3]
data = [
    [73.0, 93.0, 89.0, 96.0, 73.0],
    [80.0, 88.0, 91.0, 98.0, 66.0],
    [75.0, 93.0, 90.0, 100.0, 70.0],
]
y = np.array([152.0, 185.0, 180.0, 196.0, 142.0], "float32")
feed = dict(zip(xs, data))
cost = tf.reduce_mean(tf.square(h - y))
train = tf.train.GradientDescentOptimizer(1e-5).minimize(cost)
with tf.Session() as sess:
    sess.run(tf.global_variables_initializer())
    sess.run(train, feed)
    results["linear"] = [
        [float(sess.run(cost, feed))],
        sess.run(h, feed).tolist(),
    ]

# Layers in a row: each draw depends on how many operations came before.
image = np.linspace(-1, 1, 384).reshape(2, 8, 8, 3)
row = np.linspace(-1, 1, 12).reshape(4, 3)
steps = np.linspace(-1, 1, 30).reshape(2, 5, 3)

fresh(1)
x = tf.placeholder(tf.float32, [None, 8, 8, 3])
h = tf.layers.conv2d(x, 4, 3, padding="same", activation=tf.nn.relu)
h = tf.layers.max_pooling2d(h, 2, 2)
tf.layers.average_pooling2d(h, 2, 2)
h = tf.layers.conv2d(h, 5, [2, 2])
d = tf.layers.dense(tf.layers.flatten(h), 3)
run("layers", [d, tf.random_normal([2])], {x: image})

fresh(1)
x = tf.placeholder(tf.float32, [None, 8, 8, 3])
h = tf.layers.conv2d_transpose(x, 4, 3, strides=2, padding="same")
run("transpose", [h, tf.random_normal([2])], {x: image})

fresh(1)
x = tf.placeholder(tf.float32, [None, 3])
h = tf.layers.dropout(x, 0.5, training=True)
run("layers dropout", [h, tf.random_normal([2])], {x: row})

fresh(1)
x, keep_prob = tf.placeholder(tf.float32, [None, 3]), tf.placeholder(tf.float32)
h = tf.nn.dropout(x, keep_prob)
r, h2 = tf.random_normal([2]), tf.nn.dropout(x, 0.8)
run("dropout", [h, r, h2, tf.random_normal([2])], {x: row, keep_prob: 0.5})

fresh(1)
x = tf.placeholder(tf.float32, [None, 5, 3])
cell = tf.nn.rnn_cell.MultiRNNCell(
    [tf.nn.rnn_cell.BasicLSTMCell(4) for _ in range(2)]
)
outputs, _ = tf.nn.static_rnn(cell, tf.unstack(x, 5, 1), dtype=tf.float32)
run("static LSTM", [outputs[-1], tf.random_normal([2])], {x: steps})

fresh(1)
x = tf.placeholder(tf.float32, [None, 5, 3])
cell = tf.contrib.rnn.DropoutWrapper(
    tf.contrib.rnn.GRUCell(4), output_keep_prob=0.5
)
outputs, _ = tf.nn.dynamic_rnn(cell, x, dtype=tf.float32)
run("dynamic GRU", [outputs, tf.random_normal([2])], {x: steps})
results["variables"] = [v.name for v in tf.global_variables()]

fresh(1)
x = tf.placeholder(tf.float32, [2, 5, 3])
loss = tf.contrib.seq2seq.sequence_loss(
    x, tf.zeros([2, 5], tf.int32), tf.ones([2, 5])
)
run("sequence loss", [loss, tf.random_normal([2])], {x: steps})

# The reproducibility notebook of "Hands-On Machine Learning".
fresh(42)
rnd = tf.random_uniform(shape=[])
with tf.Session() as session:
    results["uniform"] = [[float(session.run(rnd)) for _ in range(2)]]

fresh(1)
x = tf.placeholder(tf.float32, [None, 8, 8, 3])
tf.layers.batch_normalization(x, training=True)
tf.layers.batch_normalization(x, training=False)
tf.tensordot(x, tf.ones([3, 4]), [[3], [0]])
tf.metrics.accuracy([1, 2], [1, 1])
op = tf.random_uniform([1], -1.0, 1.0).op
while op.type != "RandomUniform":
    op = op.inputs[0].op
results["operations before"] = op.get_attr("seed2")

# Whether it is training is told by a placeholder.
fresh(1)
x, training = tf.placeholder(tf.float32, [4, 2]), tf.placeholder(tf.bool)
h = tf.contrib.layers.batch_norm(x, is_training=training, epsilon=1.0)
for name, value in [("training", True), ("inference", False)]:
    feed = {x: [[0, 1], [2, 1], [0, 1], [2, 1]], training: value}
    run(f"batch norm, {name}", [h], feed)

# MNIST in mini-batches, under each of the names that it had.
import tensorflow.examples.tutorials.mnist.input_data as by_its_full_name
from tensorflow.contrib.learn.python.learn.datasets import base
from tensorflow.examples.tutorials.mnist import input_data, mnist

assert by_its_full_name is input_data is tf.examples.tutorials.mnist.input_data
data = input_data.read_data_sets("nowhere", one_hot=True)
images, labels = data.train.next_batch(50)
results["mnist"] = [*images.shape, *labels.shape, float(labels.sum())]
fresh(1)
images = tf.constant(images[:4])
logits = mnist.inference(images, 128, 32)
train = mnist.training(mnist.loss(logits, tf.constant([1, 2, 3, 4])), 0.1)
right = mnist.evaluation(logits, tf.constant([1, 2, 3, 4]))
with tf.Session() as session:
    session.run(tf.global_variables_initializer())
    for _ in range(60):
        session.run(train)
    results["mnist model"] = int(session.run(right))

with open(sys.argv[1], "w") as file:
    json.dump(results, file)
"""

PUBLISHED = {
    "convolution": [
        [
            0.00131723,
            0.14176141,
            -0.04434952,
            0.09197326,
            0.14984085,
            -0.03514394,
        ],
        [-0.08566415, 0.17750949, 0.11974221, 0.16773748, -0.0830943, -0.08058],
        [
            -0.44670227,
            -1.57208765,
            -1.53049231,
            -2.31013036,
            -1.29104376,
            0.46852064,
        ],
        [
            -0.17601591,
            -1.57972014,
            -1.4737016,
            -2.61672091,
            -1.00810647,
            0.5747785,
        ],
    ],
    "convolution cost": [[2.91034]],
    "logistic": [[1.73078, 0.571512]],
    "linear": [
        [19614.8],
        [21.69748688, 39.10213089, 31.82624626, 35.14236832, 32.55316544],
    ],
    "uniform": [[0.63789964, 0.8774011]],
}
OPERATIONS = 104
TENSORFLOW_1 = {
    "layers": [
        [-0.22235, 1.02265, 0.02362, 0.04243, -0.74019, -0.40518],
        [1.58181, 0.81615],
    ],
    "transpose": [None, [0.28018, -0.05393]],
    "layers dropout": [[0, 0, 0, 0, -0.54545, -0.18182], [-1.3001, -0.9644]],
    "dropout": [
        [0, 0, 0, 0, -0.54545, -0.18182],
        [-1.3001, -0.9644],
        [-1.25, -1.02273, -0.79545, -0.56818, -0.34091, -0.11364],
        [1.20646, -0.57976],
    ],
    "static LSTM": [
        [-0.10106, 0.04919, -0.00779, -0.11893, 0.06409, -0.0438],
        [0.46915, -1.2111],
    ],
    "dynamic GRU": [
        [0, -0.3523, 0.01735, 0, -0.57473, 0],
        [0.7155, -2.16993],
    ],
    "sequence loss": [None, [-0.82217, -2.41284]],
}


@pytest.fixture(scope="module")
def results(tmp_path_factory):
    folder = tmp_path_factory.mktemp("published")
    (folder / "course.py").write_text(textwrap.dedent(SCRIPT))

    arguments = [folder / "results.json"]
    assert run_script(folder / "course.py", arguments, mnist="digits") == 0

    return json.loads((folder / "results.json").read_text())


@pytest.mark.parametrize("name", PUBLISHED)
def test_a_course_prints_what_it_published(results, name):
    for actual, expected in zip(results[name], PUBLISHED[name], strict=True):
        # Six digits are printed, and the sums are taken in another order.
        np.testing.assert_allclose(actual, expected, rtol=5e-6, atol=1e-6)


@pytest.mark.parametrize("name", TENSORFLOW_1)
def test_seeds_depend_on_the_operations_before_as_they_did(results, name):
    for actual, expected in zip(results[name], TENSORFLOW_1[name], strict=True):
        if expected is not None:
            np.testing.assert_allclose(actual, expected, atol=1e-5)


def test_variables_have_the_names_of_old_checkpoints(results):
    assert results["variables"] == [
        "rnn/gru_cell/gates/kernel:0",
        "rnn/gru_cell/gates/bias:0",
        "rnn/gru_cell/candidate/kernel:0",
        "rnn/gru_cell/candidate/bias:0",
    ]


def test_layers_leave_as_many_operations_as_they_did(results):
    # As TensorFlow 1.12 has it.
    assert results["operations before"] == OPERATIONS


def test_batch_norm_of_contrib_takes_a_placeholder(results):
    # Means 1 and 1, variances 1 and 0; before training, 0 and 1.
    half = 1 / 2**0.5
    np.testing.assert_allclose(
        results["batch norm, training"], [[-half, 0, half, 0, -half, 0]], 1e-5
    )
    np.testing.assert_allclose(
        results["batch norm, inference"],
        [[0, half, 2 * half, half, 0, half]],
        1e-5,
    )


def test_mnist_comes_in_mini_batches_under_its_old_names(results):
    assert results["mnist"] == [50, 784, 50, 10, 50.0]
    assert results["mnist model"] == 4
