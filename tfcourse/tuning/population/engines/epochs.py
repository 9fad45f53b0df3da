"""A loop over mini-batches, in shards of the members."""

from collections.abc import Callable
from typing import Any

import tensorflow as tf

from tfcourse.tuning.population.engines.base import Tensor, Tensors
from tfcourse.tuning.population.engines.sharding import in_shards
from tfcourse.tuning.population.engines.steps import Step, Steps
from tfcourse.tuning.population.engines.tensor_trees import (
    each_array,
    gathered,
    replaced,
    spec,
)


def epoch(
    step_for: Callable[[list[tf.TensorSpec], Tensors, bool], Step],
    shard: int | None,
) -> Callable[..., list[Tensor]]:
    """Returns the function of an epoch, for mini-batches of any size.

    Args:
        step_for: A function that returns a `Step`, for what the state of a
            shard looks like, the data, and whether each member has a mini-batch
            of its own.
        shard: How many members make a shard; None if there are no shards.
    """

    def function(
        state: list[Tensor], data: Tensors, order: Tensor, batch_size: Tensor
    ) -> list[Tensor]:
        step = step_for(_of_shard_size(state, shard), data, is_own(order))

        def of_shard(start: Tensor, part: list[Tensor]) -> list[Tensor]:
            own = _order_of_shard(order, start, shard)
            return _in_batches(step, part, data, own, batch_size)

        return in_shards(of_shard, shard, state, step.written)

    return function


def epoch_by_xla(
    steps: Steps, shard: int | None, batch_size: int
) -> Callable[..., list[Tensor]]:
    """Returns the function of an epoch of whose steps XLA compiles all.

    Args:
        steps: The `Steps`.
        shard: As for `epoch`.
        batch_size: The size of mini-batches; the last may be smaller, and is
            trained on without XLA.
    """

    def function(
        state: list[Tensor], data: Tensors, order: Tensor
    ) -> list[Tensor]:
        own, some = is_own(order), _of_shard_size(state, shard)
        compiled = steps.train_by_xla(some, data, own, batch_size)
        step = steps.train(some, data, own, for_xla=True)
        whole = tf.shape(order)[-1] // batch_size * batch_size

        def of_shard(start: Tensor, part: list[Tensor]) -> list[Tensor]:
            indices = _order_of_shard(order, start, shard)
            part = _in_batches(
                compiled, part, data, indices[..., :whole], batch_size
            )
            # At most one, which is smaller.
            return _in_batches(
                step,
                part,
                data,
                indices[..., whole:],
                tf.constant(batch_size),
            )

        return in_shards(of_shard, shard, state, step.written)

    return function


def epoch_of_sizes(
    steps: Steps, shard: int | None, batch_size: int, rest: int
) -> Callable[..., list[Tensor]]:
    """Returns the function of an epoch, traced for its sizes of mini-batches.

    Args:
        steps: The `Steps`.
        shard: As for `epoch`.
        batch_size: The size of mini-batches.
        rest: That of the last one, if it is smaller; or 0.
    """

    def function(
        state: list[Tensor], data: Tensors, order: Tensor
    ) -> list[Tensor]:
        own, some = is_own(order), _of_shard_size(state, shard)
        of_size = {
            size: steps.train(some, data, own, batch_size=size)
            for size in (batch_size, rest)
            if size
        }
        whole = tf.shape(order)[-1] // batch_size * batch_size

        def of_shard(start: Tensor, part: list[Tensor]) -> list[Tensor]:
            indices = _order_of_shard(order, start, shard)
            pieces = indices[..., :whole], indices[..., whole:]
            for (size, step), own in zip(of_size.items(), pieces, strict=False):
                part = _in_batches(step, part, data, own, size)
            return part

        return in_shards(of_shard, shard, state, of_size[batch_size].written)

    return function


def is_own(order: Tensor) -> bool:
    """Whether each member has examples of its own."""
    return order.shape.rank == 2


def _in_batches(
    step: Step,
    state: list[Tensor],
    data: Tensors,
    order: Tensor,
    batch_size: Any,
) -> list[Tensor]:
    """Returns the state after a step on each mini-batch."""

    def body(start: Tensor, values: list[Tensor]) -> tuple[Tensor, list]:
        indices = order[..., start : start + batch_size]
        if isinstance(batch_size, int):
            # They are all whole: it is for these that XLA compiles the step.
            sizes = [*order.shape[:-1], batch_size]
            indices = tf.ensure_shape(indices, sizes)
        new = step(
            replaced(state, step.written, values), gathered(data, indices)
        )
        return start + batch_size, [new[i] for i in step.written]

    _, values = tf.while_loop(
        lambda start, _: start < tf.shape(order)[-1],
        body,
        (0, [state[i] for i in step.written]),
        parallel_iterations=1,
    )
    return replaced(state, step.written, values)


def _of_shard_size(
    state: list[Tensor], shard: int | None
) -> list[tf.TensorSpec]:
    """Returns what the state of a shard looks like, or that of all members."""
    if shard is None:
        return each_array(spec, state)
    return [tf.TensorSpec([shard, *v.shape[1:]], v.dtype) for v in state]


def _order_of_shard(order: Tensor, start: Tensor, shard: int | None) -> Tensor:
    """Returns the order of examples for a shard's members."""
    if shard is None or not is_own(order):
        return order
    own = order[start : start + shard]
    return tf.ensure_shape(own, [shard, order.shape[1]])
