"""The TensorFlow programs of a population, each traced once."""

import dataclasses
import enum
from collections.abc import Callable
from typing import Any

import tensorflow as tf

from tfcourse.tuning.population.engines.base import Tensor, Tensors
from tfcourse.tuning.population.engines.epochs import (
    epoch,
    epoch_by_xla,
    epoch_of_sizes,
)
from tfcourse.tuning.population.engines.steps import Steps
from tfcourse.tuning.population.engines.tensor_trees import (
    each_array,
    open_spec,
    spec,
)
from tfcourse.tuning.population.functional.member import Member


class Kind(enum.Enum):
    """What a program computes, and what of it XLA compiles."""

    TRAIN = enum.auto()
    TRAIN_UPDATED_BY_XLA = enum.auto()
    TRAIN_BY_XLA = enum.auto()
    EVALUATE = enum.auto()
    RESULTS = enum.auto()
    FINISH = enum.auto()
    PREDICT = enum.auto()


@dataclasses.dataclass(frozen=True)
class ProgramKey:
    """Which program.

    Attributes:
        kind: What it computes.
        shard: How many members make a shard; None if there are no shards.
        batch_size: The size of the mini-batches that a step is traced for, or
            that XLA compiles it for; None if the program serves all sizes.
        rest: The size of the last one that is traced for, if it is smaller.
    """

    kind: Kind
    shard: int | None = None
    batch_size: int | None = None
    rest: int = 0


class Programs:
    """Traces programs when they are first needed.

    How many members there are is left open in the trace, where that is
    possible.

    Args:
        member: A `Member`.
    """

    def __init__(self, member: Member) -> None:
        self._member = member
        self._steps = Steps(member)
        self._traced: dict[tuple[ProgramKey, str], Callable[..., Any]] = {}
        # What is traced for a given number of members, if not for shards.
        self._fixed = {Kind.TRAIN_BY_XLA, Kind.TRAIN_UPDATED_BY_XLA}
        if member.acts_by_members:
            self._fixed |= {Kind.TRAIN, Kind.EVALUATE, Kind.PREDICT}

    @property
    def keys(self) -> list[ProgramKey]:
        """The key of each program that was traced."""
        return [key for key, _ in self._traced]

    @property
    def one_by_one(self) -> set[str]:
        """As for `Engine`."""
        return self._steps.one_by_one

    def is_fixed(self, key: ProgramKey) -> bool:
        """Whether a program is traced for a given number of members."""
        return key.shard is None and key.kind in self._fixed

    def is_traced(self, key: ProgramKey, arguments: list[Tensors]) -> bool:
        """Whether there is a program for arguments that look like these."""
        return self._with_specs(key, arguments) in self._traced

    def get(
        self, key: ProgramKey, arguments: list[Tensors]
    ) -> Callable[..., Any]:
        """Returns the program for arguments that look like these.

        Args:
            key: Which program.
            arguments: The state, and what else it takes.

        Raises:
            CannotVectorize: If it cannot be traced for many members.
            SparseGradientError: If XLA is to compile the optimizer's update,
                and a gradient is sparse.
        """
        full = self._with_specs(key, arguments)
        if full not in self._traced:
            self._traced[full] = self._trace(key, arguments)
        return self._traced[full]

    def _with_specs(
        self, key: ProgramKey, arguments: list[Tensors]
    ) -> tuple[ProgramKey, str]:
        return key, str(self._specs(key, arguments))

    def _trace(
        self, key: ProgramKey, arguments: list[Tensors]
    ) -> Callable[..., Any]:
        looped = self._steps.looped
        traced = tf.function(
            self._function(key), autograph=False
        ).get_concrete_function(*self._specs(key, arguments))
        is_open = key.shard is None and not self.is_fixed(key)
        if is_open and self._steps.looped > looped:
            # What goes one by one is written out, for so many members.
            self._fixed.add(key.kind)
            return self._trace(key, arguments)
        return traced

    def _specs(
        self, key: ProgramKey, arguments: list[Tensors]
    ) -> list[Tensors]:
        state, *others = arguments
        of_state = spec if self.is_fixed(key) else open_spec
        specs = each_array(of_state, state)
        shapes = self._member.shapes
        if shapes and len(state) > len(shapes):
            specs[: len(shapes)] = [
                tf.TensorSpec([1, *shape], array.dtype)
                for shape, array in zip(shapes, state, strict=False)
            ]
        return [specs, *each_array(open_spec, others)]

    def _function(self, key: ProgramKey) -> Callable[..., Any]:
        steps, member = self._steps, self._member
        size = key.batch_size
        if key.kind is Kind.TRAIN_BY_XLA and size:
            return epoch_by_xla(steps, key.shard, size)
        if key.kind is Kind.TRAIN and size:
            return epoch_of_sizes(steps, key.shard, size, key.rest)
        step_for = {
            Kind.TRAIN: steps.train,
            Kind.TRAIN_UPDATED_BY_XLA: steps.train_updated_by_xla,
            Kind.EVALUATE: steps.evaluate,
        }
        if key.kind in step_for:
            return epoch(step_for[key.kind], key.shard)
        of_member = {
            Kind.RESULTS: member.results,
            Kind.FINISH: member.finish,
            Kind.PREDICT: member.predict,
        }
        return self._mapped(of_member[key.kind])

    def _mapped(self, of_member: Callable[..., Any]) -> Callable[..., Any]:
        def mapped(state: list[Tensor], *batch: Tensors) -> Any:
            return self._steps.map(of_member, state, *batch)

        return mapped
