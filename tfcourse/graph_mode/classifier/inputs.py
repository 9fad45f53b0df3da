"""Examples and classes, as a network can take them."""

import numpy as np

from tfcourse.errors import InputError


def checked_features(x: object, shape: tuple[int, ...]) -> np.ndarray:
    """Returns examples of a shape in float32."""
    x = np.asarray(x)
    if x.shape[1:] != shape or x.dtype.kind not in "biuf" or not len(x):
        raise InputError(
            "`x` must be numbers of shape "
            f"({', '.join(map(str, ('m', *shape)))}), one example or "
            f"more. Received: shape {x.shape}, dtype {x.dtype}"
        )
    return x.astype("float32", copy=False)


def checked_labels(y: object, count: int, classes: int) -> np.ndarray:
    """Returns the classes of so many examples in int32."""
    y = np.asarray(y)
    whole = y.dtype.kind in "iu" and y.shape == (count,)
    if not whole or y.min() < 0 or y.max() >= classes:
        raise InputError(
            f"`y` must hold a class, an integer from 0 to {classes - 1}, for "
            f"each of the {count} examples. Received: shape {y.shape}, dtype "
            f"{y.dtype}. If it is one-hot, give `y.argmax(axis=-1)`."
        )
    return y.astype("int32")
