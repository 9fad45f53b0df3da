"""scikit-learn's digits in the place of MNIST, for `--mnist digits`."""

import sys

import numpy as np

TEST_EXAMPLES = 297


def install():
    """Makes every reader of MNIST in this process give the digits."""
    from tf_keras.src.datasets import mnist as keras_mnist

    from tfcourse.tf1_runner.environment import mnist

    mnist.load_arrays = lambda *args, **kwargs: load_arrays()
    keras_mnist.load_data = lambda *args, **kwargs: _as_keras(load_arrays())
    import tf_keras.api._v1.keras.datasets.mnist as api

    api.load_data = keras_mnist.load_data


def load_arrays():
    """Returns 1500 images and labels for training and 297 for testing.

    Eight pixels become 28 by linear interpolation, and 0 to 16 becomes 0 to
    255.
    """
    from scipy import ndimage
    from sklearn.datasets import load_digits

    digits = load_digits()
    print(
        "tfcourse: these are scikit-learn's 1797 digits scaled to 28×28, not "
        "MNIST; results will differ from published ones.",
        file=sys.stderr,
    )
    large = ndimage.zoom(digits.images, (1, 3.5, 3.5), order=1)
    images = np.round(large * (255 / 16)).astype("uint8")[..., None]
    labels = digits.target.astype("uint8")
    last = len(images) - TEST_EXAMPLES
    return images[:last], labels[:last], images[last:], labels[last:]


def _as_keras(arrays):
    images, labels, test_images, test_labels = arrays
    return (images[..., 0], labels), (test_images[..., 0], test_labels)
