"""`tf.contrib.learn.datasets`: small sets, and tables in CSV files."""

import collections
import csv
import sys

import numpy as np

from tfcourse.tf1_runner.shims.examples.tutorials.mnist import (
    input_data as mnist,
)
from tfcourse.tf1_runner.shims.examples.tutorials.mnist.input_data import (
    Datasets,  # noqa: F401
    load_mnist,
)

Dataset = collections.namedtuple("Dataset", ["data", "target"])

# The module that had the functions once.
base = sys.modules[__name__]


def load_csv_with_header(
    filename, target_dtype, features_dtype, target_column=-1
):
    return _load_csv(filename, target_dtype, features_dtype, target_column, 1)


def load_csv_without_header(
    filename, target_dtype, features_dtype, target_column=-1
):
    return _load_csv(filename, target_dtype, features_dtype, target_column, 0)


def _load_csv(filename, target_dtype, features_dtype, target_column, header):
    with open(filename, newline="") as file:  # noqa: PTH123
        rows = [row for row in csv.reader(file) if row]
    rows = rows[header:]
    target = [row.pop(target_column) for row in rows]
    return Dataset(
        np.asarray(rows, dtype=features_dtype),
        np.asarray(target, dtype=target_dtype),
    )


def maybe_download(filename, work_directory, source_url):
    return mnist.maybe_download(
        filename, work_directory, source_url.removesuffix(filename)
    )


def load_iris():
    from sklearn.datasets import load_iris

    return Dataset(*load_iris(return_X_y=True))


def load_boston():
    raise NotImplementedError(
        "The Boston housing data are not distributed any more. Use "
        "sklearn.datasets.fetch_california_housing() instead."
    )


def load_dataset(name, *args, **kwargs):
    """Returns one of the data sets by its name."""
    loaders = {"iris": load_iris, "boston": load_boston, "mnist": load_mnist}
    return loaders[name](*args, **kwargs)
