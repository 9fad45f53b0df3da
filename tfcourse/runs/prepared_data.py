"""A data set made ready to train on."""

import dataclasses
import functools

import keras
import numpy as np

from tfcourse import data
from tfcourse.errors import InputError
from tfcourse.runs.settings import names_file


@dataclasses.dataclass(frozen=True)
class Examples:
    """A data set, split and normalised.

    Attributes:
        dataset: The `Dataset`, as it was read.
        split: The `Split`.
    """

    dataset: data.Dataset
    split: data.Split

    @classmethod
    def load(cls, settings):
        """Returns the examples that the `Settings` ask for.

        Raises:
            InputError: If the data cannot be used; see `data.read`.
        """
        dataset = _dataset(settings)
        return cls(dataset, data.split(dataset, settings.seed))

    @functools.cached_property
    def normalization(self):
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
    def x(self):
        """All features, normalised."""
        return in_parts(self.normalization, self.dataset.x)

    def part(self, name):
        """Returns normalised features and classes of one set.

        Args:
            name: `"train"`, `"dev"` or `"test"`.
        """
        positions = getattr(self.split, name)
        return self.x[positions], self.dataset.y[positions]

    def describe(self):
        """Returns what `run.json` keeps of the data."""
        return {
            "name": self.dataset.name,
            "source": self.dataset.source,
            "fingerprint": self.dataset.fingerprint(),
            "examples": len(self.dataset),
            "shape": self.dataset.x.shape[1:],
            "classes": len(self.dataset.labels),
            "train": len(self.split.train),
            "dev": len(self.split.dev),
            "test": len(self.split.test),
        }

    def arrays(self, at_most=20):
        """Returns some of the test set as arrays `x` and `y`."""
        some = self.split.test[:at_most]
        labels = np.array(self.dataset.labels)
        return {"x": self.dataset.x[some], "y": labels[self.dataset.y[some]]}

    def table(self, target, at_most=20):
        """Returns some of the test set as CSV, as a user would write it."""
        import pandas as pd

        some = self.split.test[:at_most]
        table = pd.DataFrame(
            self.dataset.x[some], columns=self.dataset.feature_names
        )
        table[target] = [self.dataset.labels[i] for i in self.dataset.y[some]]
        return table.to_csv(index=False)


def in_parts(function, x, size=4096):
    """Returns `function` of all examples, computed `size` at a time."""
    parts = np.array_split(x, -(-len(x) // size))
    return np.concatenate(
        [keras.ops.convert_to_numpy(function(part)) for part in parts]
    )


def _dataset(settings):
    if names_file(settings.data):
        return data.read(settings.data, settings.target)
    if settings.target is not None:
        raise InputError(
            "--target names the column of a file; the bundled data set "
            f"{settings.data!r} has its classes. Leave --target out."
        )
    return data.load(settings.data)
