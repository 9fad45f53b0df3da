"""The first layers of a model, where they are not trained.

What they give is the same for all members and in all epochs, unless they draw
numbers. So they are computed once, or if that would take too much memory, once
a mini-batch; and what is trained is the rest.
"""

import math
import weakref
from collections.abc import Iterator
from typing import Any

import keras
import numpy as np
from keras import ops

from tfcourse.data.adapters import Arrays, length_of
from tfcourse.layers.batch_normalization import is_batch_norm
from tfcourse.tuning.population.data.batches import Batches, each
from tfcourse.tuning.population.deferred import all_variables
from tfcourse.tuning.population.functional.batch_independence import (
    calls_on_examples,
    computes_each_example,
)
from tfcourse.tuning.population.functional.layer_traits import draws_numbers
from tfcourse.utils.keras_private import (
    Call,
    calls,
    compile_as,
    every_layer,
    fresh_names,
    graph_of,
)

# What the layers give may take so many bytes.
_MOST_BYTES = 2**30
_EXAMPLES_AT_ONCE = 64

Columns = list[np.ndarray]
# Of a member's variables: which of the template's it is and which part, or
# None and its value.
Slices = list[list[tuple[Any, Any]]]


class FrozenPrefix:
    """The layers of a template that are computed once for all members.

    Args:
        template: A compiled and built model.
        base: A model that computes what they give.
        rest: A compiled model that takes it, and gives what the template does.
        settings: The `MemberSettings` that the template computes with, or None.

    Attributes:
        rest: As given.
        times: How often they are computed: `"once"`, `"once a mini-batch"`, or
            `""` as long as they are not.
    """

    def __init__(
        self,
        template: keras.Model,
        base: keras.Model,
        rest: keras.Model,
        settings: Any = None,
    ) -> None:
        self._base = base
        self.rest = rest
        own = {id(v) for v in _variables(rest, settings)}
        every = _variables(template, settings)
        self._kept = [i for i, v in enumerate(every) if id(v) in own]
        self._frozen = {i: v for i, v in enumerate(every) if id(v) not in own}
        self._outputs: weakref.WeakKeyDictionary = weakref.WeakKeyDictionary()
        self.times = ""

    def is_shared(self, columns: Columns) -> bool:
        """Whether all members have the values of the template there."""
        return all(
            np.array_equal(value, np.asarray(variable))
            for i, variable in self._frozen.items()
            for value in _different(columns[i])
        )

    def without(
        self, columns: Columns, slices: Slices | None
    ) -> tuple[Columns, Slices]:
        """Returns the values and slices of members of the rest.

        Args:
            columns: Those of members of the template.
            slices: Likewise.
        """
        if slices is None:
            every = [(i, None) for i in range(len(columns))]
            slices = [every] * len(columns[0])
        places = {i: place for place, i in enumerate(self._kept)}

        def place(k: int, i: int, masks: Any) -> tuple[Any, Any]:
            return (places[i], masks) if i in places else (None, columns[i][k])

        return [columns[i] for i in self._kept], [
            [place(k, i, masks) for i, masks in some]
            for k, some in enumerate(slices)
        ]

    def place(self, i: int) -> int:
        """Returns which of the rest's variables one of the template's is."""
        return self._kept.index(i)

    def feed(
        self, batches: Batches, order: np.ndarray
    ) -> Iterator[tuple[Arrays, np.ndarray]]:
        """Yields arrays for the rest, and in which order to go through them.

        Args:
            batches: Arrays for the template.
            order: In which order to go through these, for all or each member.
        """
        x, *others = batches.arrays
        size, bytes_of_one = length_of(x), self._bytes_of_one()
        most = max(1, _MOST_BYTES // bytes_of_one)
        if size <= most or order.ndim > 1:
            self.times = self.times or "once"
            if batches not in self._outputs:
                self._outputs[batches] = self.outputs(x)
            yield (self._outputs[batches], *others), order
            return
        self.times = "once a mini-batch"
        most = max(1, most // batches.batch_size) * batches.batch_size
        for start in range(0, len(order), most):
            some = order[start : start + most]
            x, *others = each(
                lambda a, some=some: ops.take(a, some, axis=0), batches.arrays
            )
            yield (self.outputs(x), *others), np.arange(len(some))

    def of_batch(self, batch: Arrays) -> Arrays:
        """Returns `(x, y, sample_weight)` for the rest."""
        x, *others = batch
        return (self.outputs(x), *others)

    def outputs(self, x: Any) -> Any:
        """Returns what the layers give."""
        base: Any = self._base
        outputs = base.predict(x, batch_size=_EXAMPLES_AT_ONCE, verbose=0)
        return keras.tree.map_structure(ops.convert_to_tensor, outputs)

    def _bytes_of_one(self) -> int:
        return sum(
            math.prod(x.shape[1:]) * np.dtype("float32").itemsize
            for x in self._base.outputs
        )


def frozen_prefix(
    template: keras.Model, settings: Any = None
) -> FrozenPrefix | None:
    """Returns the frozen layers that a model begins with, or None.

    Layers of which members have settings of their own are not among them.

    Args:
        template: A compiled and built model.
        settings: The `MemberSettings` that it computes with, or None.
    """
    graph, touched = graph_of(template), settings and settings.changes
    if graph is None or (touched and not _are_of_layers(template, touched)):
        return None
    known = {id(x) for x in graph.inputs}
    frozen, cut = [], {}
    for call in calls(graph):
        if all(id(x) in known for x in call.inputs) and _is_frozen(
            call, touched
        ):
            known |= {id(x) for x in call.outputs}
            frozen.append(call)
        else:
            cut |= {id(x): x for x in call.inputs if id(x) in known}
    fixed = any(None in x.shape[1:] for x in cut.values())
    if fixed or not cut or not any(_has_weights(call) for call in frozen):
        return None
    if any(id(x) in known for x in graph.outputs):
        return None
    return _split(template, graph, list(cut.values()), settings)


def _split(
    template: keras.Model, graph: keras.Model, cut: list[Any], settings: Any
) -> FrozenPrefix | None:
    """Returns a prefix that gives some tensors of a template."""
    given = cut[0] if len(cut) == 1 else cut
    with fresh_names():
        base: Any = keras.Model(graph.input, given)
        rest: Any = keras.Model(given, graph.output)
    # XLA would not make convolutions on a CPU faster.
    base.compile(jit_compile=False)
    compile_as(rest, template)
    trained = [
        [id(v) for v in model.trainable_variables] for model in (template, rest)
    ]
    # The optimizer's variables are in this order.
    same = trained[0] == trained[1] and rest.output_names == _names(template)
    return FrozenPrefix(template, base, rest, settings) if same else None


def _names(model: Any) -> list[str]:
    graph: Any = graph_of(model)
    return graph.output_names


def _are_of_layers(template: keras.Model, changes: Any) -> bool:
    """Whether nothing but layers and optimizers has settings of members."""
    optimizer = template.optimizer
    optimizers = getattr(optimizer, "optimizers", [optimizer])
    return changes.are_in([*every_layer(template, itself=False), *optimizers])


def _variables(model: Any, settings: Any) -> list[Any]:
    """Returns the variables of a member, in the order of a `Member`'s."""
    if not settings:
        return all_variables(model)
    return [
        *model.trainable_variables,
        *model.non_trainable_variables,
        *settings.model_variables,
        *model.optimizer.variables,
        *(settings.optimizer.variables if settings.optimizer else []),
    ]


def _is_frozen(call: Call, touched: Any) -> bool:
    """Whether a call gives the same in each epoch, and draws nothing."""
    if not calls_on_examples(call):
        return False
    return not call.operation.trainable_variables and all(
        computes_each_example(layer)
        and not draws_numbers(layer)
        and not (is_batch_norm(layer) and layer.trainable)
        and not (touched and touched.touch(layer))
        for layer in every_layer(call.operation)
    )


def _has_weights(call: Call) -> bool:
    return any(len(v.shape) > 1 for v in call.operation.variables)


def _different(column: np.ndarray) -> np.ndarray:
    """Returns the values of all members, or one where they are held once."""
    return column[:1] if column.strides[0] == 0 else column
