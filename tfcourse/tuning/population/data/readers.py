"""What gives the batches of an epoch, whatever data are kept in."""

import abc
import functools
from collections.abc import Callable, Iterable
from typing import Any

import keras
import numpy as np
from keras import ops

from tfcourse.data.adapters import (
    Arrays,
    are_arrays,
    is_tensorflow_dataset,
    leaves,
    length_of,
)
from tfcourse.tuning.population.data.batches import Batches, each, on_device
from tfcourse.tuning.population.data.passes import Passes

_TWO_WEIGHTS = "`class_weight` and `sample_weight` cannot both be given."
GIVEN = "`x`, `y` and `sample_weight`"
_FEW = 2


class Reader(abc.ABC):
    """Gives the `Batches` of an epoch."""

    @abc.abstractmethod
    def __call__(self) -> list[Batches]:
        """Returns the `Batches` of the next epoch."""


class ArrayReader(Reader):
    """Gives the same `Batches` for each epoch."""

    def __init__(self, batches: Batches) -> None:
        self._batches = [batches]

    def __call__(self) -> list[Batches]:
        return self._batches


class DatasetReader(Reader):
    """Goes through a dataset in each epoch, whose batches are not kept."""

    def __init__(
        self, passes: Passes, weigh: Callable[[Any], Any] | None
    ) -> None:
        self._passes = passes
        self._weigh = weigh

    def __call__(self) -> list[Batches]:
        return _joined(self._passes(), self._weigh)


def read(
    x: Any,
    y: Any = None,
    sample_weight: Any = None,
    class_weight: dict[int, float] | None = None,
    batch_size: int | None = None,
    subsets: np.ndarray | None = None,
    rng: np.random.Generator | None = None,
    evaluates: bool = False,
    steps: int | None = None,
) -> Reader:
    """Returns what gives the `Batches` of an epoch.

    Neighbouring batches of one size are put together where they come from a
    dataset.

    Args:
        x: An array or nested arrays, a `tf.data.Dataset` of batches, or a
            `keras.utils.PyDataset`.
        y: The targets, unless `x` is a dataset.
        sample_weight: One weight an example.
        class_weight: A dict from class to weight.
        batch_size: For arrays; as `_usual_size` by default. That of a dataset
            is its own.
        subsets: For arrays; as for `Batches`.
        rng: For datasets; as for `Passes`.
        evaluates: For datasets; as for `Passes`.
        steps: As for `Passes`; of arrays, it decides the usual size only.

    Raises:
        ValueError: If arguments do not go together, or lengths differ.
    """
    if are_arrays(x):
        if sample_weight is not None and class_weight is not None:
            raise ValueError(_TWO_WEIGHTS)
        if class_weight is not None:
            sample_weight = _class_weights(y, class_weight)
        arrays = on_device((x, y, _of_each_output(sample_weight, y)))
        if length_of(arrays, GIVEN) == 0:
            raise ValueError(f"{GIVEN} must hold at least one example.")
        batch_size = batch_size or _usual_size(arrays, steps)
        return ArrayReader(Batches(arrays, batch_size, subsets))
    if y is not None or sample_weight is not None:
        raise ValueError(
            "`y` and `sample_weight` are not given beside a dataset, which "
            f"yields them itself. Received: x={type(x).__name__}"
        )
    weigh = None
    if class_weight is not None:
        of = _weights_of_known if is_tensorflow_dataset(x) else _class_weights
        weigh = functools.partial(of, class_weight=class_weight)
    return DatasetReader(Passes(x, rng, evaluates, steps), weigh)


def read_validation(
    validation_data: Any,
    batch_size: int | None,
    at_least: int,
    subsets: np.ndarray | None = None,
    steps: int | None = None,
) -> Reader | None:
    """Returns what `read` does, for the `validation_data` of `fit`.

    Args:
        validation_data: `(x, y)`, `(x, y, sample_weight)`, a dataset or None.
        batch_size: For arrays; 32 by default.
        at_least: The number of examples that a batch should rather have, if it
            makes no difference.
        subsets: As for `Batches`.
        steps: How many batches are evaluated at most; by default all.
    """
    if validation_data is None:
        return None
    if not isinstance(validation_data, (tuple, list)):
        return read(validation_data, evaluates=True, steps=steps)
    if steps is not None:
        batch_size = batch_size or _usual_size(validation_data, steps)
        end = steps * batch_size
        validation_data = each(lambda array: array[:end], validation_data)
    x, y, weight = keras.utils.unpack_x_y_sample_weight(tuple(validation_data))
    if weight is None:
        batch_size = max(batch_size or 32, at_least)
    return read(x, y, weight, None, batch_size, subsets)


def _usual_size(arrays: Arrays, steps: int | None) -> int:
    """Returns the size of a mini-batch where none is given, as Keras does."""
    return 32 if steps is None else -(-length_of(arrays, GIVEN) // steps)


def head(x: Any, y: Any = None, sample_weight: Any = None) -> Arrays:
    """Returns `(x, y, sample_weight)` of two examples, or the one there is.

    Of a dataset no pass is made: what a `tf.data.Dataset` says of its batches
    is filled with zeros if that suffices.
    """
    if not are_arrays(x):
        x, y, sample_weight = keras.utils.unpack_x_y_sample_weight(_first(x))
    return on_device(
        each(
            lambda array: array if ops.is_tensor(array) else np.asarray(array),
            each(lambda array: array[:_FEW], (x, y, sample_weight)),
        )
    )


def _first(dataset: Any) -> Any:
    if isinstance(dataset, keras.utils.PyDataset):
        return dataset[0]
    if is_tensorflow_dataset(dataset):
        shapes = [spec.shape for spec in leaves(dataset.element_spec)]
        if all(shape.rank and None not in shape[1:] for shape in shapes):
            return keras.tree.map_structure(_zeros, dataset.element_spec)
    return next(iter(dataset))


def _zeros(spec: Any) -> np.ndarray:
    return np.zeros((_FEW, *spec.shape[1:]), spec.dtype.as_numpy_dtype)


def _class_weights(y: Any, class_weight: dict[int, float]) -> np.ndarray:
    return np.array([class_weight.get(c, 1.0) for c in _classes(y)])


def _weights_of_known(y: Any, class_weight: dict[int, float]) -> np.ndarray:
    """Returns what Keras looks up in a list, for a dataset of TensorFlow."""
    known = range(max(class_weight) + 1)
    if any(c not in known for c in _classes(y)):
        raise ValueError(
            f"`class_weight` has classes up to {max(class_weight)}, but the "
            "dataset has classes above that, which Keras refuses."
        )
    return _class_weights(y, class_weight)


def _classes(y: Any) -> list[int]:
    """Returns the class of each example, its number or a one at its place."""
    if keras.tree.is_nested(y):
        raise ValueError("`class_weight` is for targets of one output.")
    classes = np.asarray(y)
    if classes.ndim > 1 and classes.shape[-1] > 1:
        classes = classes.argmax(-1)
    return np.round(classes.reshape(len(classes))).astype(int).tolist()


def _of_each_output(sample_weight: Any, y: Any) -> Any:
    """Returns one weight an example as that of each of several outputs."""
    several = keras.tree.is_nested(y) and not keras.tree.is_nested(
        sample_weight
    )
    if not several or sample_weight is None:
        return sample_weight
    return keras.tree.map_structure(lambda _: sample_weight, y)


def _joined(
    batches: Iterable[Arrays], weigh: Callable[[Any], Any] | None
) -> list[Batches]:
    """Returns `Batches` of which each holds neighbours of one size."""
    groups: list[tuple[list[tuple[int, ...]], list[Arrays]]] = []
    for batch in batches:
        arrays = on_device(keras.utils.unpack_x_y_sample_weight(batch))
        if weigh is not None:
            x, y, weight = arrays
            if weight is not None:
                raise ValueError(_TWO_WEIGHTS)
            arrays = on_device((x, y, weigh(y)))
        shapes = [tuple(array.shape) for array in leaves(arrays)]
        if not groups or groups[-1][0] != shapes:
            groups.append((shapes, []))
        groups[-1][1].append(arrays)
    if not groups:
        raise ValueError("The dataset is empty.")
    return [
        Batches(_concatenated(pieces), length_of(pieces[0]), in_order=True)
        for _, pieces in groups
    ]


def _concatenated(pieces: list[Arrays]) -> Arrays:
    def join(*arrays: Any) -> Any:
        return None if arrays[0] is None else ops.concatenate(arrays)

    return keras.tree.map_structure(join, *pieces)
