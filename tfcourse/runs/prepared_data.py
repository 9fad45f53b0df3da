"""A data set made ready to train on."""

import dataclasses
import functools
from collections.abc import Callable
from typing import Any, Literal

import keras
import numpy as np

from tfcourse import data
from tfcourse.errors import InputError
from tfcourse.runs.settings import Settings, names_file

Part = Literal["train", "dev", "test"]


@dataclasses.dataclass(frozen=True)
class PreparedData:
    """A data set, split, its features with mean 0 and variance 1.

    Attributes:
        dataset: The `Dataset`, as it was read.
        split: The `Split`.
    """

    dataset: data.Dataset
    split: data.Split

    @classmethod
    def load(cls, settings: Settings) -> "PreparedData":
        """Returns the data that the `Settings` name.

        Raises:
            InputError: If the data cannot be used; see `data.read`.
        """
        dataset = _dataset(settings)
        return cls(dataset, data.split(dataset, settings.seed))

    @functools.cached_property
    def normalization(self) -> keras.layers.Normalization:
        r"""The layer $(x - \mu) / \sigma$ of the training set's statistics."""
        x = self.dataset.x[self.split.train]
        axes = tuple(range(x.ndim - 1))
        mean = x.mean(axis=axes, dtype="float64")
        variance = x.var(axis=axes, dtype="float64")
        # Keras divides a feature that never varied by 1e-7, so that the first
        # example in which it does would outweigh all else.
        variance[variance == 0] = 1
        return keras.layers.Normalization(mean=mean, variance=variance)

    @functools.cached_property
    def x(self) -> np.ndarray:
        """All features, normalised."""
        return in_batches(self.normalization, self.dataset.x)

    @property
    def input_shape(self) -> tuple[int, ...]:
        """The shape of one example."""
        return self.dataset.x.shape[1:]

    @property
    def classes(self) -> int:
        """How many classes there are."""
        return len(self.dataset.labels)

    def part(self, name: Part) -> tuple[np.ndarray, np.ndarray]:
        """Returns normalised features and classes of one set.

        Args:
            name: `"train"`, `"dev"` or `"test"`.
        """
        positions = getattr(self.split, name)
        return self.x[positions], self.dataset.y[positions]

    def first_examples(self, count: int = 8) -> tuple[np.ndarray, np.ndarray]:
        """Returns normalised features and classes of a few for training."""
        positions = self.split.train[:count]
        return self.x[positions], self.dataset.y[positions]

    def describe(self) -> dict[str, Any]:
        """Returns what `run.json` keeps of the data."""
        return {
            "name": self.dataset.name,
            "source": self.dataset.source,
            "fingerprint": self.dataset.fingerprint(),
            "examples": len(self.dataset),
            "shape": self.input_shape,
            "classes": self.classes,
            "train": len(self.split.train),
            "dev": len(self.split.dev),
            "test": len(self.split.test),
        }

    def example_arrays(self, at_most: int = 20) -> dict[str, np.ndarray]:
        """Returns some of the test set as arrays `x` and `y`."""
        some = self.split.test[:at_most]
        labels = np.array(self.dataset.labels)
        return {"x": self.dataset.x[some], "y": labels[self.dataset.y[some]]}

    def example_table(self, target: str, at_most: int = 20) -> str:
        """Returns some of the test set as CSV, as a user would write it."""
        import pandas as pd

        some = self.split.test[:at_most]
        table = pd.DataFrame(
            self.dataset.x[some], columns=self.dataset.feature_names
        )
        table[target] = [self.dataset.labels[i] for i in self.dataset.y[some]]
        return table.to_csv(index=False)


def in_batches(
    function: Callable[[np.ndarray], Any], x: np.ndarray, size: int = 4096
) -> np.ndarray:
    """Returns `function` of all examples, computed `size` at a time."""
    batches = np.array_split(x, -(-len(x) // size))
    return np.concatenate(
        [keras.ops.convert_to_numpy(function(batch)) for batch in batches]
    )


def _dataset(settings: Settings) -> data.Dataset:
    if names_file(settings.data):
        return data.read(settings.data, settings.target)
    if settings.target is not None:
        raise InputError(
            "--target names the column of a file; the bundled data set "
            f"{settings.data!r} has its classes. Leave --target out."
        )
    return data.load(settings.data)
