"""A data set made ready to train on."""

import dataclasses
import functools
import pathlib
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from tfcourse import data
from tfcourse.data.image_folders import are_images, read_image_folder
from tfcourse.data.table.dataset import TableDataset
from tfcourse.data.table.files.formulas import as_text
from tfcourse.data.table.other_files import with_files
from tfcourse.errors import InputError
from tfcourse.runs.settings import Settings, names_file

if TYPE_CHECKING:
    import keras

Part = Literal["train", "dev", "test"]
# Features of examples: an array, or the values of each column by name.
Raw = np.ndarray | dict[str, np.ndarray]


@dataclasses.dataclass(frozen=True)
class PreparedData:
    """A data set, split, and what makes features of mean 0 and variance 1.

    Keras is loaded when the features are asked for, not before: a file that
    cannot be used is refused at once.

    Attributes:
        dataset: The `Dataset` or `TableDataset`, as it was read.
        split: The `Split`.
    """

    dataset: data.Dataset | TableDataset
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
    def preprocessing(self) -> Callable[[Any], Any]:
        """The layer or model from raw features to those of the network.

        Its statistics are those of the training set.
        """
        raw = self.raw(self.split.train)
        if self.is_table:
            from tfcourse.runs.preprocessing import preprocessing_model

            return preprocessing_model(self.dataset.columns, raw)
        return _normalization(raw)

    @functools.cached_property
    def x(self) -> np.ndarray:
        """All features, as the network takes them."""
        return in_batches(self.preprocessing, self.dataset.x)

    @property
    def is_table(self) -> bool:
        """Whether the raw features are columns of their own."""
        return isinstance(self.dataset, TableDataset)

    @property
    def kind(self) -> str:
        """`"table"`, `"images"`, which have height and width, or `"arrays"`."""
        if self.is_table:
            return "table"
        return "images" if are_images(self.dataset.x.shape[1:]) else "arrays"

    @property
    def task(self) -> str:
        """`"classification"` or `"regression"`."""
        return getattr(self.dataset, "task", "classification")

    @property
    def input_shape(self) -> tuple[int, ...]:
        """The shape of one example, as the network takes it."""
        return self.x.shape[1:]

    @property
    def classes(self) -> int:
        """How many classes there are; 1 for regression."""
        return len(self.dataset.labels) or 1

    @functools.cached_property
    def target_scale(self) -> tuple[float, float]:
        """Mean and standard deviation of a regression's targets in training."""
        y = self.dataset.y[self.split.train]
        return float(y.mean()), float(y.std()) or 1.0

    @functools.cached_property
    def y(self) -> np.ndarray:
        """All classes; of a regression, targets of mean 0 and variance 1."""
        if self.task == "classification":
            return self.dataset.y
        mean, deviation = self.target_scale
        return ((self.dataset.y - mean) / deviation).astype("float32")

    def raw(self, positions: np.ndarray) -> Raw:
        """Returns features of some examples as they were read."""
        return _rows(self.dataset.x, positions)

    def part(self, name: Part) -> tuple[np.ndarray, np.ndarray]:
        """Returns features and targets of one set, as the network has them.

        Args:
            name: `"train"`, `"dev"` or `"test"`.
        """
        positions = getattr(self.split, name)
        return self.x[positions], self.y[positions]

    def with_dev_in_training(self) -> "PreparedData":
        """Returns the data with the development set in the training set."""
        split = self.split
        both = np.concatenate([split.train, split.dev])
        one = data.Split(both, split.dev[:0], split.test)
        return PreparedData(self.dataset, one)

    def check_folds(self, folds: int) -> None:
        """Raises unless the training set can be split into so many folds.

        Raises:
            InputError: If it, or a class, has fewer examples; names it.
        """
        y = self.dataset.y[self.split.train]
        if self.task == "regression":
            count, what = len(y), "the training set"
        else:
            counts = np.bincount(y, minlength=self.classes)
            count = counts.min()
            what = f"class {self.dataset.labels[int(counts.argmin())]!r}"
        if count < folds:
            raise InputError(
                f"--folds {folds} needs {folds} examples of each class; "
                f"{what} has {count}. Add examples, or ask for fewer folds."
            )

    def fit_settings(self, settings: Settings) -> dict[str, Any]:
        """Returns what `model.fit` takes beside the data.

        Of `class_weight="balanced"` each class has $m / (C \\, m_c)$.
        """
        if settings.class_weight is None:
            return {}
        counts = np.bincount(self.y[self.split.train])
        weights = counts.sum() / (len(counts) * counts)
        return {"class_weight": dict(enumerate(weights.tolist()))}

    def first_examples(self, count: int = 8) -> tuple[np.ndarray, np.ndarray]:
        """Returns features and targets of a few examples for training."""
        positions = self.split.train[:count]
        return self.x[positions], self.y[positions]

    def describe(self) -> dict[str, Any]:
        """Returns what `run.json` keeps of the data."""
        shape = (len(self.dataset.x),) if self.is_table else self.input_shape
        return {
            "name": self.dataset.name,
            "source": self.dataset.source,
            "fingerprint": self.dataset.fingerprint(),
            "examples": len(self.dataset),
            "shape": shape,
            "task": self.task,
            "classes": len(self.dataset.labels),
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
        if self.is_table:
            raw = self.raw(some)
            columns = {
                column.name: _written(column, raw[column.name])
                for column in self.dataset.columns
            }
            table = pd.DataFrame(columns)
        else:
            names = self.dataset.feature_names
            table = pd.DataFrame(self.dataset.x[some], columns=names)
        y = self.dataset.y[some]
        if self.task == "classification":
            y = [self.dataset.labels[i] for i in y]
        table[target] = y
        for name, dtype in table.dtypes.items():
            if dtype.kind == "O":
                table[name] = table[name].map(as_text)
        return table.rename(columns=as_text).to_csv(index=False)


def in_batches(
    function: Callable[[Any], Any], x: Raw, size: int = 4096
) -> np.ndarray:
    """Returns `function` of all examples, computed `size` at a time."""
    import keras

    m = len(next(iter(x.values())) if isinstance(x, dict) else x)
    batches = np.array_split(np.arange(m), -(-m // size))
    return np.concatenate(
        [
            keras.ops.convert_to_numpy(function(_tensors(_rows(x, batch))))
            for batch in batches
        ]
    )


def _rows(x, positions):
    if isinstance(x, dict):
        return {name: values[positions] for name, values in x.items()}
    return x[positions]


def _tensors(x):
    from keras import ops, tree

    if not isinstance(x, dict):
        return x
    return tree.map_structure(ops.convert_to_tensor, x)


def _normalization(x) -> "keras.layers.Normalization":
    r"""Returns the layer $(x - \mu) / \sigma$ of some examples."""
    import keras

    axes = tuple(range(x.ndim - 1))
    mean = x.mean(axis=axes, dtype="float64")
    variance = x.var(axis=axes, dtype="float64")
    # Keras divides a feature that never varied by 1e-7, so that the first
    # example in which it does would outweigh all else.
    variance[variance == 0] = 1
    return keras.layers.Normalization(mean=mean, variance=variance)


def _written(column, values):
    """Returns the values of a column as a file has them."""
    import pandas as pd

    if column.kind == "boolean":
        return pd.array(values, dtype="Float64").astype("boolean")
    if column.kind == "date":
        return pd.to_datetime(values, unit="s").strftime("%Y-%m-%dT%H:%M:%S.%f")
    if column.kind == "number" and not (values % 1 > 0).any():
        values = pd.array(values, dtype="Float64").astype("Int64")
    if column.unit:
        texts = pd.Series(values).astype("string")
        return texts + f" {column.unit}"
    return values


def _dataset(settings: Settings) -> data.Dataset | TableDataset:
    if not names_file(settings.data):
        settings.refuse_table_options()
        return data.load(settings.data)
    if pathlib.Path(settings.data).is_dir():
        settings.refuse_table_options()
        return read_image_folder(settings.data, settings.image_size)
    settings.refuse_image_size()
    if settings.data.lower().endswith(".npz"):
        settings.refuse_table_options(but="target")
        return data.read(settings.data, settings.target)
    dataset = data.read_table(settings.data, settings)
    if not (settings.dev or settings.test):
        return dataset
    return with_files(dataset, settings, settings.seed)
