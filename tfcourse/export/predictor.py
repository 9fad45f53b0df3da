"""What an exported model says of the examples in a file."""

import csv
import pathlib

import numpy as np

from tfcourse.data.chunks import ArrayReader, TableReader
from tfcourse.errors import InputError
from tfcourse.export.loading import endpoint, load_saved_model
from tfcourse.utils.atomic_files import replacing

_PREDICTED = ("predicted", "probability")


class Predictor:
    """An exported model that answers for arrays of examples.

    Args:
        path: A SavedModel of one input.
        name: The endpoint to ask; by default `classify` if there is one, else
            `serve` or the default one.

    Attributes:
        metadata: What its exporter wrote down, a dict.
        shape: The shape of an example, `None` where it may be any.
        classifies: Whether it gives a class and its probability.

    Raises:
        InputError: If `path` is no SavedModel, has no such endpoint or takes
            several inputs.
    """

    def __init__(self, path, name=None):
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

    def __call__(self, features):
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
        return dict(zip(_PREDICTED, (labels, probability), strict=True))

    def examples(self, table, *, apart=(), on_bad=None):
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


def predictions(predictor, examples):
    """Yields, a piece at a time, a dict of columns: the others and answers.

    Raises:
        InputError: If a column has the name of an answer.
    """
    for piece in examples:
        answers = predictor(piece.features)
        taken = sorted(piece.others.keys() & answers.keys())
        if taken:
            raise InputError(
                f"The table has a column {taken[0]!r} already, as the answers "
                "are called. Rename it."
            )
        yield {**piece.others, **answers}


def predict_table(path, table):
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


def write_predictions(pieces, file, advance=None):
    """Writes `predictions` as CSV to an open text file.

    Args:
        pieces: As `predictions` yields them.
        file: Where to write.
        advance: Called with the number of rows after each piece.

    Returns:
        How many rows were written.
    """
    writer = csv.writer(file, lineterminator="\n")
    count = 0
    for piece in pieces:
        if not count:
            writer.writerow(piece)
        rows = list(zip(*piece.values(), strict=True))
        writer.writerows(rows)
        count += len(rows)
        if advance:
            advance(len(rows))
    return count


def check_out(out, overwrite=False):
    """Raises unless predictions may be written to a path.

    Raises:
        InputError: If it exists and is not to be replaced, or is a folder.
    """
    out = pathlib.Path(out)
    if out.is_dir():
        raise InputError(f"{out} is a folder. Choose another --out.")
    if out.exists() and not overwrite:
        raise InputError(
            f"{out} exists already. Choose another --out, or replace it with "
            "--overwrite."
        )


def predict_file(pieces, out, advance=None, *, overwrite=False):
    """Writes `predictions` to a CSV file, whole or not at all.

    Raises:
        InputError: As `check_out`.
    """
    check_out(out, overwrite)
    with (
        replacing(out) as beside,
        beside.open("w", encoding="utf-8", newline="") as file,
    ):
        return write_predictions(pieces, file, advance)


def evaluate(predictor, examples, target, advance=None):
    """Compares a classifier's answers with the classes in a table.

    Args:
        predictor: A `Predictor` that classifies.
        examples: Of `Predictor.examples`, the target among its others.
        target: Name of the column with the classes.
        advance: Called with the number of rows after each piece.

    Returns:
        A dict: `accuracy`, `examples`, `labels`, `confusion` (a row for each
        class in the table, a column for each predicted), and for each label in
        `classes` its `precision`, `recall`, `f1-score` and `support`, all as
        scikit-learn computes them.

    Raises:
        InputError: If the model is no classifier, or the table has a class
            that the model does not know.
    """
    from sklearn.metrics import classification_report, confusion_matrix

    if not predictor.classifies:
        raise InputError(
            "The model has no endpoint that classifies. Export it with labels."
        )
    true, predicted = [], []
    for piece in predictions(predictor, examples):
        true += [_text(value) for value in piece[target]]
        predicted += [_text(value) for value in piece[_PREDICTED[0]]]
        if advance:
            advance(len(piece[target]))
    labels = [_text(label) for label in predictor.metadata.get("labels") or ()]
    labels = labels or sorted({*true, *predicted})
    unknown = sorted(set(true) - set(labels))
    if unknown:
        raise InputError(
            f"Column {target!r} has the class {unknown[0]!r}, which the model "
            f"does not know. It knows: {', '.join(labels)}."
        )
    report = classification_report(
        true, predicted, labels=labels, output_dict=True, zero_division=0
    )
    right = sum(a == b for a, b in zip(true, predicted, strict=True))
    return {
        "examples": len(true),
        "accuracy": right / len(true),
        "labels": labels,
        "confusion": confusion_matrix(true, predicted, labels=labels).tolist(),
        "classes": {label: report[label] for label in labels},
    }


def _text(value):
    """Returns a class as text, by which a table's and a model's compare."""
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return str(value).strip()
