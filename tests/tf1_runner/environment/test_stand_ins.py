"""Made-up data: of the shapes of the real, learnable, and named as such."""

import numpy as np
import pytest

from tfcourse.tf1_runner import run_script

SCRIPT = """
import numpy as np
from keras.datasets import boston_housing, cifar10, imdb, reuters
from keras.preprocessing import sequence
from keras.utils import np_utils
from sklearn.datasets import load_boston

(x, y), (x_test, y_test) = cifar10.load_data()
print(x.shape, y.shape, x_test.shape, x.dtype, len(set(y.ravel())))
np.savez("cifar.npz", x=x, y=y, x_test=x_test, y_test=y_test)
(x, y), (x_test, y_test) = imdb.load_data(nb_words=1000)
print(sequence.pad_sequences(x, maxlen=50).shape, sorted(set(y)))
print(max(max(row) for row in x) < 1000, len(imdb.get_word_index()))
(x, y), _ = reuters.load_data(num_words=500, test_split=0.2)
print(len(set(y)))
(x, y), (x_test, y_test) = boston_housing.load_data()
print(x.shape, x_test.shape, load_boston().data.shape)
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("stand_ins")


def test_they_have_the_shapes_of_the_real_and_say_what_they_are(
    folder, capfd, monkeypatch
):
    monkeypatch.chdir(folder)
    (folder / "a.py").write_text(SCRIPT)

    code = run_script("a.py", stand_ins=["cifar", "text", "housing"])

    out, error = capfd.readouterr()
    assert code == 0, error
    assert out.splitlines() == [
        "(2000, 32, 32, 3) (2000, 1) (500, 32, 32, 3) uint8 10",
        "(1000, 50) [0, 1]",
        "True 5000",
        "46",
        "(404, 13) (102, 13) (506, 13)",
    ]
    for said in (
        "not CIFAR",
        "not imdb",
        "not reuters",
        "not the housing data",
    ):
        assert f"{said}; results show only" in error
    _assert_cifar_is_like_cifar(np.load(folder / "cifar.npz"))


def _assert_cifar_is_like_cifar(data):
    pixels = data["x"] / 255
    means, deviations = pixels.mean((0, 1, 2)), pixels.std((0, 1, 2))
    np.testing.assert_allclose(means, [0.4914, 0.4822, 0.4465], rtol=0.1)
    np.testing.assert_allclose(deviations, [0.247, 0.2435, 0.2616], rtol=0.1)
    # The nearest mean of a class tells the class.
    x, y = pixels.reshape(len(pixels), -1), data["y"].ravel()
    centers = np.stack([x[y == c].mean(0) for c in range(10)])
    test = data["x_test"].reshape(500, -1) / 255
    distances = ((test[:, None] - centers) ** 2).sum(-1)
    assert (distances.argmin(1) == data["y_test"].ravel()).mean() > 0.9


def test_an_unknown_stand_in_is_refused(folder):
    with pytest.raises(ValueError, match="`stand_ins` of run_script must be"):
        run_script(folder / "a.py", stand_ins=["faces"])


def test_keras_3_is_given_them_as_well(folder, capfd, monkeypatch):
    monkeypatch.chdir(folder)
    (folder / "new.py").write_text(
        "import keras\n"
        "from keras.datasets import imdb, mnist\n"
        "(x, y), _ = mnist.load_data()\n"
        "print(keras.__version__[0], x.shape, imdb.load_data()[0][0].shape)\n"
    )

    code = run_script("new.py", mnist="digits", stand_ins=["text"])

    out, error = capfd.readouterr()
    assert code == 0, error
    assert out == "3 (1500, 28, 28) (1000,)\n"
