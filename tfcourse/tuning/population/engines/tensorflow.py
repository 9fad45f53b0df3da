"""A population's epoch as one TensorFlow program."""

import concurrent.futures
import contextlib
from collections.abc import Callable, Iterator
from typing import Any

import tensorflow as tf

from tfcourse.tuning.population.engines.base import (
    Engine,
    Tensor,
    Tensors,
    XlaScope,
)
from tfcourse.tuning.population.engines.epochs import is_own
from tfcourse.tuning.population.engines.programs import (
    Kind,
    ProgramKey,
    Programs,
)
from tfcourse.tuning.population.engines.sharding import size_of_shards
from tfcourse.tuning.population.engines.steps import SparseGradientError
from tfcourse.tuning.population.engines.tensor_trees import tensors
from tfcourse.tuning.population.functional.member import Member
from tfcourse.utils.text import first_line


class TensorFlowEngine(Engine):
    """Maps a member's functions over all members, by `tf.vectorized_map`.

    One call trains one epoch: a loop inside the program gathers the
    mini-batches on the device. On a CPU it runs for several shards of the
    members at a time, each of the same size. How many members there are, how
    many examples and how many in a mini-batch, is left open when a program is
    traced, so that one trace serves populations of other sizes, other batch
    sizes, and the last, smaller mini-batch; but that is known where the steps
    of recurrent layers are written out. Where there are no shards, what XLA
    compiles, and what must be written out member by member, is traced for a
    given number of members.

    XLA compiles a step, not the loop; the last, smaller mini-batch runs the
    same traced step without XLA, which costs no second compilation. Or it
    compiles the optimizer's half of the step, which serves mini-batches of any
    size.

    Args:
        member: A `Member`.

    Attributes:
        programs: What was traced.
    """

    def __init__(self, member: Member) -> None:
        super().__init__(member)
        self.programs = Programs(member)
        self._cannot: set[XlaScope] = set()
        self._shard: int | None = None
        self._trained = ProgramKey(Kind.TRAIN)

    @property
    def one_by_one(self) -> set[str]:
        return self.programs.one_by_one

    @property
    def any_number(self) -> bool:
        return self.member.shapes is not None or not self.programs.is_fixed(
            self._trained
        )

    def compiles(self, xla: XlaScope) -> bool:
        return xla is not None and xla not in self._cannot

    def compile_ahead(
        self,
        members: int,
        data: Tensors,
        order: Tensor,
        batch_size: int,
        xla: XlaScope,
    ) -> concurrent.futures.Future[None] | None:
        # XLA compiles what is run: here a step of some members full of zeros.
        # It is traced in this thread, as two must not trace at once.
        if not self.compiles(xla):
            return None
        size = self._size_of_shards(members, xla) or members
        order = _of_rows(order, tf.range(size) % members)[..., :batch_size]
        key, sizes = self._key_by_xla(members, batch_size, xla)
        arguments = _arguments(self.member.zeros(size), data, order, *sizes)
        if self.programs.is_traced(key, arguments):
            return None
        self._trained = key
        with self._going_on_without(xla):
            program = self.programs.get(key, arguments)
            return _in_thread(self._compile, xla, program, arguments)
        return None

    def train_epoch(
        self,
        state: list[Tensor],
        data: Tensors,
        order: Tensor,
        batch_size: int,
        xla: XlaScope = None,
    ) -> list[Tensor]:
        members = len(state[0])
        if self.compiles(xla):
            with self._going_on_without(xla):
                key, sizes = self._key_by_xla(members, batch_size, xla)
                self._trained = key
                new = self._run_epoch(key, state, data, order, *sizes)
                self.updates_by_xla = xla == "update"
                return new
        size, sizes = self._size_of_shards(members), [batch_size]
        self._trained = ProgramKey(Kind.TRAIN, size)
        if self.member.writes_out_loops:
            # For a known size the gradient of each step is half as long.
            batch_size, sizes = min(batch_size, order.shape[-1]), []
            rest = order.shape[-1] % batch_size
            self._trained = ProgramKey(Kind.TRAIN, size, batch_size, rest)
        return self._run_epoch(self._trained, state, data, order, *sizes)

    def evaluate(
        self,
        state: list[Tensor],
        data: Tensors,
        order: Tensor,
        batch_size: int,
    ) -> list[Tensor]:
        key = ProgramKey(Kind.EVALUATE, self._size_of_shards(len(state[0])))
        return self._run_epoch(key, state, data, order, batch_size)

    def results(self, state: list[Tensor]) -> dict[str, Tensor]:
        needed = self.member.needed_for_results(list(state))
        return self._run(ProgramKey(Kind.RESULTS), needed)

    def finish(self, state: list[Tensor]) -> list[Tensor]:
        return self._run(ProgramKey(Kind.FINISH), state)

    def predict(self, state: list[Tensor], x: Tensors) -> Tensors:
        return self._run(ProgramKey(Kind.PREDICT), state, x)

    def _key_by_xla(
        self, members: int, batch_size: int, xla: XlaScope
    ) -> tuple[ProgramKey, list[int]]:
        """Returns what trains by XLA, and what it takes besides the order."""
        size = self._size_of_shards(members, xla)
        if xla == "step":
            return ProgramKey(Kind.TRAIN_BY_XLA, size, batch_size), []
        return ProgramKey(Kind.TRAIN_UPDATED_BY_XLA, size), [batch_size]

    def _size_of_shards(self, members: int, xla: XlaScope = None) -> int | None:
        """Returns how many members make a shard; None if there are none."""
        if self.member.shapes is not None:
            return None
        if self._shard is None:
            # What is traced for it serves other numbers of members.
            self._shard = size_of_shards(members, xla == "step")
        return self._shard

    def _compile(
        self,
        xla: XlaScope,
        program: Callable[..., Any],
        arguments: list[Tensors],
    ) -> None:
        """Runs a program for the first time, for nothing but that."""
        with (
            self._going_on_without(xla),
            tf.device(arguments[0][0].device),
            _memory_errors(),
        ):
            program(*arguments)
            self.updates_by_xla = xla == "update"

    def _run_epoch(
        self,
        key: ProgramKey,
        state: list[Tensor],
        data: Tensors,
        order: Tensor,
        *others: int,
    ) -> list[Tensor]:
        members = len(state[0])
        if key.shard is None or members >= key.shard:
            return self._run(key, state, data, order, *others)
        # Fewer than a shard: some count twice, and nothing is traced anew.
        rows = tf.range(key.shard) % members
        state = [tf.gather(array, rows) for array in state]
        new = self._run(key, state, data, _of_rows(order, rows), *others)
        return [array[:members] for array in new]

    def _run(
        self, key: ProgramKey, state: list[Tensor], *others: Tensors
    ) -> Any:
        if self.member.shapes is not None and len(state[0]) > 1:
            return self._one_after_another(key, state, *others)
        arguments = _arguments(state, *others)
        with _memory_errors():
            return self.programs.get(key, arguments)(*arguments)

    def _one_after_another(
        self, key: ProgramKey, state: list[Tensor], *others: Tensors
    ) -> Any:
        """Runs a program that is traced for a single member."""
        given = list(map(tensors, others))
        order = given[1] if len(given) > 1 else None
        members = len(state[0])
        # One operation for all rows of an array, not one for each.
        rows = zip(*(tf.split(array, members) for array in state), strict=True)
        parts = []
        for k, row in enumerate(rows):
            own = list(given)
            if order is not None and is_own(order):
                own[1] = order[k : k + 1]
            parts.append(self._run(key, list(row), *own))
        return tf.nest.map_structure(lambda *x: tf.concat(x, 0), *parts)

    @contextlib.contextmanager
    def _going_on_without(self, xla: XlaScope) -> Iterator[None]:
        """While it lasts, XLA may fail: then it is not used again."""
        try:
            yield
        except SparseGradientError:
            self._cannot.add(xla)
        except (
            tf.errors.InvalidArgumentError,
            tf.errors.UnimplementedError,
        ) as error:
            self._cannot |= {"step", "update"}
            self.remarks.append(
                f"XLA could not compile the step: {first_line(error.message)}"
            )


@contextlib.contextmanager
def _memory_errors() -> Iterator[None]:
    """While it lasts, TensorFlow's error is Python's."""
    try:
        yield
    except tf.errors.ResourceExhaustedError as error:
        raise MemoryError(str(error)) from error


def _arguments(state: list[Tensor], *others: Tensors) -> list[Tensors]:
    return [list(state), *map(tensors, others)]


def _of_rows(order: Tensor, rows: Tensor) -> Tensor:
    """Returns the order of examples of some members, given by number."""
    return tf.gather(order, rows) if is_own(order) else order


def _in_thread(
    function: Callable[..., None], *arguments: Any
) -> concurrent.futures.Future[None]:
    executor = concurrent.futures.ThreadPoolExecutor(1)
    try:
        return executor.submit(function, *arguments)
    finally:
        # Its thread ends with the function.
        executor.shutdown(wait=False)
