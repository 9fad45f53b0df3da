"""A labelled data set in memory."""

import dataclasses
import hashlib
from typing import Any

import numpy as np

from tfcourse.errors import InputError


@dataclasses.dataclass(frozen=True)
class Dataset:
    """Examples with their classes.

    Attributes:
        name: What to call it.
        x: Features, shape `(m, ...)`, float32. The course writes the
            transpose, `(n, m)`.
        y: Classes as positions in `labels`, shape `(m,)`, int32.
        labels: The classes as the user wrote them, in sorted order.
        feature_names: A name for each column of `x`, if it has columns.
        source: Where it comes from, in a sentence.
    """

    name: str
    x: np.ndarray
    y: np.ndarray
    labels: tuple
    feature_names: tuple[str, ...] | None = None
    source: str = ""

    @classmethod
    def from_labels(
        cls, name: str, x: Any, labels: Any, **kwargs: Any
    ) -> "Dataset":
        """Returns a data set with the classes coded, after checking it.

        Args:
            name: What to call it.
            x: Features, shape `(m, ...)`, numbers.
            labels: The class of each example, shape `(m,)`. Integers, floats,
                booleans and text are kept; anything else becomes text.
            **kwargs: Further attributes.

        Raises:
            InputError: If there is one class only, a class of fewer than three
                examples, or fewer examples than three times the classes: then
                training, development and test set cannot each have them.
        """
        labels, y = coded(name, _plain(labels))
        return cls(
            name=name,
            x=np.ascontiguousarray(x, dtype="float32"),
            y=y,
            labels=labels,
            **kwargs,
        )

    def fingerprint(self) -> str:
        """Returns a hash that changes whenever an example or a label does."""
        digest = hashlib.sha256()
        for part in (self.x, self.y):
            digest.update(f"{part.dtype}{part.shape}".encode())
            digest.update(np.ascontiguousarray(part).data)
        digest.update(repr((self.labels, self.feature_names)).encode())
        return digest.hexdigest()

    def __len__(self):
        return len(self.y)


# Arrays are classified; amounts are for tables.
_OF_ARRAYS = "Then save x and y as the columns of a .csv or .parquet file."


def coded(
    name: str, labels: np.ndarray, if_amounts: str = _OF_ARRAYS
) -> tuple[tuple, np.ndarray]:
    """Returns the classes in sorted order, and each example's position there.

    Args:
        name: What to call the data set in errors.
        labels: The class of each example, shape `(m,)`.
        if_amounts: What to do if they are amounts, a sentence.

    Raises:
        InputError: As `Dataset.from_labels`.
    """
    classes, y = np.unique(labels, return_inverse=True)
    if len(y) < 3 * len(classes):
        raise InputError(
            f"Data set {name!r} has {len(y)} examples of {len(classes)} "
            f"classes, fewer than three of each ({3 * len(classes)}). Is "
            f"the target an amount rather than a class? {if_amounts}"
        )
    if len(classes) < 2:
        raise InputError(
            f"Data set {name!r} has only one class, {classes.tolist()[0]!r}. "
            "A classifier needs at least two: choose another target."
        )
    counts = np.bincount(y)
    if counts.min() < 3:
        rare = classes.tolist()[int(counts.argmin())]
        raise InputError(
            f"Class {rare!r} of data set {name!r} has {counts.min()} of "
            f"the {len(y)} examples; each class needs at least three, one "
            "each for training, development and test set. Add examples or "
            "leave the class out."
        )
    return tuple(classes.tolist()), y.astype("int32")


def _plain(labels):
    """Returns labels of a type that JSON and TensorFlow have."""
    labels = np.asarray(labels)
    if labels.dtype.kind == "f" and _are_whole(labels):
        # One class, one spelling: 1.0 is the class 1.
        return labels.astype("int64")
    if labels.dtype.kind in "ibfU":
        return labels
    if labels.dtype.kind == "u" and labels.max(initial=0) < 2**63:
        return labels.astype("int64")
    return np.array([_text(label) for label in labels.tolist()])


def _are_whole(numbers):
    return (np.abs(numbers) < 2**53).all() and not (numbers % 1).any()


def _text(label):
    return label.decode() if isinstance(label, bytes) else str(label)
