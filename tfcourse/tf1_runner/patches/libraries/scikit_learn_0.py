"""Scikit-learn 0.17 to 0.22: names that it had, and what was taken."""

import functools
import inspect

from tfcourse.tf1_runner.patches.libraries.added import add, taking

_RENAMED = {
    "AgglomerativeClustering": {"affinity": "metric"},
    "OneHotEncoder": {"sparse": "sparse_output"},
    "TSNE": {"n_iter": "max_iter"},
}
# What has no more effect, or is chosen by itself.
_IGNORED = {
    "GridSearchCV": ("iid", "fit_params"),
    "KMeans": ("n_jobs", "precompute_distances"),
    "LogisticRegression": ("multi_class",),
    "MiniBatchKMeans": ("n_jobs",),
    "OneHotEncoder": ("n_values", "categorical_features"),
    "RandomizedSearchCV": ("iid", "fit_params"),
}
_OF_TREES = ("GradientBoosting", "RandomForest", "ExtraTrees", "DecisionTree")
_WORDS = {
    "loss": {"deviance": "log_loss", "ls": "squared_error"},
    "max_features": {"auto": "sqrt"},
}


def _any_module(module):
    """Lets estimators and functions be given what has to be named today."""
    for name, value in list(vars(module).items()):
        if name.startswith("_"):
            continue
        if inspect.isclass(value) and hasattr(value, "get_params"):
            value.__init__ = _initialize(name, value.__init__)
        elif inspect.isfunction(value):
            setattr(module, name, taking(value))


def _initialize(name, initialize):
    if getattr(initialize, "_takes_old_arguments", False):
        return initialize
    today = taking(initialize, _RENAMED.get(name), _IGNORED.get(name, ()))

    @functools.wraps(today)  # It reads the signature.
    def call(self, *args, **kwargs):
        for argument, words in _WORDS.items():
            value = kwargs.get(argument)
            if isinstance(value, str) and name.startswith(_OF_TREES):
                kwargs[argument] = words.get(value, value)
        today(self, *args, **kwargs)

    call._takes_old_arguments = True
    return call


def _preprocessing(preprocessing):
    _any_module(preprocessing)
    add(preprocessing, Imputer=_imputer)
    for name in ("StandardScaler", "MinMaxScaler"):
        _accept_vectors(getattr(preprocessing, name))


def _accept_vectors(scaler):
    """A vector was one feature until version 0.19."""
    import numpy as np

    def of_columns(method):
        @functools.wraps(method)
        def call(self, x, *args, **kwargs):
            if np.ndim(x) != 1:
                return method(self, x, *args, **kwargs)
            result = method(self, np.reshape(x, (-1, 1)), *args, **kwargs)
            return result if result is self else result.ravel()

        return call

    for name in ("fit", "transform", "inverse_transform"):
        setattr(scaler, name, of_columns(getattr(scaler, name)))


def _imputer(missing_values="NaN", strategy="mean", axis=0, **_):
    """Returns what fills gaps by columns; by rows it was little used."""
    from sklearn.impute import SimpleImputer

    if axis:
        raise ValueError(
            "`axis=1` of Imputer is not in today's scikit-learn: transpose."
        )
    nan = float("nan")
    missing = nan if missing_values == "NaN" else missing_values
    return SimpleImputer(missing_values=missing, strategy=strategy)


def _metrics(metrics):
    _any_module(metrics)
    error = metrics.mean_squared_error

    @functools.wraps(error)
    def mean_squared_error(*args, squared=True, **kwargs):
        mse = error(*args, **kwargs)
        return mse if squared else mse**0.5

    metrics.mean_squared_error = mean_squared_error
    add(metrics, jaccard_similarity_score=metrics.accuracy_score)


def _text(text):
    _any_module(text)
    for name in ("CountVectorizer", "TfidfVectorizer"):
        kind = getattr(text, name)
        add(kind, get_feature_names=lambda s: list(s.get_feature_names_out()))


def _decomposition(decomposition):
    _any_module(decomposition)
    randomized = functools.partial(decomposition.PCA, svd_solver="randomized")
    add(decomposition, RandomizedPCA=randomized)


def _mixture(mixture):
    _any_module(mixture)
    add(mixture, GMM=mixture.GaussianMixture)


_MODULES = (
    *("cluster", "datasets", "ensemble", "linear_model", "manifold"),
    *("model_selection", "naive_bayes", "neighbors", "neural_network"),
    *("svm", "tree"),
)
PATCHES = {f"sklearn.{name}": _any_module for name in _MODULES} | {
    "sklearn.decomposition": _decomposition,
    "sklearn.feature_extraction.text": _text,
    "sklearn.metrics": _metrics,
    "sklearn.mixture": _mixture,
    "sklearn.preprocessing": _preprocessing,
}
