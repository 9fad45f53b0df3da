"""A search space for scikit-learn's own searches, on the course's scales."""

import contextlib
import io
import tempfile
from collections.abc import Callable
from typing import Any

import keras
import keras_tuner
import numpy as np
import scipy.stats
from sklearn.utils.validation import check_is_fitted, validate_data

from tfcourse.export.probabilities import missing_activation, probabilities_of
from tfcourse.tuning.search_space import regions
from tfcourse.tuning.search_space.hypermodel import as_hypermodel
from tfcourse.tuning.search_space.scales import (
    complement_scale,
    scale_of,
    to_display,
)


class SpaceClassifier(keras.wrappers.SKLearnClassifier):
    """A keras-tuner search space as a scikit-learn classifier.

    Its parameters are the hyperparameters of the space, under their own names,
    so that `RandomizedSearchCV`, `GridSearchCV`, pipelines and
    `cross_val_score` take it.

    Differs from `keras.wrappers.SKLearnClassifier`: the model comes from a
    search space; clones keep `fit_kwargs`, so that cross-validation trains for
    as many epochs as asked for and not for one; `predict_proba` is there;
    classes go to the model as the numbers 0, 1, ..., which the "sparse" losses
    take.

    Args:
        space: A `keras_tuner.HyperModel`, or a function from
            `HyperParameters` to a compiled model.
        hyperparameters: A dict from name to value, as a person reads them
            (`"beta"` for what `one_minus_log_uniform` registers). What it
            leaves out has its default.
        fit_kwargs: A dict of arguments for `model.fit`, say `epochs`.
        one_hot: Whether the classes go to the model as rows of 0 and 1.
        seed: Of the initial weights and of the order of the examples; `None`
            for any.

    Attributes:
        model_: The fitted model.
        history_: What `model.fit` returned.
        classes_: The classes, in the order of the columns of `predict_proba`.
    """

    def __init__(
        self,
        space: keras_tuner.HyperModel | Callable,
        hyperparameters: dict[str, Any] | None = None,
        fit_kwargs: dict[str, Any] | None = None,
        one_hot: bool = False,
        seed: int | None = None,
    ) -> None:
        super().__init__(space, fit_kwargs=fit_kwargs)
        self.space = space
        self.hyperparameters = hyperparameters
        self.one_hot = one_hot
        self.seed = seed

    def __sklearn_clone__(self):
        return type(self)(**self._settings())

    def get_params(self, deep: bool = True) -> dict[str, Any]:
        return {**self._settings(), **(self.hyperparameters or {})}

    def set_params(self, **params) -> "SpaceClassifier":
        own = self._settings()
        for name, value in params.items():
            if name in own:
                setattr(self, name, value)
            else:
                known = self.hyperparameters or {}
                self.hyperparameters = {**known, name: value}
        return self

    def fit(self, X: Any, y: Any, **kwargs) -> "SpaceClassifier":  # noqa: N803
        """Trains a model.

        Args:
            X: The examples, shape `(m, n)`.
            y: Their classes, shape `(m,)`.
            **kwargs: Passed to `model.fit`, before `fit_kwargs`.

        Raises:
            ValueError: If the space has no hyperparameter of a name given.
        """
        X, y = validate_data(self, X, y)  # noqa: N806
        y = self._process_target(y, reset=True)
        if not self.one_hot:
            y = y.argmax(axis=1)
        if self.seed is not None:
            keras.utils.set_random_seed(self.seed)
        space = as_hypermodel(self.space)
        hp = self._hyperparameters()
        model = space.build(hp)
        self._check_known(hp)
        arguments = {**(self.fit_kwargs or {}), **kwargs}
        self.history_ = space.fit(hp, model, X, y, **arguments)
        self.model_ = model
        return self

    def predict_proba(self, X: Any) -> np.ndarray:  # noqa: N803
        """Returns the probabilities of the classes, shape `(m, classes)`."""
        check_is_fitted(self)
        X = validate_data(self, X, reset=False)  # noqa: N806
        outputs = self.model_.predict(X, verbose=0)
        some = self.model_(X[:1], training=False)
        missing = missing_activation(self.model_, some)
        p = keras.ops.convert_to_numpy(probabilities_of(outputs, missing))
        # Those of sigmoids, one a class, need not sum to one.
        return p / p.sum(axis=1, keepdims=True)

    def predict(self, X: Any) -> np.ndarray:  # noqa: N803
        """Returns the most probable classes, shape `(m,)`."""
        return self.classes_[self.predict_proba(X).argmax(axis=1)]

    def _settings(self):
        names = ("space", "hyperparameters", "fit_kwargs", "one_hot", "seed")
        return {name: getattr(self, name) for name in names}

    def _hyperparameters(self):
        hp = keras_tuner.HyperParameters()
        for name, value in (self.hyperparameters or {}).items():
            # scikit-learn draws NumPy's numbers.
            value = value.item() if isinstance(value, np.generic) else value
            hp.values[name] = value
            if isinstance(value, float):
                # It is not known yet on which scale it is.
                hp.values[complement_scale(name)] = 1 - value
        return hp

    def _check_known(self, hp):
        given = set(self.hyperparameters or {})
        known = {to_display(p.name, 0)[0] for p in hp.space}
        if given <= known:
            return
        # Some are only seen in a model for which their condition holds.
        known |= sklearn_space(self.space).keys()
        for name in given - known:
            raise ValueError(
                f"The search space of {type(self).__name__} has no "
                f"hyperparameter {name!r}. It has {sorted(known)}."
            )


def sklearn_space(
    space: keras_tuner.HyperModel | Callable,
) -> dict[str, Any]:
    r"""Returns a search space as distributions for scikit-learn.

    Each hyperparameter has the scale that it has in keras-tuner: logarithms are
    `scipy.stats.loguniform`, $\beta$ of `one_minus_log_uniform` is
    `OneMinusLogUniform`, others are uniform or lists. For a conditional one a
    value is always drawn, and ignored where it does not apply.

    Args:
        space: A `keras_tuner.HyperModel`, or a function from
            `HyperParameters` to a compiled model.

    Returns:
        A dict from name to distribution, for `RandomizedSearchCV` with a
        `SpaceClassifier` of the same space.

    Example:

    >>> def build(hp):
    ...     model = keras.Sequential([keras.layers.Dense(3, "softmax")])
    ...     rate = log_uniform(hp, "learning_rate", 1e-4, 1.0)
    ...     model.compile(keras.optimizers.SGD(rate), "mse")
    ...     return model
    >>> sklearn_space(build)["learning_rate"].support()
    (0.0001, 1.0)
    """
    oracle = keras_tuner.Oracle(objective="loss")
    with (
        tempfile.TemporaryDirectory() as folder,
        contextlib.redirect_stdout(io.StringIO()),
    ):
        # It builds a model for each branch of conditions.
        keras_tuner.Tuner(oracle, as_hypermodel(space), directory=folder)
    return {
        to_display(parameter.name, 0)[0]: _distribution(parameter)
        for parameter in oracle.get_space().space
    }


class OneMinusLogUniform:
    r"""A distribution of $\beta$ with $\log (1 - \beta)$ uniform.

    Args:
        low: Lower bound, above 0.
        high: Upper bound, below 1.

    Raises:
        ValueError: If not `0 < low < high < 1`.

    Example:

    >>> beta = OneMinusLogUniform(0.9, 0.999)
    >>> float(np.median(beta.rvs(10_001, random_state=0)).round(2))
    0.99
    """

    def __init__(self, low: float, high: float) -> None:
        if not 0 < low < high < 1:
            raise ValueError(
                "The bounds of OneMinusLogUniform must satisfy "
                f"0 < low < high < 1. Received: low={low}, high={high}"
            )
        self.low = low
        self.high = high

    def rvs(self, size: Any = None, random_state: Any = None) -> Any:
        """Draws, as the distributions of `scipy.stats` do."""
        complement = scipy.stats.loguniform(1 - self.high, 1 - self.low)
        drawn = 1 - complement.rvs(size or 1, random_state=random_state)
        return drawn if size else float(drawn[0])

    def __repr__(self):
        return f"OneMinusLogUniform({self.low}, {self.high})"


def _distribution(parameter):
    every = regions.categories(parameter)
    if every is not None:
        return list(every)
    low, high = parameter.min_value, parameter.max_value
    axis = scale_of(parameter.name, parameter.sampling)
    if axis == "one_minus_log":
        return OneMinusLogUniform(round(1 - high, 15), round(1 - low, 15))
    whole = isinstance(parameter.min_value, int)
    if whole and parameter.sampling == "linear" and parameter.step == 1:
        return scipy.stats.randint(low, high + 1)
    if not whole and parameter.step is None and parameter.sampling == "linear":
        return scipy.stats.uniform(low, high - low)
    if not whole and parameter.step is None and axis == "log":
        return scipy.stats.loguniform(low, high)
    return _OnScale(parameter)


class _OnScale:
    """Draws as keras-tuner does, where `scipy.stats` has no such scale."""

    def __init__(self, parameter):
        self._parameter = parameter

    def rvs(self, size=None, random_state=None):
        uniform = scipy.stats.uniform.rvs(
            size=size or 1, random_state=random_state
        )
        drawn = [regions.value_at(self._parameter, u) for u in uniform]
        return np.array(drawn) if size else drawn[0]

    def __repr__(self):
        return repr(self._parameter)
