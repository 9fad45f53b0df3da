"""What one member of a population computes, as functions without side effect.

Each takes the values of all of the member's variables and returns new ones. An
engine writes the gradient and the mapping over members around them.
"""

import contextlib
import functools
from collections.abc import Callable, Iterator
from typing import Any

import keras
from keras import ops

from tfcourse.errors import CannotVectorize
from tfcourse.tuning.population.functional.batch_independence import (
    evaluates_in_any_batches,
)
from tfcourse.tuning.population.functional.drawing import nothing_drawn
from tfcourse.tuning.population.functional.layer_traits import (
    convolves,
    draws_numbers,
    is_in_keras,
)
from tfcourse.tuning.population.functional.optimizers import (
    functional_optimizer,
)
from tfcourse.tuning.population.functional.packing import Packing
from tfcourse.tuning.population.functional.parameter_groups import (
    parameter_groups,
)
from tfcourse.tuning.population.functional.recurrence import (
    is_short,
    unrolled,
)
from tfcourse.tuning.population.functional.scope import Scope, tensors_of
from tfcourse.tuning.population.structure.open_sizes import of_open_sizes
from tfcourse.utils.keras_private import (
    called,
    compiled_metrics,
    every_layer,
    loss_of,
    loss_tracker,
    losses_of_outputs,
)

Tensor = Any
Arrays = list[Tensor]
# `(x, y, sample_weight)`, nested.
Batch = tuple[Any, Any, Any]


class Member:
    """A compiled, built model, seen as functions of its variables' values.

    These are held in `arrays`, each a variable or several of them flat, see
    `Packing`: first the parameters, then the other variables of the model, the
    optimizer's, and the metrics'.

    Args:
        model: The `keras.Model`. Its variables are read, never written.
        settings: The `MemberSettings` that it computes with, or None.
        shapes: The shape of each saved variable, None for sizes that are open;
            or None if they are those of the model.

    Attributes:
        shapes: As given.
        packing: How the variables lie in the arrays: the model's
            `trainable_variables`, its `non_trainable_variables`, those of the
            settings, its optimizer's `variables`, those of the optimizer's
            settings, its `metrics_variables`.
        parameters: How many arrays, from the first, are parameters.
        of_model: How many are the model's.
        saved: How many make up a saved model.

    Raises:
        CannotVectorize: If the model trains itself in its own way.
    """

    def __init__(
        self,
        model: keras.Model,
        settings: Any = None,
        shapes: list[tuple[int | None, ...]] | None = None,
    ) -> None:
        if not model.trainable_variables:
            raise CannotVectorize("it has no trainable variables")
        self.model, self.shapes = model, shapes
        self._layers = every_layer(model)
        optimizers = getattr(model.optimizer, "optimizers", [model.optimizer])
        groups = parameter_groups(model, optimizers, joined=shapes is None)
        by_dtype = _by_dtype if shapes is None else _each
        self._updated = [group.variable for group in groups]
        of_optimizer = settings.optimizer if settings else None
        self._optimizer = functional_optimizer(
            model.optimizer, groups, of_optimizer, shapes is not None
        )
        sections = [
            (model.trainable_variables, [group.indices for group in groups]),
            by_dtype(model.non_trainable_variables),
            by_dtype(settings.model_variables if settings else []),
            (
                model.optimizer.variables
                + (of_optimizer.variables if of_optimizer else []),
                self._optimizer.groups,
            ),
            _by_dtype(model.metrics_variables),
        ]
        self._variables = [v for variables, _ in sections for v in variables]
        self._ids = {id(variable) for variable in self._variables}
        self.packing = Packing(self._variables, _joined(sections))
        counts = [len(some) for _, some in sections]
        self.parameters = counts[0]
        self.of_model = sum(counts[:3])
        self.saved = sum(counts[:4])

    @property
    def finishes(self) -> bool:
        """Whether `finish` changes anything."""
        return self._optimizer.finishes

    @property
    def convolves(self) -> bool:
        """Whether there are convolutions."""
        return any(map(convolves, self._layers))

    @property
    def writes_out_loops(self) -> bool:
        """Whether there are recurrent layers of which each step is traced."""
        return self.shapes is None and any(map(is_short, self._layers))

    @property
    def acts_by_members(self) -> bool:
        """Whether a part of it is probably computed member by member.

        On TensorFlow that goes for convolutions, and for drawing numbers.
        """
        return self.convolves or any(map(draws_numbers, self._layers))

    @property
    def saved_variables(self) -> int:
        """How many variables, from the first, are not those of metrics."""
        return len(self._variables) - len(self.model.metrics_variables)

    @property
    def dtypes(self) -> list[str]:
        """The dtypes of the arrays."""
        return [
            self._variables[group[0]].dtype for group in self.packing.groups
        ]

    @property
    def evaluates_in_any_batches(self) -> bool:
        """Whether an evaluation is known not to depend on the batches."""
        return evaluates_in_any_batches(self.model)

    def forward(
        self, arrays: Arrays, batch: Batch, training: bool
    ) -> tuple[Tensor, Arrays]:
        """Returns the loss to differentiate, and the new arrays."""
        x, y, sample_weight = batch
        model = self.model
        with nothing_drawn("its code"), self._scope(arrays) as scope:
            y_pred = self._predict(x, training)
            with _equal_batches(losses_of_outputs(model)):
                loss = loss_of(
                    model,
                    x=x,
                    y=y,
                    y_pred=y_pred,
                    sample_weight=sample_weight,
                    training=training,
                )
            loss_tracker(model).update_state(
                loss, sample_weight=_number_of_examples(x)
            )
            self._update_metrics(x, y, y_pred, sample_weight)
            if training:
                loss = self._optimizer.scale_loss(loss)
            return tensors_of(loss), self._read(scope, arrays)

    def apply(self, arrays: Arrays, gradients: list[Tensor | None]) -> Arrays:
        """Returns the arrays after the optimizer's step."""
        return self._with_optimizer(
            arrays, lambda: self._optimizer.apply(gradients)
        )

    def finish(self, arrays: Arrays) -> Arrays:
        """Returns the arrays at the end of training.

        The same, but for optimizers that leave an average of the parameters.
        """
        return self._with_optimizer(arrays, self._optimizer.finish)

    def results(self, arrays: Arrays) -> dict[str, Tensor]:
        """Returns the metrics, by the names that `fit` gives them.

        Args:
            arrays: Those that `needed_for_results` returns.
        """
        unused = len(self.packing.groups) - len(arrays)
        with self._scope([None] * unused + arrays) as scope:
            found = dict(self.model.get_metrics_result())
            for name, value in found.items():
                if isinstance(value, keras.Variable):
                    raise CannotVectorize(
                        f"its metric {name} returns a variable, which `fit` "
                        "reads after the validation has changed it (return "
                        "`variable + 0`)"
                    )
            results = tensors_of(found)
            if scope.changed:
                raise CannotVectorize("its metrics change as they are read")
            return results

    def needed_for_results(self, arrays: Arrays) -> Arrays:
        """Returns the last of the arrays, from which the metrics are computed.

        For Keras's own metrics that is what they have counted; anybody else's
        may look at the weights.
        """
        model = self.model
        compiled = compiled_metrics(model)
        metrics = [*model.metrics, *(compiled.metrics if compiled else [])]
        method = type(model).get_metrics_result
        if method is keras.Model.get_metrics_result and all(
            map(is_in_keras, metrics)
        ):
            return arrays[self.saved :]
        return arrays

    def predict(self, arrays: Arrays, x: Any) -> Any:
        """Returns the outputs."""
        with self._scope(arrays):
            return tensors_of(self._predict(x, training=False))

    def zeros(self, members: int) -> Arrays:
        """Returns arrays for so many members, all zeros."""
        return [
            ops.convert_to_tensor(array, dtype)
            for array, dtype in zip(
                self.packing.zeros(members), self.dtypes, strict=True
            )
        ]

    def initial_metrics(self) -> list[Any]:
        """Returns the values of the metrics' variables before any batch."""
        self.model.reset_metrics()
        return [ops.convert_to_numpy(v) for v in self.model.metrics_variables]

    def _update_metrics(
        self, x: Any, y: Any, y_pred: Any, sample_weight: Any
    ) -> None:
        model, compiled = self.model, compiled_metrics(self.model)
        if type(model).compute_metrics is not keras.Model.compute_metrics:
            model.compute_metrics(x, y, y_pred, sample_weight=sample_weight)
        elif compiled is not None:
            # The same, without results that nobody reads at each batch.
            compiled.update_state(y, y_pred, sample_weight)

    def _predict(self, x: Any, training: bool) -> Any:
        fitted = unrolled if self.shapes is None else of_open_sizes
        with fitted(self._layers):
            return called(self.model, x, training)

    def _scope(self, arrays: list[Tensor | None]) -> Scope:
        """Returns a scope with the values of one member's variables."""
        slots = zip(self._optimizer.variables, self._slots(arrays), strict=True)
        values = [slot for slot in slots if slot[1] is not None]
        for number in self._of_graph():
            if arrays[number] is None:
                continue
            for i, value in self.packing.read(arrays[number], number):
                values.append((self._variables[i], value))
        return Scope(values, self._ids, collect_losses=True)

    def _scope_of(self, known: list[Any], values: list[Tensor]) -> Scope:
        """Returns a scope in which the rest of the variables have no value."""
        others = self._ids - {id(variable) for variable in known}
        scratch = getattr(self._optimizer, "scratch", ())
        return Scope(zip(known, values, strict=True), others, scratch)

    def _read(self, scope: Scope, arrays: Arrays) -> Arrays:
        """Returns the arrays with what has changed in the scope."""
        new = list(arrays)
        if any(map(scope.has_changed, self._optimizer.variables)):
            raise CannotVectorize(
                "its forward pass assigns to a variable of its optimizer"
            )
        for number in self._of_graph():
            variables = [
                self._variables[i] for i in self.packing.groups[number]
            ]
            if not any(scope.has_changed(v) for v in variables):
                continue
            if number < self.parameters:
                raise CannotVectorize(
                    "its forward pass assigns to the parameter "
                    f"{variables[0].path}"
                )
            new[number] = self.packing.write(
                [scope.get_current_value(v) for v in variables]
            )
        return new

    def _of_graph(self) -> list[int]:
        """The numbers of the arrays that the model and its metrics use."""
        numbers = range(len(self.packing.groups))
        return [*numbers[: self.of_model], *numbers[self.saved :]]

    def _slots(self, arrays: list[Tensor | None]) -> list[Tensor | None]:
        return arrays[self.of_model : self.saved]

    def _with_optimizer(
        self, arrays: Arrays, action: Callable[[], None]
    ) -> Arrays:
        known = [*self._updated, *self._optimizer.variables]
        values = [*arrays[: self.parameters], *self._slots(arrays)]
        by = "the update of its optimizer"
        with nothing_drawn(by), self._scope_of(known, values) as scope:
            action()
            new = [scope.get_current_value(variable) for variable in known]
        return [
            *new[: self.parameters],
            *arrays[self.parameters : self.of_model],
            *new[self.parameters :],
            *arrays[self.saved :],
        ]


def _number_of_examples(x: Any) -> Any:
    inputs = [array for array in keras.tree.flatten(x) if array is not None]
    shape: Any = ops.shape(inputs[0])
    return shape[0]


def _by_dtype(variables: list[Any]) -> tuple[list[Any], list[list[int]]]:
    """Returns variables, and which of their indices are of one dtype."""
    groups: dict[str, list[int]] = {}
    for i, variable in enumerate(variables):
        groups.setdefault(variable.dtype, []).append(i)
    return list(variables), list(groups.values())


def _each(variables: list[Any]) -> tuple[list[Any], list[list[int]]]:
    """Returns variables, and their indices, each by itself."""
    return list(variables), [[i] for i in range(len(variables))]


def _joined(
    sections: list[tuple[list[Any], list[list[int]]]],
) -> list[list[int]]:
    """Returns the groups of sections that follow each other."""
    groups, first = [], 0
    for variables, some in sections:
        groups += [[first + i for i in group] for group in some]
        first += len(variables)
    return groups


@contextlib.contextmanager
def _equal_batches(means: list[keras.metrics.Metric]) -> Iterator[None]:
    """Means over batches count each the same, as those of TensorFlow's `fit`.

    There Keras knows no number of examples to weigh a batch by, while what XLA
    compiles here does.
    """
    if keras.config.backend() != "tensorflow":
        means = []
    for mean in means:
        mean.update_state = functools.partial(_update_by_value, mean)
    try:
        yield
    finally:
        for mean in means:
            del mean.update_state


def _update_by_value(
    mean: keras.metrics.Metric, value: Tensor, sample_weight: Any = None
) -> None:
    del sample_weight
    type(mean).update_state(mean, value)
