"""Estimators of `skflow`, which take a matrix without naming its columns."""

import numpy as np
import tensorflow as tf

from tfcourse.tf1_runner.shims.contrib.learn import estimators


class OfFirstMatrix(estimators.ArrayEstimator):
    """An estimator that learns from the first data how many columns there are.

    Its predictions are arrays, as they were until TensorFlow 0.11.

    Args:
        make: Makes the estimator, by its `feature_columns`.
    """

    def __init__(self, make):
        super().__init__(None)
        self._make = make

    def fit(self, x=None, y=None, input_fn=None, *args, **options):
        if self._estimator is None:
            self._estimator = self._make(feature_columns=_columns(x, input_fn))
        return super().fit(x, y, input_fn, *args, **options)

    partial_fit = fit

    def predict(
        self, x=None, input_fn=None, batch_size=128, as_iterable=False, **_
    ):
        return super().predict(x, input_fn, batch_size, as_iterable)

    predict_classes = predict_scores = predict

    def predict_proba(self, x=None, input_fn=None, batch_size=128, **_):
        return np.array([*super().predict_proba(x, input_fn, batch_size)])


def _columns(x, input_fn):
    if x is None:
        with tf.Graph().as_default():
            features = input_fn()
            x = features[0] if isinstance(features, tuple) else features
            return estimators.infer_real_valued_columns_from_input(x)
    return estimators.infer_real_valued_columns_from_input(x)


class _WithSteps(OfFirstMatrix):
    """An estimator whose constructor says how it is trained."""

    def __init__(
        self,
        kind,
        n_classes=0,
        batch_size=32,
        steps=200,
        optimizer="Adagrad",
        learning_rate=0.1,
        **options,
    ):
        options = {k: options[k] for k in options if k not in _IGNORED}
        if n_classes:
            options["n_classes"] = n_classes
        options["optimizer"] = _OPTIMIZERS[optimizer](learning_rate)
        options["loss_reduction"] = tf.losses.Reduction.MEAN
        self._training = {"batch_size": batch_size, "steps": steps}

        def make(feature_columns):
            estimator = getattr(tf.estimator, kind)
            return estimator(feature_columns=feature_columns, **options)

        super().__init__(make)

    def fit(self, x, y=None, monitor=None, logdir=None, **training):
        watching = {"monitors": [monitor] if monitor else []}
        return super().fit(x, y, **self._training | watching | training)

    partial_fit = fit

    def score(self, x, y):
        return self.evaluate(x, y)["accuracy"]


_OPTIMIZERS = {
    "Adagrad": tf.train.AdagradOptimizer,
    "Adam": tf.train.AdamOptimizer,
    "Ftrl": tf.train.FtrlOptimizer,
    "RMSProp": tf.train.RMSPropOptimizer,
    "SGD": tf.train.GradientDescentOptimizer,
}


class TensorFlowLinearClassifier(_WithSteps):
    """A linear classifier; `_WithSteps` has the arguments."""

    def __init__(self, n_classes, **options):
        super().__init__("LinearClassifier", n_classes, **options)


class TensorFlowLinearRegressor(_WithSteps):
    """A linear regression; `_WithSteps` has the arguments."""

    def __init__(self, n_classes=0, **options):
        super().__init__("LinearRegressor", **options)


class TensorFlowDNNClassifier(_WithSteps):
    """A classifier with hidden layers; `_WithSteps` has the arguments."""

    def __init__(self, hidden_units, n_classes, **options):
        super().__init__(
            "DNNClassifier", n_classes, hidden_units=hidden_units, **options
        )


class TensorFlowDNNRegressor(_WithSteps):
    """A regression with hidden layers; `_WithSteps` has the arguments."""

    def __init__(self, hidden_units, n_classes=0, **options):
        super().__init__("DNNRegressor", hidden_units=hidden_units, **options)


# What said how to print, and where to run.
_IGNORED = {
    *("clip_gradients", "config", "continue_training", "max_to_keep"),
    *("keep_checkpoint_every_n_hours", "tf_random_seed", "verbose"),
}
