"""What an exported model says of the examples in a file."""

import os
import pathlib
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from tfcourse.data.chunks import ArrayReader, Chunk, TableReader
from tfcourse.data.image_folders import ImageReader, are_images
from tfcourse.data.table.columns import Column
from tfcourse.data.table.spelling import spelled
from tfcourse.errors import InputError
from tfcourse.export.loading import endpoint, load_saved_model

if TYPE_CHECKING:
    import pandas

# The columns of a classifier's answers.
PREDICTED = ("predicted", "probability")


class Predictor:
    """An exported model that answers for examples.

    Args:
        path: A SavedModel of one input, or of the columns of a table.
        name: The endpoint to call; by default `classify` if there is one, else
            `serve` or the default one.
        probabilities: Whether a classifier gives that of each class.
        interval: Whether a regression gives an interval that holds nine of
            ten, by its errors on the development set.

    Attributes:
        metadata: What its exporter wrote down, a dict.
        columns: The `Column`s that it takes by name, if it does.
        shape: The shape of an example, `None` where it may be any.
        classifies: Whether it gives a class and its probability.
        regresses: Whether it gives an amount.

    Raises:
        InputError: If `path` is not a SavedModel, has no such endpoint, or
            takes several inputs that are not columns.
    """

    def __init__(
        self,
        path: str | os.PathLike,
        name: str | None = None,
        *,
        probabilities: bool = False,
        interval: bool = False,
    ) -> None:
        # The model is kept: its variables would be collected with it.
        self._model, self.metadata = load_saved_model(path)
        name = name or next(
            (
                known
                for known in ("classify", "serve", "serving_default")
                if known in self._model.signatures
            ),
            "serve",
        )
        self._signature = endpoint(self._model, name, path)
        inputs = self._signature.structured_input_signature[1]
        self.columns = columns_of(self.metadata)
        if self.columns:
            self._inputs = _inputs_of(self.metadata, inputs, path)
            self.shape = (len(self.columns),)
        else:
            self._input, self._spec = _only_input(inputs, name, path)
            self.shape = tuple(self._spec.shape[1:])
        outputs = self._signature.structured_outputs
        self.classifies = {"label", "probability"} <= set(outputs)
        self.regresses = self.metadata.get("task") == "regression"
        self._probabilities = probabilities
        self._margin = self.metadata.get("margin") if interval else None
        _check_wanted(self, path, probabilities, interval)

    def __call__(
        self, features: np.ndarray | dict[str, np.ndarray]
    ) -> dict[str, np.ndarray]:
        """Returns columns of answers, by name.

        Args:
            features: Shape `(m, ...)`; or the values of each column.
        """
        import tensorflow as tf

        if self.columns:
            m = len(next(iter(features.values())))
            given = {
                self._inputs[column]: tf.constant(values)
                for column, values in features.items()
            }
        else:
            m = len(features)
            given = {self._input: tf.cast(features, self._spec.dtype)}
        answer = self._signature(**given)
        if not self.classifies:
            flat = _flat(answer, m)
            if self.regresses and len(flat) == 1:
                return self._with_interval(next(iter(flat.values())))
            return flat
        labels = answer["label"].numpy()
        if labels.dtype == object:
            labels = np.array([label.decode() for label in labels])
        probability = answer["probability"].numpy().round(6)
        columns = dict(zip(PREDICTED, (labels, probability), strict=True))
        if self._probabilities:
            every = answer["probabilities"].numpy().round(6)
            for label, p in zip(self.metadata["labels"], every.T, strict=True):
                columns[f"probability of {spelled(label)}"] = p
        return columns

    def _with_interval(self, predicted):
        if self._margin is None:
            return {PREDICTED[0]: predicted}
        low, high = predicted - self._margin, predicted + self._margin
        return {PREDICTED[0]: predicted, "low": low, "high": high}

    def examples(
        self,
        table: str | os.PathLike,
        *,
        apart: Collection[str | Column] = (),
        on_bad: Callable[[str], object] | None = None,
        **text: str | None,
    ) -> TableReader | ArrayReader | ImageReader:
        """Returns the examples of a file, in the form that the model takes.

        Args:
            table: A CSV or Parquet file with the columns that the model was
                trained on, in any order; or an `.npz` file with an array `x`,
                for a model trained on such; or a folder of images.
            apart: Columns that are not features.
            on_bad: As for `TableReader`.
            **text: `encoding`, `separator` and `decimal` of a text file.

        Raises:
            InputError: If they do not fit.
        """
        examples = examples_for(
            self.metadata, table, apart=apart, on_bad=on_bad, **text
        )
        if isinstance(examples, ImageReader):
            shape = self.shape
        elif isinstance(examples, TableReader):
            shape = (len(examples.names),)
        else:
            shape = next(iter(examples)).features.shape[1:]
        if len(shape) != len(self.shape) or any(
            wanted not in (None, size)
            for size, wanted in zip(shape, self.shape, strict=True)
        ):
            raise InputError(
                f"The examples of {table} have shape {shape}; the model takes "
                f"{self.shape}."
            )
        return examples


def _check_wanted(predictor, path, probabilities, interval):
    """Raises unless a model can give what is wanted beside its answer."""
    labels = predictor.metadata.get("labels")
    if probabilities and not (predictor.classifies and labels):
        raise InputError(
            f"{path} has no classes, and so no probabilities. Leave out "
            "--probabilities."
        )
    if interval and "margin" not in predictor.metadata:
        raise InputError(
            f"{path} does not hold the errors on a development set that a "
            "regression by `tfcourse tune` holds. Leave out --interval."
        )


def examples_for(
    metadata: Mapping[str, Any], table: str | os.PathLike, **options: Any
) -> TableReader | ArrayReader | ImageReader:
    """Returns the examples of a file, as a model's metadata describe them.

    Without the model, and so at once.

    Args:
        metadata: What its exporter wrote down.
        table: As for `Predictor.examples`.
        **options: As there.

    Raises:
        InputError: If the file cannot be read, or lacks a column.
    """
    columns = columns_of(metadata)
    if pathlib.Path(table).is_dir():
        return ImageReader(table, _shape_of_images(metadata, table))
    if pathlib.Path(table).suffix.lower() == ".npz":
        if columns:
            raise InputError(
                f"The model takes columns by name, and {table} has no names. "
                "Give a table."
            )
        return ArrayReader(table)
    columns = columns or metadata.get("feature_names")
    return TableReader(table, columns, ranges=metadata.get("ranges"), **options)


def _shape_of_images(metadata, folder):
    shape = metadata.get("data", {}).get("shape", ())
    if not are_images(shape):
        raise InputError(
            f"The model does not take images, and {folder} is a folder. Give "
            "a file."
        )
    return shape


def columns_of(metadata: Mapping[str, Any]) -> list[Column] | None:
    """Returns the columns that a model takes by name, if it does."""
    columns = metadata.get("columns")
    return columns and [Column.from_json(column) for column in columns]


def _inputs_of(metadata, inputs, path):
    """Returns the input of each column."""
    names = {c["name"]: c.get("input") for c in metadata["columns"]}
    if set(names.values()) != set(inputs):
        raise InputError(
            f"The inputs of {path} ({', '.join(sorted(inputs))}) are not those "
            "that its `columns` say. Export it again."
        )
    return names


def _only_input(inputs, name, path):
    """Returns the name and the spec of the only input of an endpoint."""
    if len(inputs) != 1:
        raise InputError(
            f"The endpoint {name!r} of {path} takes {len(inputs)} inputs "
            f"({', '.join(sorted(inputs))}), and a table can give one. "
            "Load it with `tf.saved_model.load` instead."
        )
    ((own, spec),) = inputs.items()
    dtype, shape = spec.dtype, spec.shape
    if not (dtype.is_floating or dtype.is_integer) or not shape.rank:
        raise InputError(
            f"The endpoint {name!r} of {path} takes {dtype.name} of shape "
            f"{shape}, and a table gives rows of numbers. Load it with "
            "`tf.saved_model.load` instead."
        )
    return own, spec


def _flat(answer, m):
    """Returns outputs of any shape as columns, one a number.

    Raises:
        InputError: If they are no answers for `m` examples.
    """
    columns = {}
    for name, output in sorted(answer.items()):
        if output.shape[:1] != (m,):
            raise InputError(
                f"The output {name!r} has shape {output.shape} for {m} rows. "
                "Choose an --endpoint with an answer for each row."
            )
        output = output.numpy().reshape(m, -1)
        for i, column in enumerate(output.T):
            label = name if output.shape[1] == 1 else f"{name}_{i}"
            columns[label] = column
    return columns


def predictions(
    predictor: Predictor, examples: Iterable[Chunk]
) -> Iterator[dict[str, Any]]:
    """Yields, a chunk at a time, a dict of columns: the others and answers.

    Raises:
        InputError: If a column has the name of an answer.
    """
    for chunk in examples:
        answers = predictor(chunk.features)
        taken = sorted(chunk.others.keys() & answers.keys())
        if taken:
            raise InputError(
                f"The table already has a column {taken[0]!r}, which is the "
                "name of the answers. Rename it."
            )
        yield {**chunk.others, **answers}


def predict_table(
    path: str | os.PathLike, table: str | os.PathLike, **wanted: bool
) -> "pandas.DataFrame":
    """Returns a table with the predicted class of each row.

    Args:
        path: A SavedModel of one input.
        table: As for `Predictor.examples`.
        **wanted: `probabilities` or `interval`, as for `Predictor`.

    Returns:
        A `pandas.DataFrame`: what else is in the table, `predicted` and
        `probability`, or the outputs of a model that is no classifier.

    Raises:
        InputError: If either cannot be used.
    """
    import pandas as pd

    predictor = Predictor(path, **wanted)
    parts = predictions(predictor, predictor.examples(table))
    return pd.concat(map(pd.DataFrame, parts), ignore_index=True)
