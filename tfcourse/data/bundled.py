"""The data sets that come with scikit-learn: real, small, no download."""

import importlib

from tfcourse.data.dataset import Dataset
from tfcourse.errors import InputError
from tfcourse.utils.validation import unknown_name

# Name -> (loader in `sklearn.datasets`, examples, shape of an example, classes,
# source). The shapes are written down so that listing them reads no data; a
# test compares them with the data.
BUNDLED = {
    "digits": (
        "load_digits",
        1797,
        (64,),
        10,
        "Scanned handwritten digits, 8×8 pixels, 0 to 16 (UCI, Alpaydin and "
        "Kaynak 1998)",
    ),
    "breast_cancer": (
        "load_breast_cancer",
        569,
        (30,),
        2,
        "Cell nuclei of breast tumours, malignant or benign (UCI, Wolberg et "
        "al. 1995)",
    ),
    "wine": (
        "load_wine",
        178,
        (13,),
        3,
        "Chemical analysis of wines of three growers (UCI, Aeberhard and "
        "Forina 1992)",
    ),
    "iris": (
        "load_iris",
        150,
        (4,),
        3,
        "Sepals and petals of three species of iris (Fisher 1936)",
    ),
}


def load(name: str) -> Dataset:
    """Returns a bundled data set.

    Args:
        name: A key of `BUNDLED`.

    Returns:
        A `Dataset`; `x` has shape `(m, n)` in the units of the source.

    Raises:
        InputError: If there is no such data set; names the nearest.
    """
    if name not in BUNDLED:
        raise InputError(unknown_name("data set", name, BUNDLED))
    loader, *_, source = BUNDLED[name]
    bunch = getattr(importlib.import_module("sklearn.datasets"), loader)()
    return Dataset.from_labels(
        name,
        bunch.data,
        bunch.target_names[bunch.target],
        feature_names=tuple(map(str, bunch.feature_names)),
        source=source,
    )


def describe() -> list[dict]:
    """Returns a row for each bundled data set, without reading it.

    Returns:
        A list of dicts with `name`, `examples`, `shape`, `classes`, `source`.
    """
    keys = ("examples", "shape", "classes", "source")
    return [
        {"name": name, **dict(zip(keys, row[1:], strict=True))}
        for name, row in BUNDLED.items()
    ]
