"""`keras.wrappers.scikit_learn`: a model with scikit-learn's methods."""

import inspect

import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin, RegressorMixin
from tf_keras.api._v1.keras.models import Sequential
from tf_keras.api._v1.keras.utils import to_categorical

_FIT = {"batch_size", "callbacks", "class_weight", "epochs", "nb_epoch"} | {
    *("shuffle", "validation_data", "validation_split", "verbose")
}


class BaseWrapper(BaseEstimator):
    """A model that a function builds.

    Args:
        build_fn: Returns a compiled model.
        **sk_params: Arguments of the function, of `fit` and of `predict`.
    """

    def __init__(self, build_fn=None, **sk_params):
        self.build_fn, self.sk_params = build_fn, sk_params

    def get_params(self, deep=True):
        return {"build_fn": self.build_fn} | self.sk_params

    def set_params(self, **params):
        self.build_fn = params.pop("build_fn", self.build_fn)
        self.sk_params = self.sk_params | params
        return self

    def fit(self, x, y, **kwargs):
        """Builds a model and trains it; returns what Keras's `fit` does."""
        build = self.build_fn or self.__call__
        known = inspect.signature(build).parameters
        settings = self.sk_params.items()
        self.model = build(**{k: v for k, v in settings if k in known})
        if self._wants_rows(y):
            y = to_categorical(y)
        training = {k: v for k, v in settings if k in _FIT} | kwargs
        return self.model.fit(x, y, **training)

    def _wants_rows(self, y):
        return self.model.loss == "categorical_crossentropy" and y.ndim < 2

    def _settings(self, kwargs):
        known = {"batch_size", "verbose"}
        return {k: v for k, v in self.sk_params.items() if k in known} | kwargs


class KerasClassifier(ClassifierMixin, BaseWrapper):
    """Predicts classes."""

    def fit(self, x, y, sample_weight=None, **kwargs):
        y = np.asarray(y)
        if y.ndim == 2 and y.shape[1] > 1:
            self.classes_ = np.arange(y.shape[1])
        else:
            self.classes_, y = np.unique(y, return_inverse=True)
        if sample_weight is not None:
            kwargs["sample_weight"] = sample_weight
        return super().fit(x, y, **kwargs)

    def predict(self, x, **kwargs):
        assert isinstance(self.model, Sequential)
        found = self.model.predict_classes(x, **self._settings(kwargs))
        return self.classes_[found]

    def predict_proba(self, x, **kwargs):
        p = self.model.predict(x, **self._settings(kwargs))
        return np.hstack([1 - p, p]) if p.shape[1] == 1 else p

    def score(self, x, y, **kwargs):
        """Returns the accuracy."""
        y = np.asarray(y)
        if y.ndim == 2 and y.shape[1] > 1:
            y = y.argmax(axis=1)
        found = self.predict(x, **kwargs)
        return float(np.mean(found.ravel() == y.ravel()))


class KerasRegressor(RegressorMixin, BaseWrapper):
    """Predicts amounts."""

    def predict(self, x, **kwargs):
        return np.squeeze(self.model.predict(x, **self._settings(kwargs)))

    def score(self, x, y, **kwargs):
        """Returns the mean squared error, negative: the greater the better."""
        loss = self.model.evaluate(x, y, **self._settings(kwargs))
        return -(loss[0] if isinstance(loss, list) else loss)
