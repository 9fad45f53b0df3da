"""scikit-learn's digits in the place of MNIST, for `--mnist digits`."""

import sys

import numpy as np

from tfcourse.tf1_runner.environment.keras_datasets import serve_keras

# Hundreds, as MNIST's are: scripts divide them into batches.
EXAMPLES, TEST_EXAMPLES = 1500, 200
# A pen's darkness below the first is paper, above the second black: so the
# pixels have MNIST's mean of 0.13 and its deviation of 0.31.
PAPER, BLACK = 0.4, 0.8


def install(as_many: bool = False):
    """Makes every reader of MNIST in this process give the digits.

    Args:
        as_many: Whether to repeat them to the 60,000 and 10,000 of MNIST, which
            a script may have written down.
    """
    from tfcourse.tf1_runner.environment import mnist

    def load(*args, **kwargs):
        return _repeated(load_arrays()) if as_many else load_arrays()

    def load_as_keras(*args, **kwargs):
        return _as_keras(load())

    mnist.load_arrays = load
    for name in ("mnist", "fashion_mnist"):
        serve_keras(name, load_data=load_as_keras)


def load_arrays():
    """Returns 1500 images and labels for training and 200 for testing.

    As in MNIST, the digits fill 20 by 20 pixels in the middle of 28 by 28:
    eight pixels become 20 by linear interpolation. A textbook's learning rate
    then fits, which depends on the mean square of the inputs.
    """
    from scipy import ndimage
    from sklearn.datasets import load_digits

    digits = load_digits()
    print(
        "tfcourse: these are scikit-learn's digits, 1700 in 28×28 pixels, not "
        "MNIST; results will differ from published ones.",
        file=sys.stderr,
    )
    large = ndimage.zoom(digits.images / 16, (1, 2.5, 2.5), order=1)
    large = ((large - PAPER) / (BLACK - PAPER)).clip(0, 1)
    framed = np.pad(large, ((0, 0), (4, 4), (4, 4)))
    images = np.round(framed * 255).astype("uint8")[..., None]
    labels = digits.target.astype("uint8")
    train, test = slice(EXAMPLES), slice(-TEST_EXAMPLES, None)
    return images[train], labels[train], images[test], labels[test]


def _repeated(arrays):
    print(
        "tfcourse: they are repeated to 60000 and 10000, which the "
        "script counts on.",
        file=sys.stderr,
    )
    images, labels, test_images, test_labels = arrays
    return (
        np.resize(images, (60000, *images.shape[1:])),
        np.resize(labels, 60000),
        np.resize(test_images, (10000, *images.shape[1:])),
        np.resize(test_labels, 10000),
    )


def _as_keras(arrays):
    images, labels, test_images, test_labels = arrays
    return (images[..., 0], labels), (test_images[..., 0], test_labels)
