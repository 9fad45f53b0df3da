"""Small made-up data in the place of what Keras and scikit-learn download."""

import functools
import sys

import numpy as np

from tfcourse.tf1_runner.environment.keras_datasets import serve_keras

# Of CIFAR-10's images for training, pixels from 0 to 1.
_CIFAR_MEAN = (0.4914, 0.4822, 0.4465)
_CIFAR_DEVIATION = (0.2470, 0.2435, 0.2616)
_VOCABULARY = 5000


def install(names: list[str], as_many: bool = False) -> None:
    """Makes the readers of data sets in this process give stand-ins.

    Args:
        names: Of `"cifar"`, `"text"` and `"housing"`.
        as_many: Whether CIFAR has 50,000 and 10,000 images, repeated.
    """
    if "cifar" in names:
        number = (50000, 10000) if as_many else (2000, 500)
        for name, classes in (("cifar10", 10), ("cifar100", 100)):
            load = functools.partial(_cifar, classes, number)
            serve_keras(name, load_data=load)
    if "text" in names:
        for name, classes in (("imdb", 2), ("reuters", 46)):
            load = functools.partial(_text, name, classes)
            serve_keras(name, load_data=load, get_word_index=_word_index)
    if "housing" in names:
        for name in ("boston_housing", "california_housing"):
            serve_keras(name, load_data=_boston_of_keras)
        _install_load_boston()


def _install_load_boston():
    from tfcourse.tf1_runner.imports import hooks

    def add(datasets):
        datasets.load_boston = _boston_of_scikit_learn

    hooks.after_import({"sklearn.datasets": add})


def _say(what):
    print(
        f"tfcourse: this is {what}; results show only that the script runs.",
        file=sys.stderr,
    )


def _cifar(classes, number, label_mode="fine"):
    """Returns blurred patterns, one a class, with noise, as CIFAR's images."""
    if label_mode == "coarse":
        classes = 20
    _say(f"made-up patterns in {classes} classes, not CIFAR")
    draw = np.random.default_rng(0)
    corners = draw.normal(size=(classes, 4, 4, 3))
    patterns = corners.repeat(8, axis=1).repeat(8, axis=2)
    labels = np.arange(2500) % classes
    draw.shuffle(labels)
    images = patterns[labels] + draw.normal(size=(2500, 32, 32, 3))
    images -= images.mean(axis=(0, 1, 2))
    images /= images.std(axis=(0, 1, 2))
    images = images * _CIFAR_DEVIATION + _CIFAR_MEAN
    images = np.round(images.clip(0, 1) * 255).astype("uint8")
    labels = labels[:, None].astype("int64")
    parts = (slice(2000), slice(2000, None))
    return tuple(
        (_repeated(images[part], most), _repeated(labels[part], most))
        for part, most in zip(parts, number, strict=True)
    )


def _repeated(array, number):
    return np.resize(array, (number, *array.shape[1:]))


def _text(
    name,
    classes,
    path=None,
    num_words=None,
    skip_top=0,
    maxlen=None,
    test_split=0.2,
    seed=113,
    start_char=1,
    oov_char=2,
    index_from=3,
    nb_words=None,
    **_,
):
    """Returns rows of words, common ones and those of their class."""
    _say(f"made-up words in {classes} classes, not {name}")
    draw = np.random.default_rng(seed)
    most = num_words or nb_words or _VOCABULARY
    labels = np.arange(1250) % classes
    draw.shuffle(labels)
    rows = [_row(draw, label, classes, maxlen or 200) for label in labels]
    rows = [
        [start_char, *(w + index_from for w in row)] if start_char else row
        for row in rows
    ]
    rows = [
        [w if skip_top <= w < most else oov_char for w in row] for row in rows
    ]
    x = np.empty(len(rows), dtype=object)
    x[:] = rows
    return (x[:1000], labels[:1000]), (x[1000:], labels[1000:])


def _row(draw, label, classes, longest):
    """Returns a text: every fourth word is one of ten of its class."""
    length = draw.integers(20, max(21, longest - 1))
    common = draw.zipf(1.3, length) % _VOCABULARY + 1
    own = 10 + label * 10 + draw.integers(0, 10, length)
    return np.where(draw.random(length) < 0.25, own, common).tolist()


def _word_index(*args, **kwargs):
    return {f"word{n}": n for n in range(1, _VOCABULARY + 1)}


_FEATURES = (
    *("CRIM", "ZN", "INDUS", "CHAS", "NOX", "RM", "AGE", "DIS", "RAD"),
    *("TAX", "PTRATIO", "B", "LSTAT"),
)


def _boston():
    """Returns 506 rows of 13 columns, and a linear function with noise."""
    _say("a made-up table of 506 rows, not the housing data")
    draw = np.random.default_rng(0)
    x = draw.gamma(2.0, 1.0, size=(506, len(_FEATURES)))
    slopes = np.linspace(-1.5, 1.5, len(_FEATURES))
    y = 22.5 + (x - 2) @ slopes + draw.normal(0, 2, 506)
    return x, y.clip(5, 50)


def _boston_of_keras(path=None, test_split=0.2, seed=113):
    x, y = _boston()
    first = int(len(x) * (1 - test_split))
    return (x[:first], y[:first]), (x[first:], y[first:])


def _boston_of_scikit_learn(return_X_y=False):  # noqa: N803
    from sklearn.utils import Bunch

    x, y = _boston()
    if return_X_y:
        return x, y
    names = np.array(_FEATURES)
    return Bunch(data=x, target=y, feature_names=names, DESCR="A stand-in.")
