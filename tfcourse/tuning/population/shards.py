"""A population in parts, each trained by a thread of its own.

XLA's programs hardly share their work among the cores of a CPU.
"""

import math
import os

import tensorflow as tf

# Of four shards each of two cores has work to the end, of two it has not.
_SHARDS_A_CORE = 2
_SMALLEST = 4


def size_of_shards(members):
    """Returns how many members make a shard; all of them if there is a GPU."""
    if tf.config.list_physical_devices("GPU"):
        return members
    shards = min(_SHARDS_A_CORE * os.cpu_count(), members // _SMALLEST)
    return math.ceil(members / max(shards, 1))


def in_shards(of_shard, size, state):
    """Returns the new state of all members, computed in shards.

    Args:
        of_shard: A function from the number of a shard's first member, and its
            state, to its new state.
        size: How many members make a shard. The last one begins early enough
            to be of that size, too.
        state: A list of tensors `(K, ...)`.
    """
    members = state[0].shape[0]
    if members == size:
        return of_shard(0, state)
    if members is None:
        members = tf.shape(state[0])[0]
    starts = tf.minimum(tf.range(0, members, size), members - size)

    def shard(start):
        part = [v[start : start + size] for v in state]
        part = [tf.ensure_shape(v, [size, *v.shape[1:]]) for v in part]
        return of_shard(start, part)

    parts = tf.map_fn(
        shard,
        starts,
        parallel_iterations=_SHARDS_A_CORE * os.cpu_count(),
        fn_output_signature=[
            tf.TensorSpec([size, *v.shape[1:]], v.dtype) for v in state
        ],
    )
    # The last shard begins with members of the one before it.
    twice = tf.size(starts) * size - members
    rows = tf.range(members)
    rows = tf.where(rows < members + twice - size, rows, rows + twice)
    return [
        tf.ensure_shape(
            tf.gather(tf.reshape(v, [-1, *v.shape[2:]]), rows), old.shape
        )
        for v, old in zip(parts, state, strict=True)
    ]
