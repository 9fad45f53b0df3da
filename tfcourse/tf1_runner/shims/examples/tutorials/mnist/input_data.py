"""`tensorflow.examples.tutorials.mnist.input_data`: MNIST in mini-batches."""

import collections
import pathlib

import numpy as np
from tensorflow.python.framework import random_seed

from tfcourse.tf1_runner.environment import mnist
from tfcourse.tf1_runner.environment.mnist import (
    DEFAULT_SOURCE_URL,
    maybe_download,  # noqa: F401
)

Datasets = collections.namedtuple("Datasets", ["train", "validation", "test"])


class DataSet:
    """Images and labels, in batches, reshuffled at each epoch.

    The order is TensorFlow 1's: drawn from NumPy's global generator, which is
    seeded with the graph's seed when the set is made.

    Args:
        images: Shape `(m, 28, 28, 1)`, unsigned bytes.
        labels: Shape `(m,)`, or `(m, 10)` one-hot.
        fake_data: Whether to give constant images instead.
        one_hot: Whether the fake labels are one-hot.
        dtype: `float32` scales the images to [0, 1], `uint8` leaves them.
        reshape: Whether an image is a row of 784.
        seed: Of the order. By default the graph's.
    """

    def __init__(
        self,
        images,
        labels,
        fake_data=False,
        one_hot=False,
        dtype="float32",
        reshape=True,
        seed=None,
    ):
        graph_seed, op_seed = random_seed.get_seed(seed)
        np.random.seed(graph_seed if seed is None else op_seed)
        self._fake_label = [1] + [0] * 9 if one_hot else 0
        if fake_data:
            images, labels = np.ones((10000, 28, 28, 1)), np.zeros(10000)
        if reshape:
            images = images.reshape(len(images), -1)
        if np.dtype(getattr(dtype, "as_numpy_dtype", dtype)) == np.float32:
            images = images.astype("float32") * np.float32(1 / 255)
        self._images, self._labels = images, labels
        self._epochs_completed = self._index_in_epoch = 0

    images = property(lambda self: self._images)
    labels = property(lambda self: self._labels)
    num_examples = property(lambda self: len(self._images))
    epochs_completed = property(lambda self: self._epochs_completed)

    def next_batch(self, batch_size, fake_data=False, shuffle=True):
        """Returns the next images and labels; the rest of an epoch first."""
        if fake_data:
            return [[1] * 784] * batch_size, [self._fake_label] * batch_size
        if shuffle and self._epochs_completed == self._index_in_epoch == 0:
            self._shuffle()
        images, labels = self._take(batch_size)
        while len(images) < batch_size:
            self._epochs_completed += 1
            self._index_in_epoch = 0
            if shuffle:
                self._shuffle()
            more_images, more_labels = self._take(batch_size - len(images))
            images = np.concatenate([images, more_images])
            labels = np.concatenate([labels, more_labels])
        return images, labels

    def _take(self, count):
        start = self._index_in_epoch
        stop = self._index_in_epoch = min(start + count, self.num_examples)
        return self._images[start:stop], self._labels[start:stop]

    def _shuffle(self):
        order = np.arange(self.num_examples)
        np.random.shuffle(order)
        self._images, self._labels = self._images[order], self._labels[order]


def read_data_sets(
    train_dir,
    fake_data=False,
    one_hot=False,
    dtype="float32",
    reshape=True,
    validation_size=5000,
    seed=None,
    source_url=DEFAULT_SOURCE_URL,
):
    """Returns the training, validation and test sets.

    Args:
        train_dir: The folder of the four files. If they are not there, those
            of Keras are taken, or they are downloaded.
        fake_data: Whether to give constant images.
        one_hot: Whether labels are rows of ten.
        dtype: `float32` or `uint8`, of the images.
        reshape: Whether an image is a row of 784.
        validation_size: How many of the training images to keep apart.
        seed: Of the order of the batches.
        source_url: Where to download from.

    Raises:
        FileNotFoundError: If MNIST is nowhere; says where to put it.
    """
    options = {"dtype": dtype, "reshape": reshape, "seed": seed}
    if fake_data:
        options |= {"fake_data": True, "one_hot": one_hot}
        return Datasets(*(DataSet([], [], **options) for _ in range(3)))
    arrays = mnist.load_arrays(train_dir, source_url)
    images, labels, test_images, test_labels = arrays
    if validation_size > len(images):  # A small set in the place of MNIST.
        validation_size = len(images) // 12
    if one_hot:
        labels = dense_to_one_hot(labels)
        test_labels = dense_to_one_hot(test_labels)
    return Datasets(
        train=DataSet(
            images[validation_size:], labels[validation_size:], **options
        ),
        validation=DataSet(
            images[:validation_size], labels[:validation_size], **options
        ),
        test=DataSet(test_images, test_labels, **options),
    )


def load_mnist(train_dir="MNIST-data"):
    return read_data_sets(train_dir)


def dense_to_one_hot(labels, num_classes=10):
    return np.eye(num_classes)[labels]


def extract_images(file):
    return mnist.read(pathlib.Path(file.name))


def extract_labels(file, one_hot=False, num_classes=10):
    labels = mnist.read(pathlib.Path(file.name))
    return dense_to_one_hot(labels, num_classes) if one_hot else labels
