"""The layers between the columns of a table and a network."""

import collections
import re
import warnings
from collections.abc import Iterable, Sequence

import keras
import numpy as np
from keras import ops

from tfcourse.data.table.columns import Column
from tfcourse.layers.columns.calendar_parts import PARTS, CalendarParts
from tfcourse.layers.columns.fill_missing import FillMissing
from tfcourse.layers.columns.standardize import Standardize

# What is rarer, or comes after so many, shares the place of unknown values.
_RARE = 5
_MOST_CATEGORIES = 100
_MOST_WORDS = 1000


def preprocessing_model(
    columns: Sequence[Column], x: dict[str, np.ndarray]
) -> keras.Model:
    """Returns the model from the columns of a table to features of a network.

    Numbers, booleans and dates become features of mean 0 and variance 1, their
    missing values the median, with a feature that says so where some were
    missing. Of a date, the parts that vary become features. A category becomes
    one feature a value, with one for rare and unknown values if there are any;
    a missing value is a value of its own. Free text becomes a feature a word,
    $\\text{tf-idf}$ of length 1.

    Args:
        columns: What they are.
        x: The values of the training set, by name.

    Returns:
        A model from a dict of tensors, `(m,)` each, to float32 `(m, n)`.
    """
    inputs = {column.name: _input(column) for column in columns}
    features = [
        *_numbers(columns, x, inputs),
        *_categories(columns, x, inputs),
        *_texts(columns, x, inputs),
    ]
    if len(features) > 1:
        features = [keras.layers.Concatenate(dtype="float32")(features)]
    return model_of_columns(inputs, features[0])


def model_of_columns(inputs: dict, outputs: keras.KerasTensor) -> keras.Model:
    """Returns a model of a dict of inputs.

    Keras warns of a key that is not its input's name, which it never is where
    a column's name has a slash, as in km/h.
    """
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "When providing `inputs` as a dict")
        return keras.Model(inputs, outputs)


def _input(column):
    dtype = "float64" if column.numeric else "string"
    # Keras lets no layer have a slash in its name.
    name = column.name.replace("/", "\N{DIVISION SLASH}")
    return keras.Input((), name=name, dtype=dtype)


def _numbers(columns, x, inputs):
    """Returns what numbers become: their features, and marks of gaps."""
    own = [column for column in columns if column.numeric]
    if not own:
        return []
    raw = np.stack([x[column.name] for column in own], axis=1)
    gaps = np.isnan(raw)
    medians = [
        float(np.median(v[~gap])) if not gap.all() else 0.0
        for v, gap in zip(raw.T, gaps.T, strict=True)
    ]
    # Where all were missing there is no telling gaps from values.
    some = np.flatnonzero(gaps.any(axis=0) & ~gaps.all(axis=0))
    fill = FillMissing(medians, some, name="fill_missing")
    stacked = ops.stack([inputs[column.name] for column in own], axis=-1)
    filled, marks = fill(stacked)
    dates = [i for i, column in enumerate(own) if column.kind == "date"]
    others = [i for i in range(len(own)) if i not in dates]
    values = np.where(gaps, medians, raw)
    parts = []
    if others:
        picked = ops.take(filled, np.array(others), axis=1) if dates else filled
        parts.append((picked, values[:, others]))
    parts += [_date_parts(filled[:, i], values[:, i]) for i in dates]
    tensors, known = zip(*parts, strict=True)
    known = np.concatenate(known, axis=1)
    joined = (
        keras.layers.Concatenate(dtype="float64")(tensors)
        if len(tensors) > 1
        else tensors[0]
    )
    standardize = Standardize(
        known.mean(axis=0), _deviation(known), name="standardize"
    )
    return [standardize(joined), *([marks] if len(some) else [])]


def _deviation(values):
    """Returns the standard deviations, exactly 0 of what never varied."""
    return np.where(np.ptp(values, axis=0) == 0, 0.0, values.std(axis=0))


def _date_parts(tensor, seconds):
    """Returns the parts of a date that vary, as tensor and as values."""
    found = ops.convert_to_numpy(CalendarParts()(seconds))
    vary = np.flatnonzero(np.ptp(found, axis=0) > 0)
    # At least one, so that there is something to join.
    vary = vary if len(vary) else np.array([0])
    layer = CalendarParts([PARTS[i] for i in vary])
    return layer(tensor), found[:, vary]


def _categories(columns, x, inputs):
    for column in columns:
        if column.kind != "category":
            continue
        known, rest = common_values(x[column.name])
        lookup = keras.layers.StringLookup(
            vocabulary=known,
            output_mode="one_hot",
            # Such as no column has.
            oov_token="[none of them]",
            dtype="float32",
        )
        codes = lookup(inputs[column.name])
        # Its weights would never be trained if nothing was rare.
        yield codes if rest else codes[:, 1:]


def common_values(values: np.ndarray) -> tuple[list[str], int]:
    """Returns the values of a category that get a feature of their own.

    Args:
        values: Of the training set.

    Returns:
        The values, the commonest first, and how many examples have others:
        five of them at least in all, or none. The rarest get no feature, below
        five examples (fewer in a set of less than 400).
    """
    counts = collections.Counter(values.tolist())
    least = min(_RARE, 1 + -(-len(values) // 100))
    order = sorted(counts, key=lambda value: (-counts[value], value))
    known = [v for v in order[:_MOST_CATEGORIES] if counts[v] >= least]
    # One value and no other would be no category.
    known = known or order[:1]
    return known, len(values) - sum(counts[value] for value in known)


def _texts(columns, x, inputs):
    for column in columns:
        if column.kind == "text":
            yield _text(x[column.name], inputs[column.name])


def _text(values, tensor):
    chinese = sum(bool(_CHINESE.search(value)) for value in values)
    layer = keras.layers.TextVectorization(
        max_tokens=_MOST_WORDS,
        output_mode="tf_idf",
        # Chinese has no spaces between words.
        split="character" if 2 * chinese > len(values) else "whitespace",
    )
    layer.adapt(ops.convert_to_tensor(values))
    return keras.layers.UnitNormalization(dtype="float32")(layer(tensor))


_CHINESE = re.compile(r"[\u3040-\u30ff\u4e00-\u9fff]")


def unseen(values: Iterable[str], known: Iterable[str]) -> list[str]:
    """Returns the values that are not known, in their order."""
    known = set(known)
    return [value for value in dict.fromkeys(values) if value not in known]
