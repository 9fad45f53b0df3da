"""What an exported model says of the examples in a file."""

import os
import pathlib
from collections.abc import Callable, Collection, Iterable, Iterator
from typing import TYPE_CHECKING, Any

import numpy as np

from tfcourse.data.chunks import ArrayReader, Chunk, TableReader
from tfcourse.errors import InputError
from tfcourse.export.loading import endpoint, load_saved_model

if TYPE_CHECKING:
    import pandas

# The columns of a classifier's answers.
PREDICTED = ("predicted", "probability")


class Predictor:
    """An exported model that answers for arrays of examples.

    Args:
        path: A SavedModel of one input.
        name: The endpoint to call; by default `classify` if there is one, else
            `serve` or the default one.

    Attributes:
        metadata: What its exporter wrote down, a dict.
        shape: The shape of an example, `None` where it may be any.
        classifies: Whether it gives a class and its probability.

    Raises:
        InputError: If `path` is no SavedModel, has no such endpoint or takes
            several inputs.
    """

    def __init__(
        self, path: str | os.PathLike, name: str | None = None
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
        if len(inputs) != 1:
            raise InputError(
                f"The endpoint {name!r} of {path} takes {len(inputs)} inputs "
                f"({', '.join(sorted(inputs))}), and a table can give one. "
                "Load it with `tf.saved_model.load` instead."
            )
        ((self._input, self._spec),) = inputs.items()
        dtype, shape = self._spec.dtype, self._spec.shape
        if not (dtype.is_floating or dtype.is_integer) or not shape.rank:
            raise InputError(
                f"The endpoint {name!r} of {path} takes {dtype.name} of shape "
                f"{shape}, and a table gives rows of numbers. Load it with "
                "`tf.saved_model.load` instead."
            )
        self.shape = tuple(shape[1:])
        outputs = self._signature.structured_outputs
        self.classifies = {"label", "probability"} <= set(outputs)

    def __call__(self, features: np.ndarray) -> dict[str, np.ndarray]:
        """Returns columns of answers for features `(m, ...)`, by name."""
        import tensorflow as tf

        given = tf.cast(features, self._spec.dtype)
        answer = self._signature(**{self._input: given})
        if not self.classifies:
            return _flat(answer, len(features))
        labels = answer["label"].numpy()
        if labels.dtype == object:
            labels = np.array([label.decode() for label in labels])
        probability = answer["probability"].numpy().round(6)
        return dict(zip(PREDICTED, (labels, probability), strict=True))

    def examples(
        self,
        table: str | os.PathLike,
        *,
        apart: Collection[str] = (),
        on_bad: Callable[[str], object] | None = None,
    ) -> TableReader | ArrayReader:
        """Returns the examples of a file, in the form that the model takes.

        Args:
            table: A CSV or Parquet file with the columns that the model was
                trained on, in any order; or an `.npz` file with an array `x`,
                for a model trained on such.
            apart: Columns that are no features.
            on_bad: As for `TableReader`.

        Raises:
            InputError: If they do not fit.
        """
        names = self.metadata.get("feature_names")
        if pathlib.Path(table).suffix.lower() == ".npz":
            examples = ArrayReader(table)
            shape = next(iter(examples)).features.shape[1:]
        else:
            examples = TableReader(
                table,
                names,
                apart=apart,
                ranges=self.metadata.get("ranges"),
                on_bad=on_bad,
            )
            shape = (len(examples.names),)
        if len(shape) != len(self.shape) or any(
            wanted not in (None, size)
            for size, wanted in zip(shape, self.shape, strict=True)
        ):
            raise InputError(
                f"The examples of {table} have shape {shape}; the model takes "
                f"{self.shape}."
            )
        return examples


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
                f"The table has a column {taken[0]!r} already, as the answers "
                "are called. Rename it."
            )
        yield {**chunk.others, **answers}


def predict_table(
    path: str | os.PathLike, table: str | os.PathLike
) -> "pandas.DataFrame":
    """Returns a table with the predicted class of each row.

    Args:
        path: A SavedModel of one input.
        table: As for `Predictor.examples`.

    Returns:
        A `pandas.DataFrame`: what else is in the table, `predicted` and
        `probability`, or the outputs of a model that is no classifier.

    Raises:
        InputError: If either cannot be used.
    """
    import pandas as pd

    predictor = Predictor(path)
    parts = predictions(predictor, predictor.examples(table))
    return pd.concat(map(pd.DataFrame, parts), ignore_index=True)
