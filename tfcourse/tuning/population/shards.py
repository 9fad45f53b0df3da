"""A population in parts, each trained by a thread of its own.

XLA's programs hardly share their work among the cores of a CPU.
"""

import math
import os

import tensorflow as tf

from tfcourse.tuning.population.nested import replaced

# Of four shards each of two cores has work to the end, of two it has not.
_SHARDS_A_CORE = 2
_SMALLEST = 4


def size_of_shards(members):
    """Returns how many members make a shard; all of them if there is a GPU."""
    if tf.config.list_physical_devices("GPU"):
        return members
    shards = min(_SHARDS_A_CORE * os.cpu_count(), members // _SMALLEST)
    return math.ceil(members / max(shards, 1))


def in_shards(of_shard, size, state, written):
    """Returns the new state of all members, computed in shards.

    Args:
        of_shard: A function from the number of a shard's first member, and its
            state, to its new state.
        size: How many members make a shard. The last one begins early enough
            to be of that size, too.
        state: A list of tensors `(K, ...)`.
        written: The indices of those that may change.
    """
    members = state[0].shape[0]
    if members == size:
        return of_shard(0, state)
    if members is None:
        members = tf.shape(state[0])[0]
    starts = tf.minimum(tf.range(0, members, size), members - size)

    def shard(start):
        rows = start + tf.range(size)
        new = of_shard(start, [tf.gather(v, rows) for v in state])
        return [new[i] for i in written]

    parts = tf.map_fn(
        shard,
        starts,
        parallel_iterations=_SHARDS_A_CORE * os.cpu_count(),
        fn_output_signature=[
            tf.TensorSpec([size, *state[i].shape[1:]], state[i].dtype)
            for i in written
        ],
    )
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
