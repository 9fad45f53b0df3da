"""Does `--check` say what a run would meet? One process for all."""

import textwrap

import pytest

from tfcourse.tf1_runner import check_script

SCRIPT = """
import gym
gym.make("CartPole-v0")
import my_utils
import cPickle
import tensorflow as tf
from keras.layers import Dense, Convolution2D, LSTM
import numpy as np, pandas as pd, matplotlib.pyplot as plt
from keras.datasets import mnist
from keras.models import Model
Model(input=1, output=2); Model(inputs=1, outputs=2)
from sklearn.preprocessing import OneHotEncoder
try:
    import nothing_at_all
except ImportError:
    pass
tf.placeholder(tf.float32, [None], nam="x")
tf.nn.softmax_cross_entropy_with_logits(logits=1, targets=2, _sentinel=None)
tf.concat(concat_dim=1, values=[])
Dense(3, init="normal", activaton="relu")
Convolution2D(3, 3, 3, border_mode="same", input_shape=(3, 3))
LSTM(4, consume_less="gpu", input_length=3, wrong=3)
np.mat("1"); np.cast; np.uint8(300)
pd.rolling_mean; pd.read_csv("a", delim_whitespace=True); pd.ols
plt.hold(True); plt.subplot(111, axisbg="r")
df = pd.read_csv("a")
df["a"][0] = 1
df["a"].fillna(0, inplace=True)
df.ix[0]
mnist.load_data()
OneHotEncoder(sparse=False, foo=1)
tf.contrib.layers.fully_connected(1, 2, activation_fn=None)
cell = tf.contrib.rnn
cell = cell.BasicLSTMCell(3)
cell.state_size
for i in xrange(3): pass
"""


@pytest.fixture(scope="module")
def rows(tmp_path_factory):
    folder = tmp_path_factory.mktemp("check")
    (folder / "a.py").write_text(textwrap.dedent(SCRIPT))
    with (
        pytest.MonkeyPatch.context() as patch,
        (folder / "out").open("w+") as out,
    ):
        patch.chdir(folder)
        patch.setenv("HOME", str(folder))
        # Behind one the network is taken to be there.
        patch.setenv("https_proxy", "http://localhost:1")
        patch.setattr("subprocess.Popen", _printing_to(out))
        code = check_script("a.py")
    assert code == 1
    text = (folder / "out").read_text().splitlines()
    return [line.partition(": ")[2] for line in text[:-1]]


def _printing_to(file):
    import functools
    import subprocess

    return functools.partial(subprocess.Popen, stdout=file)


def of_kind(rows, kind):
    return {row.split()[0] for row in rows if f" {kind}" in row}


def test_what_is_missing_is_all_that_is_missing(rows):
    assert of_kind(rows, "missing") == {
        "a",  # The file.
        "gym",
        "my_utils",
        "tf.placeholder(nam=)",
        "keras.layers.Dense(activaton=)",
        "keras.layers.LSTM(wrong=)",
        "np.cast",
        "pandas.ols",
        "sklearn.preprocessing.OneHotEncoder(foo=)",
    }


@pytest.mark.parametrize(
    "name",
    [
        "np.mat",
        "pandas.rolling_mean",
        "matplotlib.pyplot.hold",
        "border_mode=",
        "axisbg=",
        ".ix",
        "tf.concat",
    ],
)
def test_what_is_put_back_is_named(rows, name):
    assert name in of_kind(rows, "put back")


def test_what_means_another_thing_is_noted(rows):
    notes = [row for row in rows if " note: " in row]

    said = "\n".join(notes)
    assert "np.uint8" in said
    assert "`/` of whole numbers rounds" in said
    assert "needs the network" in said
    assert len(notes) == 3


def test_a_package_that_a_script_of_today_needs_is_named(
    tmp_path, monkeypatch, capfd
):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "new.py").write_text("import numpy as np\nimport gymnasium\n")

    code = check_script("new.py")

    out = capfd.readouterr().out
    assert code == 1
    assert "it runs as it is" in out
    assert "new.py:2: gymnasium missing: the script needs a package" in out
    assert "numpy" not in out
