"""One epoch of all members, in parts if memory does not suffice."""

import concurrent.futures
import contextlib
import functools
from collections.abc import Callable, Iterable, Iterator
from typing import Any, Literal

import numpy as np
from keras import ops

from tfcourse.tuning.population.data.batches import Batches
from tfcourse.tuning.population.data.readers import ArrayReader, Reader
from tfcourse.tuning.population.engines.base import (
    Engine,
    Tensor,
    Tensors,
    XlaScope,
)
from tfcourse.tuning.population.frozen_prefix import FrozenPrefix
from tfcourse.tuning.population.functional.member import Member
from tfcourse.tuning.population.state import State, take

Logs = dict[str, np.ndarray]
# Computes something of the members of some rows, given by number.
_Run = Callable[[list[Tensor], np.ndarray], tuple[list[Tensor], Logs]]
# What a `Reader` does.
Read = Callable[[], list[Batches]]

# Below so many steps, counted for every member, compiling costs more time than
# it saves.
_STEPS_WORTH_COMPILING = 4000
# XLA's convolutions on CPUs are no faster than plain ones, which are written
# out member by member up to this number.
_LARGEST_CONVOLVED_PLAINLY = 128


class TrainingLoop:
    """Runs epochs of a population's `State`.

    Args:
        member: The `Member`.
        engine: What computes, for Keras's backend.
        state: The `State`.
        jit_compile: As for `Population`.
        any_batch_size: Whether others with mini-batches of another size will
            use the engine, too.
        prefix: What is computed before, once for all members, or None.

    Attributes:
        pieces: In how many parts the members go one after the other.
        xla: Whether XLA has compiled the step.
    """

    def __init__(
        self,
        member: Member,
        engine: Engine,
        state: State,
        jit_compile: bool | Literal["auto"],
        any_batch_size: bool,
        prefix: FrozenPrefix | None = None,
    ) -> None:
        self._prefix = prefix
        self._member = member
        self._engine = engine
        self._state = state
        self._jit_compile = jit_compile
        self._any_batch_size = any_batch_size
        self._xla: XlaScope = None
        self._members = self._steps = self._left = 0
        self.pieces = 1

    @property
    def steps(self) -> int:
        """How many mini-batches an epoch has."""
        return self._steps

    @property
    def xla(self) -> bool:
        return self._engine.compiles(self._xla)

    def plan(
        self,
        epochs: int,
        batches: list[Batches],
        validation: Reader | None,
        fill: Callable[[], None],
    ) -> None:
        """Fixes the work of the next epochs; compiles it where that pays.

        Args:
            epochs: How many epochs will be run.
            batches: The `Batches` of one of them.
            validation: As for `run`.
            fill: A function that fills the `State`; it is called while XLA
                compiles, if it does.
        """
        self._left = epochs
        self._steps = sum(b.steps for b in batches)
        self._decide()
        compiling = self._compile_ahead(batches[0])
        try:
            fill()
            # A dataset is not gone through once more than `fit` does.
            if compiling is not None and isinstance(validation, ArrayReader):
                with contextlib.suppress(MemoryError):
                    self._try_evaluation(validation())
        finally:
            if compiling is not None:
                concurrent.futures.wait([compiling])
        if compiling is not None:
            with contextlib.suppress(MemoryError):
                compiling.result()

    def _compile_ahead(
        self, batches: Batches
    ) -> concurrent.futures.Future[None] | None:
        members = self._state.rows
        # If memory does not suffice, it is for `run` to go on in pieces.
        with contextlib.suppress(MemoryError):
            data, order = next(
                self._fed(batches, np.arange(len(batches)), members)
            )
            return self._engine.compile_ahead(
                len(members),
                data,
                order,
                batches.batch_size,
                self._xla,
            )

    def _decide(self) -> None:
        self._members = len(self._state.rows)
        if self._pays():
            self._xla = "update" if self._any_batch_size else "step"
        else:
            self._xla = None

    def _pays(self) -> bool:
        if self._jit_compile != "auto":
            return bool(self._jit_compile)
        if self._any_batch_size and self._engine.updates_by_xla:
            return True
        steps = self._left * self._steps * self._members
        return steps >= _STEPS_WORTH_COMPILING and not (
            self._member.convolves
            and self._members <= _LARGEST_CONVOLVED_PLAINLY
        )

    def run(
        self,
        batches: list[Batches],
        orders: list[np.ndarray],
        validation: Reader | None,
    ) -> tuple[list[Tensor], Logs]:
        """Returns the arrays after an epoch, and its metrics.

        Args:
            batches: A list of `Batches` to train on.
            orders: For each of them, the positions of the examples in order.
            validation: What gives the `Batches` to evaluate on, or None.
        """
        if len(self._state.rows) != self._members:
            # XLA would compile anew for the members that were kept.
            self._decide()
        self._left -= 1
        # However many parts there are, a dataset is gone through once.
        once = validation and functools.cache(validation)
        return self._as_memory_allows(
            lambda arrays, members: self._one(
                arrays, members, batches, orders, once
            )
        )

    def try_batch(
        self, batches: Batches, held_out: Batches | None
    ) -> tuple[list[Tensor], Logs]:
        """Returns what `run` does, of one mini-batch; the state stays.

        Args:
            batches: The mini-batch.
            held_out: Another one, on which the members are evaluated before;
                or None.
        """

        def one(
            arrays: list[Tensor], members: np.ndarray
        ) -> tuple[list[Tensor], Logs]:
            logs: Logs = {}
            if held_out is not None:
                arrays, more = self.evaluate(arrays, [held_out], members)
                logs = _of_evaluation(more)
            order = np.arange(len(batches))
            arrays, own = self._one(arrays, members, [batches], [order], None)
            return arrays, own | logs

        return self._as_memory_allows(one)

    def _as_memory_allows(self, one: _Run) -> tuple[list[Tensor], Logs]:
        while True:
            try:
                return self._in_pieces(one)
            except MemoryError:
                members = len(self._state.rows)
                if self.pieces >= members:
                    raise
                self.pieces = min(2 * self.pieces, members)

    def evaluate(
        self,
        arrays: list[Tensor],
        batches: list[Batches],
        members: np.ndarray | None = None,
    ) -> tuple[list[Tensor], dict[str, Tensor]]:
        """Returns the arrays, and a dict from metric to its values.

        Args:
            arrays: With a row for each of the members.
            batches: A list of `Batches`.
            members: The indices of the members; may be left out if they do not
                have subsets.
        """
        arrays = self._state.begin(arrays)
        for each in self._evaluations(batches, members):
            arrays = self._engine.evaluate(arrays, *each)
        return arrays, self._engine.results(arrays)

    def _in_pieces(self, one: _Run) -> tuple[list[Tensor], Logs]:
        arrays, members = self._state.arrays, self._state.rows
        if self.pieces == 1:
            return one(arrays, members)
        outcomes = [
            one(take(arrays, rows), members[rows])
            for rows in np.array_split(np.arange(len(members)), self.pieces)
        ]
        parts, logs = zip(*outcomes, strict=True)
        return (
            [ops.concatenate(column) for column in zip(*parts, strict=True)],
            {n: np.concatenate([log[n] for log in logs]) for n in logs[0]},
        )

    def _one(
        self,
        arrays: list[Tensor],
        members: np.ndarray,
        batches: list[Batches],
        orders: list[np.ndarray],
        validation: Read | None,
    ) -> tuple[list[Tensor], Logs]:
        arrays = self._state.begin(arrays)
        for b, positions in zip(batches, orders, strict=True):
            for data, order in self._fed(b, positions, members):
                arrays = self._engine.train_epoch(
                    arrays, data, order, b.batch_size, self._xla
                )
        logs = _in_numpy(self._engine.results(arrays))
        if validation is not None:
            arrays, more = self.evaluate(arrays, validation(), members)
            logs |= _of_evaluation(more)
        return arrays, logs

    def _try_evaluation(self, batches: list[Batches]) -> None:
        """Evaluates on one example, after which the programs are there."""
        arrays, members = self._state.arrays, self._state.rows
        for data, order, batch_size in self._evaluations(batches, members):
            one = order[..., :1]
            arrays = self._engine.evaluate(arrays, data, one, batch_size)
        self._engine.results(arrays)

    def _evaluations(
        self, batches: Iterable[Batches], members: np.ndarray | None
    ) -> Iterator[tuple[Tensors, Tensor, int]]:
        for b in batches:
            for data, order in self._fed(b, np.arange(len(b)), members):
                yield data, order, b.batch_size

    def _fed(
        self,
        batches: Batches,
        positions: np.ndarray,
        members: np.ndarray | None,
    ) -> Iterator[tuple[Tensors, Tensor]]:
        """Yields arrays, and in which order to go through them."""
        order = batches.order(positions, members)
        fed: Any = [(batches.arrays, order)]
        if self._prefix is not None:
            fed = self._prefix.feed(batches, order)
        for arrays, some in fed:
            yield arrays, ops.convert_to_tensor(some, "int32")


def _of_evaluation(logs: dict[str, Tensor]) -> Logs:
    return {f"val_{name}": value for name, value in _in_numpy(logs).items()}


def _in_numpy(logs: dict[str, Tensor]) -> Logs:
    return {
        name: np.asarray(ops.convert_to_numpy(value))
        for name, value in logs.items()
    }
