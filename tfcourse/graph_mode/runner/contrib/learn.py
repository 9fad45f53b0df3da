"""`tf.contrib.learn`: its data sets, and its estimators by their heirs."""

import collections
import csv
import types

import numpy as np
import tensorflow as tf

from tfcourse.graph_mode.runner.contrib._gather import gather
from tfcourse.graph_mode.runner.examples.tutorials.mnist import (
    input_data as mnist,
)

__getattr__ = gather("tf.contrib.learn", "tensorflow.estimator")

Dataset = collections.namedtuple("Dataset", ["data", "target"])


class ModeKeys:
    """What an estimator is asked to do."""

    TRAIN = "train"
    EVAL = "eval"
    INFER = "infer"


def _load_csv(filename, target_dtype, features_dtype, target_column, header):
    with open(filename, newline="") as file:  # noqa: PTH123
        rows = [row for row in csv.reader(file) if row]
    rows = rows[header:]
    target = [row.pop(target_column) for row in rows]
    return Dataset(
        np.asarray(rows, dtype=features_dtype),
        np.asarray(target, dtype=target_dtype),
    )


def load_csv_with_header(
    filename, target_dtype, features_dtype, target_column=-1
):
    return _load_csv(filename, target_dtype, features_dtype, target_column, 1)


def load_csv_without_header(
    filename, target_dtype, features_dtype, target_column=-1
):
    return _load_csv(filename, target_dtype, features_dtype, target_column, 0)


def _load_iris():
    from sklearn.datasets import load_iris

    return Dataset(*load_iris(return_X_y=True))


def _load_boston():
    raise NotImplementedError(
        "The Boston housing data are not distributed any more. Use "
        "sklearn.datasets.fetch_california_housing() instead."
    )


def load_dataset(name, *args, **kwargs):
    """Returns one of the data sets by its name."""
    loaders = {
        "iris": _load_iris,
        "boston": _load_boston,
        "mnist": mnist.load_mnist,
    }
    return loaders[name](*args, **kwargs)


base = types.SimpleNamespace(
    Dataset=Dataset,
    Datasets=mnist.Datasets,
    load_csv_with_header=load_csv_with_header,
    load_csv_without_header=load_csv_without_header,
    load_iris=_load_iris,
    load_boston=_load_boston,
    maybe_download=lambda name, folder, url: mnist.maybe_download(
        name, folder, url.removesuffix(name)
    ),
)
datasets = types.SimpleNamespace(
    base=base,
    mnist=mnist,
    load_iris=_load_iris,
    load_boston=_load_boston,
    load_dataset=load_dataset,
    load_mnist=mnist.load_mnist,
)


def infer_real_valued_columns_from_input(x):
    """Returns the one numeric column of a matrix, named as arrays are here."""
    return [tf.feature_column.numeric_column("", shape=[np.shape(x)[1]])]


class _Estimator:
    """An estimator of today that also takes arrays, and has `fit`."""

    def __init__(self, estimator):
        self._estimator = estimator

    def __getattr__(self, name):
        return getattr(self._estimator, name)

    def fit(
        self,
        x=None,
        y=None,
        input_fn=None,
        steps=None,
        batch_size=128,
        max_steps=None,
        monitors=None,
    ):
        input_fn = input_fn or _numpy_input(x, y, batch_size, repeat=True)
        self._estimator.train(input_fn, steps=steps, max_steps=max_steps)
        return self

    partial_fit = fit

    def evaluate(self, x=None, y=None, input_fn=None, steps=None, **_):
        input_fn = input_fn or _numpy_input(x, y)
        return self._estimator.evaluate(input_fn, steps=steps)

    def predict(self, x=None, input_fn=None, as_iterable=True, **_):
        input_fn = input_fn or _numpy_input(x)
        results = map(_predicted, self._estimator.predict(input_fn))
        return results if as_iterable else np.array(list(results))

    predict_classes = predict_scores = predict


def _numpy_input(x, y=None, batch_size=128, repeat=False):
    features = x if isinstance(x, dict) else {"": np.asarray(x, "float32")}
    return tf.estimator.inputs.numpy_input_fn(
        features,
        None if y is None else np.asarray(y),
        batch_size=batch_size,
        num_epochs=None if repeat else 1,
        shuffle=repeat,
    )


def _predicted(result):
    """Returns the class or the value, where estimators now give a dict."""
    for key in ("class_ids", "predictions"):
        if isinstance(result, dict) and key in result:
            return result[key][0]
    return result


def _heir(name):
    def make(*args, enable_centered_bias=None, **kwargs):
        return _Estimator(getattr(tf.estimator, name)(*args, **kwargs))

    make.__name__ = name
    return make


DNNClassifier = _heir("DNNClassifier")
DNNLinearCombinedClassifier = _heir("DNNLinearCombinedClassifier")
DNNLinearCombinedRegressor = _heir("DNNLinearCombinedRegressor")
DNNRegressor = _heir("DNNRegressor")
LinearClassifier = _heir("LinearClassifier")
LinearRegressor = _heir("LinearRegressor")


def SKCompat(estimator):  # noqa: N802
    """Returns the estimator itself: it takes arrays already."""
    return estimator


def Estimator(model_fn, model_dir=None, config=None, params=None):  # noqa: N802
    """Returns an estimator of one's own, which takes arrays too."""

    def call(features, labels, mode):
        if isinstance(features, dict) and set(features) == {""}:
            features = features[""]
        given = {"params": params} if params is not None else {}
        result = model_fn(features, labels, mode, **given)
        if not isinstance(result, tuple) or hasattr(result, "train_op"):
            return result
        predictions, loss, train_op = result
        return tf.estimator.EstimatorSpec(mode, predictions, loss, train_op)

    return _Estimator(tf.estimator.Estimator(call, model_dir, config))
