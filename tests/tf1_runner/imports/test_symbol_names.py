"""Names older than TensorFlow 1.0, and scripts that were written for a GPU.

One process runs them all.
"""

import json
import textwrap

import numpy as np
import pytest

from tfcourse.tf1_runner import run_script

# One process serves all of them.
pytestmark = pytest.mark.xdist_group("older names")

SCRIPT = """
import json, sys
import input_data
import keras
import numpy as np
import pydot
import scipy
import tensorflow as tf
from scipy import ndimage
from sklearn.cross_validation import train_test_split
from sklearn.externals import joblib
from sklearn.manifold import TSNE
from tensorflow.models.rnn import rnn, rnn_cell, seq2seq
from tensorflow.python.framework import graph_util
from tensorflow.python.ops.rnn_cell import _linear

results = {}

# A state was one tensor, and a cell's linear layer a function.
x = tf.placeholder(tf.types.float32, [2, 3])
cell = rnn_cell.MultiRNNCell([rnn_cell.BasicLSTMCell(4)])
zero = cell.zero_state(2, tf.float32)
outputs, state = rnn.rnn(cell, [x, x], initial_state=zero)
results["state"] = state.shape.as_list()
with tf.variable_scope("own", initializer=tf.ones_initializer()):
    y = _linear([x, 2 * x], 2, True, 0.5)

with tf.variable_scope("norm", initializer=tf.ones_initializer()):
    cell = tf.contrib.rnn.LayerNormBasicLSTMCell(2)
    state = tf.constant([[1.0, 3.0]]), tf.zeros([1, 2])
    normed, _ = cell(tf.ones([1, 3]), tf.nn.rnn_cell.LSTMStateTuple(*state))
    frames = tf.ones([1, 3, 2, 2, 1])
    cell = tf.contrib.rnn.ConvLSTMCell(2, [2, 2, 1], 2, [3, 3])
    cell.zero_state(1, tf.float32)
    convolved, (c, _) = tf.nn.dynamic_rnn(
        tf.contrib.rnn.Conv2DLSTMCell(
            input_shape=[2, 2, 1],
            output_channels=1,
            kernel_shape=[3, 3],
            skip_connection=True,
        ),
        frames[:, :2],
        dtype=tf.float32,
    )
    cell = tf.contrib.rnn.Conv3DLSTMCell(
        input_shape=[2, 2, 2, 1], output_channels=1, kernel_shape=[3, 3, 3]
    )
    volume, _ = cell(tf.ones([1, 2, 2, 2, 1]), cell.zero_state(1, tf.float32))

# Channels first, on a GPU that may not be there.
images = tf.placeholder(tf.float32, [None, 2, 4, 4])
with tf.device("/gpu:0"):
    kernel = tf.Variable(tf.ones([3, 3, 2, 1]))
    pooled = tf.nn.max_pool(images, [1, 1, 2, 2], [1, 1, 2, 2], "SAME", "NCHW")
    h = tf.nn.conv2d(pooled, kernel, [1, 1, 1, 1], "SAME", data_format="NCHW")
    h = tf.nn.avg_pool(h, [1, 1, 2, 2], [1, 1, 2, 2], "SAME", "NCHW")
slope = tf.gradients(h, kernel)[0]
sides = [[0, 0], [0, 0], [1, 1], [0, 2]]
padded = tf.nn.conv2d(pooled, kernel, [1] * 4, sides, data_format="NCHW")

vector = tf.Variable([7.0, 7.0])
loss = tf.reduce_sum(tf.square(vector))
optimizers = {
    "free": tf.contrib.opt.ScipyOptimizerInterface(loss),
    "bounded": tf.contrib.opt.ScipyOptimizerInterface(
        loss, var_to_bounds={vector: ([1, 2], np.inf)}
    ),
    "constrained": tf.contrib.opt.ScipyOptimizerInterface(
        loss, equalities=[vector[1] - 2], inequalities=[vector - 1]
    ),
}
with tf.Session() as session:
    session.run(tf.global_variables_initializer())
    results["linear"] = session.run(y, {x: [[1, 2, 3], [0, 0, 0]]}).tolist()
    results["normed"] = session.run(normed).tolist()
    results["convolved"] = session.run(convolved)[0, :, 0, 0].tolist()
    results["volume"] = session.run(volume).tolist()
    feed = {images: np.arange(32).reshape(1, 2, 4, 4)}
    results["pooled"] = session.run(pooled, feed).tolist()
    results["channels first"] = session.run(h, feed).tolist()
    results["padded"] = session.run(padded, feed).tolist()
    results["its gradient"] = session.run(slope, feed)[:, :, 0, 0].tolist()
    for name, optimizer in optimizers.items():
        session.run(vector.initializer)
        optimizer.minimize(session)
        results[name] = session.run(vector).tolist()
    frozen = graph_util.convert_variables_to_constants(
        session, tf.get_default_graph().as_graph_def(), [y.op.name]
    )
kinds = {node.op for node in frozen.node}
results["frozen"] = sorted(kinds & {"Const", "VariableV2"})

network = tf.contrib.eager.Network()
layer = network.track_layer(tf.layers.Dense(2))
layer.build([None, 3])
results["network"] = len(network.trainable_variables)

# What stood beside a script, was drawn, read and printed.
digits = input_data.read_data_sets("nowhere").train
results["digits"] = list(digits.images.shape)
model = keras.models.Sequential([keras.layers.Dense(1, input_dim=2)])
keras.utils.plot_model(model, to_file="model.png")
svg = keras.utils.vis_utils.model_to_dot(model).create(prog="dot", format="svg")
layers = keras.layers
picture = layers.Input([8, 8, 1])
for layer in [
    layers.Convolution2D(4, 3, 3, border_mode="same", subsample=(2, 2)),
    layers.Convolution2D(nb_filter=5, nb_row=3, nb_col=2, init="normal"),
    layers.core.Flatten(),
    layers.Dropout(p=0.5),
    layers.Dense(output_dim=3, bias=False),
]:
    picture = layer(picture)
    results.setdefault("keras 1", []).append(
        picture.shape.as_list()[1:]
    )
picture = layers.Conv2D(1, 3, 2, padding="same")(layers.Input([8, 8, 1]))
results["keras 2"] = picture.shape.as_list()[1:]
results["weights"] = len(layer.get_weights())
results["ordering"] = keras.backend.image_dim_ordering()

image = tf.constant(np.arange(9.0, dtype="float32").reshape(3, 3))
with tf.Session() as session:
    results["rotated"], results["moved"] = (
        session.run(tensor).tolist()
        for tensor in (
            tf.contrib.image.rotate(image, np.pi / 2),
            tf.contrib.image.translate(image[None, :, :, None], [1, 0])[0, 0],
        )
    )

parts = train_test_split(np.arange(8), test_size=0.25, random_state=0)
results["split"] = [len(part) for part in parts]
tsne = TSNE(2, n_iter=250, perplexity=3, init="random", random_state=0)
results["map"] = [*tsne.fit_transform(np.eye(8)).shape, tsne.n_iter_]
np.set_printoptions(threshold=np.nan)
results["printed"] = "..." in str(np.arange(2000))
scipy.misc.imsave("a.png", np.eye(4))
results["image"] = ndimage.imread("a.png").tolist()

with open(sys.argv[1], "w") as file:
    json.dump(results, file)
"""
COPY = '''"""Functions for downloading and reading MNIST data."""
raise TypeError("only integer scalar arrays can be converted")
'''


@pytest.fixture(scope="module")
def results(tmp_path_factory):
    folder = tmp_path_factory.mktemp("older")
    (folder / "old.py").write_text(textwrap.dedent(SCRIPT))
    (folder / "input_data.py").write_text(COPY)

    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        code = run_script("old.py", ["results.json"], mnist="digits")

    assert code == 0
    return json.loads((folder / "results.json").read_text())


def test_cells_of_tensorflow_0_keep_their_state_in_one_tensor(results):
    assert results["state"] == [2, 8]


def test_the_linear_layer_of_a_cell_has_a_kernel_and_a_bias(results):
    # (1 + 2 + 3) + 2 · (1 + 2 + 3) + 0.5
    assert results["linear"] == [[18.5, 18.5], [0.5, 0.5]]


def test_an_lstm_cell_normalizes_its_gates_and_its_state(results):
    # Gates of equal units become 0; the state 1, 3 becomes -1, 1.
    h = 0.5 * np.tanh(1)
    np.testing.assert_allclose(results["normed"], [[-h, h]], rtol=1e-5)


def test_an_lstm_cell_convolves(results):
    def sigmoid(x):
        return 1 / (1 + np.exp(-x))

    c = h = 0
    expected = []
    for _ in range(2):
        gate = 4 * (1 + h)  # A kernel of ones sees four pixels.
        c = c * sigmoid(gate + 1) + sigmoid(gate) * np.tanh(gate)
        h = np.tanh(c) * sigmoid(gate)
        expected.append([h, 1])
    np.testing.assert_allclose(results["convolved"], expected, rtol=1e-5)
    # A volume has eight of them.
    h = np.tanh(sigmoid(8) * np.tanh(8)) * sigmoid(8)
    np.testing.assert_allclose(
        results["volume"], np.full([1, 2, 2, 2, 1], h), rtol=1e-5
    )


def test_channels_first_are_turned_round_where_there_is_no_gpu(results):
    greatest = [[[5, 7], [13, 15]], [[21, 23], [29, 31]]]
    assert results["pooled"] == [greatest]
    assert results["channels first"] == [[[[144.0]]]]
    assert results["padded"] == [[[[144, 76], [144, 76]]]]
    # The kernel's center meets all four, its corners one, over 4.
    np.testing.assert_allclose(
        results["its gradient"],
        [[1.25, 3, 1.75], [4.5, 10, 5.5], [3.25, 7, 3.75]],
    )


@pytest.mark.parametrize(
    "name, minimum",
    [("free", [0, 0]), ("bounded", [1, 2]), ("constrained", [1, 2])],
)
def test_scipy_minimizes_a_graph(results, name, minimum):
    np.testing.assert_allclose(results[name], minimum, atol=1e-5)


def test_a_graph_is_frozen_by_the_old_path(results):
    assert results["frozen"] == ["Const"]


def test_a_network_has_the_variables_of_the_layers_it_was_told(results):
    assert results["network"] == 2


def test_a_copy_of_input_data_gives_way(results):
    assert results["digits"] == [1375, 784]


def test_layers_take_the_arguments_of_keras_1(results):
    # The kernel of the second reaches over 3 rows and 2 columns.
    assert results["keras 1"] == [[4, 4, 4], [2, 3, 5], [30], [30], [3]]
    # By Keras 2's name for the border, the third number is of the strides.
    assert results["keras 2"] == [4, 4, 1]
    assert results["weights"] == 1
    assert results["ordering"] == "tf"


def test_images_turn_counterclockwise_and_move_to_the_right(results):
    assert results["rotated"] == np.rot90(np.arange(9.0).reshape(3, 3)).tolist()
    assert results["moved"] == [[0.0], [0.0], [1.0]]


def test_scikit_learn_is_that_of_then(results):
    assert results["split"] == [6, 2]
    assert results["map"] == [8, 2, 250]


def test_nothing_is_cut_by_a_threshold_of_nan(results):
    assert results["printed"] is False


def test_ndimage_reads_images(results):
    np.testing.assert_array_equal(results["image"], 255 * np.eye(4))
