"""The estimators of `tf.contrib.learn` that have a model of their own."""

import functools

import tensorflow as tf

from tfcourse.tf1_runner.shims.contrib.learn.estimators import ArrayEstimator
from tfcourse.tf1_runner.shims.contrib.learn.skflow import OfFirstMatrix

NAMES = (
    "DNNClassifier",
    "DNNLinearCombinedClassifier",
    "DNNLinearCombinedRegressor",
    "DNNRegressor",
    "LinearClassifier",
    "LinearRegressor",
)


def _heir(name):
    def make(*args, enable_centered_bias=None, **kwargs):
        # The loss was the mean of a batch, and became its sum.
        kwargs.setdefault("loss_reduction", tf.losses.Reduction.MEAN)
        kind = functools.partial(getattr(tf.estimator, name), *args, **kwargs)
        # The hidden units came first.
        places = args[1:] if name.startswith("DNN") else args
        if not places and not any("feature_columns" in key for key in kwargs):
            return OfFirstMatrix(kind)
        return ArrayEstimator(kind())

    make.__name__ = name
    return make


DNNClassifier = _heir("DNNClassifier")
DNNLinearCombinedClassifier = _heir("DNNLinearCombinedClassifier")
DNNLinearCombinedRegressor = _heir("DNNLinearCombinedRegressor")
DNNRegressor = _heir("DNNRegressor")
LinearClassifier = _heir("LinearClassifier")
LinearRegressor = _heir("LinearRegressor")
