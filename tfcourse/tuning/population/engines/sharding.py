"""A population in parts, each trained by a core of its own.

Operations on a few members are too small to be shared among the cores of a CPU:
what it takes to share them costs as much as is gained. Nor do XLA's programs
share much of theirs.
"""

import math
from collections.abc import Callable

import tensorflow as tf

from tfcourse.tuning.population.engines.base import Tensor
from tfcourse.tuning.population.engines.tensor_trees import replaced
from tfcourse.utils.machine.cores import cores

# For a single member TensorFlow uses no rules of ours, by which XLA draws the
# numbers that `fit` would draw.
_FEWEST = 2
# More members cost as much each, and may leave cores idle at the end.
_MOST, _MOST_BY_XLA = 4, 16


def size_of_shards(members: int, by_xla: bool = False) -> int | None:
    """Returns how many members make a shard; None if there is a GPU.

    Args:
        members: How many there are.
        by_xla: Whether XLA compiles all of a step.
    """
    if tf.config.list_physical_devices("GPU"):
        return None
    most = _MOST_BY_XLA if by_xla else _MOST
    return min(most, max(_FEWEST, math.ceil(members / cores())))


def in_shards(
    of_shard: Callable[[Tensor, list[Tensor]], list[Tensor]],
    size: int | None,
    state: list[Tensor],
    written: list[int],
) -> list[Tensor]:
    """Returns the new state of all members, computed in shards.

    Args:
        of_shard: A function from the number of a shard's first member, and its
            state, to its new state.
        size: How many members make a shard; None if all of them do. The last
            one begins early enough to be of that size, too.
        state: A list of tensors `(K, ...)`.
        written: The indices of those that may change.
    """
    members = state[0].shape[0]
    if size is None or members == size:
        return of_shard(0, state)
    if members is None:
        members = tf.shape(state[0])[0]
    starts = tf.minimum(tf.range(0, members, size), members - size)

    def shard(start: Tensor) -> list[Tensor]:
        mine = [
            tf.ensure_shape(v[start : start + size], [size, *v.shape[1:]])
            for v in state
        ]
        new = of_shard(start, mine)
        return [new[i] for i in written]

    parts = _side_by_side(shard, starts)
    # The last shard begins with members of the one before it.
    twice = tf.size(starts) * size - members
    rows = tf.range(members)
    rows = tf.where(rows < members + twice - size, rows, rows + twice)
    whole = [
        tf.ensure_shape(
            tf.gather(tf.reshape(part, [-1, *part.shape[2:]]), rows),
            state[i].shape,
        )
        for i, part in zip(written, parts, strict=True)
    ]
    return replaced(state, written, whole)


def _side_by_side(
    function: Callable[[Tensor], list[Tensor]], elements: Tensor
) -> list[Tensor]:
    """Returns what a function returns for each element, stacked.

    It runs for as many elements at a time as there are cores, and each of its
    operations on one core where there are as many elements. `tf.data` can do
    that for functions that are mapped over a data set, and nothing else in
    TensorFlow: how many cores an operation takes is settled once for a process.
    """
    count = tf.size(elements, out_type=tf.int64)
    most = tf.constant(cores(), tf.int64)
    data = tf.data.Dataset.from_tensor_slices(elements)
    data = data.map(
        tf.autograph.experimental.do_not_convert(function),
        num_parallel_calls=cores(),
        deterministic=True,
    ).batch(count)
    spec = data.element_spec
    kind = {
        "output_types": [s.dtype for s in tf.nest.flatten(spec)],
        "output_shapes": [s.shape for s in tf.nest.flatten(spec)],
    }
    # The data set's options say the same, but `get_single_element` does not
    # heed them.
    variant = tf.raw_ops.MaxIntraOpParallelismDataset(
        input_dataset=tf.data.experimental.to_variant(data),
        max_intra_op_parallelism=tf.maximum(most // count, 1),
        **kind,
    )
    variant = tf.raw_ops.PrivateThreadPoolDataset(
        input_dataset=variant, num_threads=tf.minimum(most, count), **kind
    )
    return tf.data.experimental.from_variant(variant, spec).get_single_element()
