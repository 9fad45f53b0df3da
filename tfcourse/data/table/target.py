"""The column to predict: classes, or numbers."""

import dataclasses
from typing import TYPE_CHECKING

import numpy as np

from tfcourse.data.dataset import coded
from tfcourse.data.table.files.rows import Places
from tfcourse.data.table.spelling import spelled
from tfcourse.data.table.values import is_text, numbers
from tfcourse.errors import InputError

if TYPE_CHECKING:
    import pyarrow

# Up to so many whole numbers are classes, if each has so many examples.
_FEW = 20
_EXAMPLES_EACH = 3
# From so many examples each on, more are not plainly numbers.
_CLASSES_OF = 10


@dataclasses.dataclass(frozen=True)
class Target:
    """What is to be predicted.

    Attributes:
        name: Of the column.
        task: `"classification"` or `"regression"`.
        y: Positions in `labels`, int32; or the numbers, float64. Shape `(m,)`.
        labels: The classes in sorted order; none for regression.
        recognised: What was decided without the user's say, in a sentence.
    """

    name: str
    task: str
    y: np.ndarray
    labels: tuple = ()
    recognised: str | None = None


def read_target(
    name: str,
    cells: "pyarrow.Array",
    places: Places,
    path: object,
    *,
    task: str | None = None,
    decimal: str = ".",
) -> Target:
    """Returns the target of a table.

    Args:
        name: Of the column.
        cells: What is in it, in every row.
        places: Where the rows stand.
        path: Of the file, for errors.
        task: By default as is plain: text is classes; whole numbers, few and
            each often, are classes; other numbers are numbers.
        decimal: What stands before decimals in text.

    Raises:
        InputError: If the task is not plain, or the classes are too few.
    """
    import pyarrow as pa

    cells = _decoded(cells)
    found = numbers(cells, decimal)
    given = task
    numeric = not _are_names(cells, found, task) and not found.bad.any()
    if pa.types.is_boolean(cells.type):
        numeric = False
    if numeric:
        _check_numbers(name, cells, found, places, path)
    elif task is None:
        _refuse_strangers(name, cells, found, places, path)
    task = task or _task(name, found.values if numeric else None, path)
    if task == "regression":
        _check_numbers(name, cells, found, places, path)
        _check_varies(name, found, path)
        said = None if given else f"{name!r} is a number: regression."
        return Target(name, task, found.values, recognised=said)
    labels, y = coded(
        path.stem, _labels(cells, name, path), "Then say `--task regression`."
    )
    return Target(name, task, y, labels)


def no_target(
    cells: "pyarrow.Array", task: str | None, decimal: str = "."
) -> np.ndarray:
    """Returns which rows have no target.

    Args:
        cells: Of the target's column.
        task: As for `read_target`.
        decimal: Likewise.
    """
    cells = _decoded(cells)
    found = numbers(cells, decimal)
    names = _are_names(cells, found, task)
    return _empty(cells) if names else found.missing


def _decoded(cells):
    import pyarrow as pa

    encoded = pa.types.is_dictionary(cells.type)
    return cells.dictionary_decode() if encoded else cells


def _are_names(cells, found, task):
    """Returns whether text is classes by name.

    A class may be called "NA": then only "" is no value, where among numbers
    "NA" is none, too.
    """
    return is_text(cells) and (
        task == "classification" or found.bad.any() or found.missing.all()
    )


def _task(name, values, path):
    """Returns the task that is plain from the values of numbers, if any."""
    if values is None:
        return "classification"
    _, counts = np.unique(values, return_counts=True)
    whole = not (values % 1).any()
    if len(counts) <= 2:
        return "classification"
    if whole and len(counts) <= _FEW and counts.min() >= _EXAMPLES_EACH:
        return "classification"
    often = whole and len(values) >= _CLASSES_OF * len(counts)
    if 2 * len(counts) > len(values) or (len(counts) > _FEW and not often):
        return "regression"
    raise InputError(
        f"Column {name!r} of {path} has {len(counts)} different numbers in "
        f"{len(values)} rows. Are they classes or amounts? Say "
        "--task classification or --task regression."
    )


def _check_numbers(name, cells, found, places, path):
    wrong = found.bad | found.infinite
    if wrong.any():
        first = int(wrong.argmax())
        raise InputError(
            f"Target column {name!r} of {path} has {cells[first].as_py()!r} "
            f"in {places[first]}, which is not a finite number. Correct it, "
            "or say --task classification."
        )


def _refuse_strangers(name, cells, found, places, path):
    """Refuses a word among amounts, which would make a class of each."""
    good = found.values[~found.bad & ~found.missing]
    if len(np.unique(good)) > max(_FEW, len(cells) / 2):
        first = int(found.bad.argmax())
        raise InputError(
            f"Target column {name!r} of {path} is mostly numbers, but has "
            f"{cells[first].as_py()!r} in {places[first]}. Correct it, or say "
            "--task classification."
        )


def _check_varies(name, found, path):
    if np.ptp(found.values) == 0:
        raise InputError(
            f"Target column {name!r} of {path} is {found.values[0]:g} in every "
            "row. Choose another target."
        )


def _empty(cells):
    import pyarrow.compute as pc

    return pc.or_(pc.is_null(cells), pc.equal(cells, "")).to_numpy(
        zero_copy_only=False
    )


def _labels(cells, name, path):
    """Returns classes as integers where all are, else in one spelling."""
    import pyarrow as pa
    import pyarrow.compute as pc

    try:
        encoded = pc.dictionary_encode(cells)
    except pa.ArrowNotImplementedError as error:
        raise InputError(
            f"Target column {name!r} of {path} is of type {cells.type}, which "
            "is neither class nor amount. Choose another target."
        ) from error
    written = encoded.dictionary.to_pylist()
    texts = [spelled(value) for value in written]
    _refuse_two_spellings(name, written, texts, path)
    codes = encoded.indices.to_numpy(zero_copy_only=False)
    if not all(isinstance(value, bool) for value in written):
        written = _typed(written, texts)
    return np.array(written)[codes]


def _typed(written, texts):
    if all(text.lstrip("-").isdecimal() for text in texts):
        integers = [int(text) for text in texts]
        # What TensorFlow's integers cannot hold, or "007", is a name.
        if [str(i) for i in integers] == texts and max(
            map(abs, integers), default=0
        ) < 2**63:
            return integers
    if all(isinstance(value, float) for value in written):
        return written
    return texts


def _refuse_two_spellings(name, written, texts, path):
    first = {}
    for value, text in zip(written, texts, strict=True):
        if text in first:
            raise InputError(
                f"Target column {name!r} of {path} writes the same number in "
                f"two ways, {first[text]!r} and {value!r}. Write it in one "
                "way; if these are two classes, such as versions, put a "
                "letter before them."
            )
        first[text] = value
