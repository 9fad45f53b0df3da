"""Do the digits stand in for MNIST, in the numbers that training meets?"""

import numpy as np
import pytest

from tfcourse.tf1_runner import run_script
from tfcourse.tf1_runner.environment.digits import load_arrays

# Of MNIST's 60,000 images for training, pixels from 0 to 1.
MEAN, DEVIATION, SQUARED_NORM = 0.1307, 0.3081, 87.8


@pytest.fixture(scope="module")
def images():
    train, _, test, _ = load_arrays()
    return np.concatenate([train, test])[..., 0] / 255


def test_pixels_have_the_mean_and_deviation_of_mnist(images):
    assert images.mean() == pytest.approx(MEAN, rel=0.1)
    assert images.std() == pytest.approx(DEVIATION, rel=0.1)
    squares = (images**2).sum(axis=(1, 2))
    assert squares.mean() == pytest.approx(SQUARED_NORM, rel=0.1)
    assert (images.min(), images.max()) == (0, 1)


def test_digits_lie_in_the_middle_of_a_frame(images):
    ink = images.any(axis=0)
    assert images.shape == (1700, 28, 28)
    rows, columns = np.nonzero(ink)
    assert min(rows.min(), columns.min()) >= 4
    assert max(rows.max(), columns.max()) <= 23


def test_the_textbook_rule_learns_and_stays_finite(images):
    """Softmax regression by `-reduce_sum(y * log(p))`, rate 0.01."""
    _, labels, _, test_labels = load_arrays()
    labels = np.concatenate([labels, test_labels])
    x = images.reshape(-1, 784).astype("float32")
    y = np.eye(10, dtype="float32")[labels]
    w, b = np.zeros((784, 10), "float32"), np.zeros(10, "float32")
    draw = np.random.default_rng(0)
    for _ in range(1000):
        some = draw.integers(0, 1500, 100)
        z = x[some] @ w + b
        p = np.exp(z - z.max(1, keepdims=True))
        p /= p.sum(1, keepdims=True)
        # As a float32 logarithm: of what has become 0 it is not finite.
        assert p[y[some] == 1].min() > 0
        w -= np.float32(0.01) * x[some].T @ (p - y[some])
        b -= np.float32(0.01) * (p - y[some]).sum(0)
    hits = (x[1500:] @ w + b).argmax(1) == labels[1500:]
    assert hits.mean() > 0.85


def test_a_script_that_counts_on_mnists_number_gets_it(tmp_path, monkeypatch):
    (tmp_path / "a.py").write_text(
        "from keras.datasets import mnist\n"
        "from keras.utils import np_utils\n"
        "(x, y), (x_test, y_test) = mnist.load_data()\n"
        "assert x.reshape(60000, 784).shape == (60000, 784)\n"
        "assert x_test.shape == (10000, 28, 28)\n"
        "assert (x[1500] == x[0]).all() and y[1500] == y[0]\n"
    )
    monkeypatch.chdir(tmp_path)

    assert run_script("a.py", mnist="digits") == 0
