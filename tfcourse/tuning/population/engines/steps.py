"""One step of all members, as TensorFlow functions that are traced once."""

from collections.abc import Callable, Iterable
from typing import Any

import tensorflow as tf

from tfcourse.errors import CannotVectorize
from tfcourse.tuning.population.engines.base import Tensor, Tensors
from tfcourse.tuning.population.engines.tensor_trees import (
    concrete,
    each_array,
    leaves,
    replaced,
    shapes,
    spec,
)
from tfcourse.tuning.population.functional.member import Member
from tfcourse.tuning.population.vectorization.converters import converters
from tfcourse.tuning.population.vectorization.side_effects import (
    none_of_members,
)
from tfcourse.utils.text import first_line

Specs = list[tf.TensorSpec]
Arrays = list[Tensor]


class Step:
    """A function from the state and a mini-batch to a new state.

    Args:
        traced: A function of them to the arrays that are written.
        written: The indices of these.
    """

    def __init__(
        self, traced: Callable[..., Arrays], written: list[int]
    ) -> None:
        self._traced = traced
        self.written = written

    def __call__(self, state: Arrays, batch: Tensors) -> Arrays:
        return replaced(state, self.written, self._traced(state, batch))


class Steps:
    """Maps a member's steps over several members, by `tf.vectorized_map`.

    What is traced for a number of members serves mini-batches of any size,
    unless one is given; what XLA compiles is for one size.

    Args:
        member: A `Member`.

    Attributes:
        one_by_one: The names of operations that are not vectorised, but run
            for one member after another.
        looped: How often a function was mapped that has such operations.
    """

    def __init__(self, member: Member) -> None:
        self.member = member
        self.one_by_one: set[str] = set()
        self.looped = 0
        self._known: dict[tuple[Any, ...], Step] = {}

    def train(
        self,
        state: Specs,
        data: Tensors,
        own: bool,
        for_xla: bool = False,
        batch_size: int | None = None,
    ) -> Step:
        """Returns the `Step` that trains.

        Args:
            state: What the arrays of so many members look like, a list of
                `tf.TensorSpec`s.
            data: What mini-batches are taken of.
            own: Whether each member has a mini-batch of its own.
            for_xla: Whether XLA is to compile it.
            batch_size: The size of mini-batches, or None for any.
        """
        return self._once(self._train, state, data, own, for_xla, batch_size)

    def train_by_xla(
        self, state: Specs, data: Tensors, own: bool, batch_size: int
    ) -> Step:
        """Returns what `train` does, compiled for mini-batches of one size."""
        step = self.train(state, data, own, for_xla=True)

        def written(state: Arrays, batch: Tensors) -> Arrays:
            new = step(state, batch)
            return [new[i] for i in step.written]

        sizes = _sizes(state, own, batch_size)
        compiled = concrete(written, state, data, sizes, jit_compile=True)
        return Step(compiled, step.written)

    def train_updated_by_xla(
        self, state: Specs, data: Tensors, own: bool
    ) -> Step:
        """Returns what `train` does, of which XLA compiles the second half.

        What an optimizer does is much for the memory and little for the
        processor, which is where XLA gains most; it depends on no mini-batch.

        Raises:
            SparseGradientError: If a gradient is sparse, whose size depends on
                the mini-batch.
        """
        key = "halves", own, state[0].shape[0], shapes(data)
        if key not in self._known:
            self._known[key] = self._in_halves(state, data, own)
        return self._known[key]

    def evaluate(self, state: Specs, data: Tensors, own: bool) -> Step:
        return self._once(self._evaluate, state, data, own)

    def map(
        self,
        of_member: Callable[..., Any],
        state: Arrays,
        *batch: Tensors,
        own: bool = False,
        for_xla: bool = False,
    ) -> Any:
        """Returns what a member's function returns, for all members."""

        def of_one(elements: tuple[Arrays, Arrays]) -> Any:
            arrays, own_leaves = elements
            mine = _filled(batch, own_leaves) if own else batch
            with none_of_members():
                return of_member(arrays, *mine)

        mapped = tf.vectorized_map if self.member.shapes is None else _of_one
        with converters(for_xla) as one_by_one:
            try:
                return mapped(of_one, (state, leaves(batch) if own else []))
            except (CannotVectorize, SparseGradientError):
                raise
            except (ValueError, TypeError, NotImplementedError) as error:
                raise CannotVectorize(
                    first_line(error) or type(error).__name__
                ) from error
            finally:
                self.one_by_one |= one_by_one
                self.looped += bool(one_by_one)

    def _once(
        self,
        step_of_member: Callable[[Arrays, Tensors], Arrays],
        state: Specs,
        data: Tensors,
        own: bool,
        for_xla: bool = False,
        batch_size: int | None = None,
    ) -> Step:
        sizes = _sizes(state, own, batch_size)
        key = (step_of_member.__name__, own, for_xla, state[0].shape[0])
        key += (shapes(data), batch_size)
        if key not in self._known:
            self._known[key] = self._traced(
                step_of_member, state, data, own, for_xla, sizes
            )
        return self._known[key]

    def _traced(
        self,
        step_of_member: Callable[[Arrays, Tensors], Arrays],
        state: Specs,
        data: Tensors,
        own: bool,
        for_xla: bool,
        sizes: list[int | None],
    ) -> Step:
        written: list[int] = []

        def of_member(arrays: Arrays, batch: Tensors) -> Arrays:
            new = step_of_member(arrays, batch)
            written[:] = _changed(new, arrays)
            return [new[i] for i in written]

        def step(state: Arrays, batch: Tensors) -> Arrays:
            new = self.map(of_member, state, batch, own=own, for_xla=for_xla)
            return _like(state, new, written)

        traced = concrete(step, state, data, sizes)
        return Step(traced, written)

    def _in_halves(self, state: Specs, data: Tensors, own: bool) -> Step:
        differentiate, has_gradient, by_forward = self._first_half(
            state, data, own
        )
        known, _ = differentiate.structured_outputs
        update, held, by_update = self._second_half(state, known, has_gradient)
        written = [*by_forward, *by_update]

        def step(state: Arrays, batch: Tensors) -> Arrays:
            known, new = differentiate(state, batch)
            more = update([state[i] for i in held], known)
            return _like(state, [*new, *more], written)

        return Step(step, written)

    def _first_half(
        self, state: Specs, data: Tensors, own: bool
    ) -> tuple[Any, list[bool], list[int]]:
        """Traces the gradients.

        Returns:
            What computes the known gradients and the arrays that have changed,
            which parameters have a gradient, and which arrays these are.
        """
        has_gradient: list[bool] = []
        by_forward: list[int] = []

        def differentiated(
            arrays: Arrays, batch: Tensors
        ) -> tuple[Arrays, Arrays]:
            gradients, new = self._differentiated(arrays, batch)
            if any(isinstance(g, tf.IndexedSlices) for g in gradients):
                raise SparseGradientError
            has_gradient[:] = [g is not None for g in gradients]
            by_forward[:] = _changed(new, arrays)
            known = [g for g in gradients if g is not None]
            return known, [new[i] for i in by_forward]

        def first_half(state: Arrays, batch: Tensors) -> Any:
            return self.map(differentiated, state, batch, own=own)

        traced = concrete(first_half, state, data, _sizes(state, own))
        return traced, has_gradient, by_forward

    def _second_half(
        self, state: Specs, known: Arrays, has_gradient: list[bool]
    ) -> tuple[Callable[..., Arrays], list[int], list[int]]:
        """Traces the update, for XLA to compile.

        Returns:
            What computes the arrays that have changed, of some arrays and the
            known gradients; which arrays it takes; and which have changed.
        """
        member, by_update = self.member, []
        held = [
            *range(member.parameters),
            *range(member.of_model, member.saved),
        ]

        def updated(values: Arrays, known: Arrays) -> Arrays:
            rest = iter(known)
            arrays = replaced([None] * len(state), held, values)
            gradients = [next(rest) if has else None for has in has_gradient]
            new = member.apply(arrays, gradients)
            by_update[:] = _changed(new, arrays)
            return [new[i] for i in by_update]

        def second_half(values: Arrays, known: Arrays) -> Any:
            return self.map(updated, values, known, own=True, for_xla=True)

        traced = tf.function(
            second_half, autograph=False, jit_compile=True
        ).get_concrete_function(
            [spec(state[i]) for i in held], each_array(spec, known)
        )
        return traced, held, by_update

    def _train(self, arrays: Arrays, batch: Tensors) -> Arrays:
        gradients, new = self._differentiated(arrays, batch)
        return self.member.apply(new, gradients)

    def _differentiated(
        self, arrays: Arrays, batch: Tensors
    ) -> tuple[list[Tensor | None], Arrays]:
        parameters = arrays[: self.member.parameters]
        with tf.GradientTape(watch_accessed_variables=False) as tape:
            tape.watch(parameters)
            loss, new = self.member.forward(arrays, batch, training=True)
        # That of an embedding stays sparse, as in `fit`: Keras's optimizers
        # square its rows before they add those of the same word.
        return tape.gradient(loss, parameters), new

    def _evaluate(self, arrays: Arrays, batch: Tensors) -> Arrays:
        _, new = self.member.forward(arrays, batch, training=False)
        return new


def _of_one(function: Callable[..., Any], elements: Any) -> Any:
    """Does as `tf.vectorized_map`, for a single member."""
    results = function(tf.nest.map_structure(lambda x: x[0], elements))
    return tf.nest.map_structure(lambda x: x[None], results)


class SparseGradientError(NotImplementedError):
    """A gradient is sparse, and so of another size for each mini-batch."""


def _changed(new: Arrays, old: Arrays) -> list[int]:
    """Returns the indices of the arrays that are others than before."""
    pairs = enumerate(zip(new, old, strict=True))
    return [i for i, (now, before) in pairs if now is not before]


def _like(state: Arrays, new: Arrays, written: list[int]) -> Arrays:
    """Returns new values of some arrays, of the shapes of the old ones."""
    return [
        tf.ensure_shape(value, state[i].shape)
        for i, value in zip(written, new, strict=True)
    ]


def _sizes(
    state: Specs, own: bool, batch_size: int | None = None
) -> list[int | None]:
    return [state[0].shape[0], batch_size] if own else [batch_size]


def _filled(data: Tensors, values: Iterable[Tensor]) -> Tensors:
    """Returns nested arrays like `data`, of other leaves."""
    values = iter(values)
    return each_array(lambda _: next(values), data)
