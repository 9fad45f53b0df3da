"""A step of a trial's own model, by Keras."""

import contextlib
import dataclasses
from collections.abc import Iterator
from typing import Any

import keras
import numpy as np
from keras import ops

from tfcourse.data.adapters import are_arrays
from tfcourse.tuning.caviar.steps.candidates import Candidate
from tfcourse.tuning.population.built import FirstBatch
from tfcourse.tuning.population.data.batches import Sample
from tfcourse.tuning.population.deferred import all_variables
from tfcourse.tuning.population.functional.build import build
from tfcourse.utils.keras_private import noting_created

# `(x, y, sample_weight)`, nested.
_Batch = tuple[Any, Any, Any]


@dataclasses.dataclass
class KerasStep:
    """What Keras makes of a mini-batch.

    Attributes:
        model: The model, after the step.
        before: The values of `all_variables(model)` before it.
        after: The same after it.
        gradients: Those of the trainable variables, None for none.
        logs: The metrics of the step, and, named `val_...`, of an evaluation
            before it.
    """

    model: keras.Model
    before: list[np.ndarray]
    after: list[np.ndarray]
    gradients: list[np.ndarray | None]
    logs: dict[str, Any]


class OwnModel:
    """The model of a trial, built as for a trial by itself.

    It runs operation by operation, which for one step takes less time than to
    compile it. What existed before its build is after a step as it was.

    Args:
        candidate: The trial.
    """

    def __init__(self, candidate: Candidate) -> None:
        keras.utils.set_random_seed(candidate.seed)
        with noting_created() as created:
            self._model = candidate.build()
        self._model.run_eagerly = True
        self._arguments = candidate.arguments
        every = all_variables(self._model)
        self._older = [v for v in every if id(v) not in created.variables]

    def step(self, first: FirstBatch, k: int) -> KerasStep:
        """Returns what Keras makes of a mini-batch.

        Args:
            first: What the program makes of it.
            k: The member's number there.
        """
        with _restored(self._older):
            return _step(self._model, self._arguments, first, k)


def _step(
    model: keras.Model, arguments: dict, first: FirstBatch, k: int
) -> KerasStep:
    batch, class_weight = _batch(arguments, first.sample, k)
    _complete(model, batch)
    before = _values(all_variables(model))
    logs = {}
    if first.held_out is not None:
        held_out = _held_out(arguments, first.held_out, k)
        some = model.test_on_batch(*held_out, return_dict=True)
        logs = {f"val_{name}": value for name, value in some.items()}
    gradients = _note_gradients(model.optimizer)
    logs |= model.train_on_batch(
        *batch, class_weight=class_weight, return_dict=True
    )
    after = _values(all_variables(model))
    return KerasStep(model, before, after, gradients, logs)


def _complete(model: keras.Model, batch: _Batch) -> None:
    """Builds what is not built yet; generators stay where they are."""
    if not model.built:
        with _restored(model.non_trainable_variables):
            build(model, batch)
    if not model.optimizer.built:
        model.optimizer.build(model.trainable_variables)


@contextlib.contextmanager
def _restored(variables: list[Any]) -> Iterator[None]:
    """Gives variables, at its end, the values that they had."""
    kept = list(zip(variables, _values(variables), strict=True))
    try:
        yield
    finally:
        for variable, value in kept:
            variable.assign(value)


def _note_gradients(optimizer: Any) -> list[np.ndarray | None]:
    """Returns a list that the gradients of the next step are written to."""
    apply, noted = optimizer.apply, []

    def noting(gradients: Any, *variables: Any) -> Any:
        gradients = list(gradients)
        noted[:] = [
            None if g is None else ops.convert_to_numpy(g) for g in gradients
        ]
        return apply(gradients, *variables)

    optimizer.apply = noting
    return noted


def _values(variables: list[Any]) -> list[np.ndarray]:
    return [np.array(ops.convert_to_numpy(v)) for v in variables]


def _batch(
    arguments: dict, sample: Sample, k: int
) -> tuple[_Batch, dict[int, float] | None]:
    """Returns a mini-batch as the user gave it, and the weights of classes."""
    given = arguments["x"], arguments["y"], arguments["sample_weight"]
    class_weight = arguments["class_weight"]
    if are_arrays(given[0]):
        return _taken(given, _positions(sample, k)), class_weight
    x, y, weight = sample.batches.of_member(k)
    # Keras makes of those of classes what is with the examples here.
    return (x, y, weight if class_weight is None else None), class_weight


def _held_out(arguments: dict, sample: Sample, k: int) -> _Batch:
    """The same for validation data."""
    given = arguments["validation_data"]
    positions = _positions(sample, k)
    if given is None:
        given = arguments["x"], arguments["y"], arguments["sample_weight"]
        if arguments["subsets"] is None:
            n = len(keras.tree.flatten(given[0])[0])
            positions = int(n * (1 - arguments["validation_split"])) + positions
    elif not isinstance(given, (tuple, list)):
        return sample.batches.of_member(k)
    return _taken((*given, None)[:3], positions)


def _positions(sample: Sample, k: int) -> np.ndarray:
    positions = sample.positions
    return positions if positions.ndim == 1 else positions[k]


def _taken(arrays: Any, positions: np.ndarray) -> Any:
    """Returns some examples, in the types that `fit` makes of them."""

    def take(array: Any) -> Any:
        if array is None:
            return None
        some = np.asarray(array)[positions]
        is_float = keras.backend.is_float_dtype(str(some.dtype))
        return some.astype(keras.config.floatx()) if is_float else some

    return keras.tree.map_structure(take, arrays)
