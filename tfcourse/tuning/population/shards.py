"""A population in parts, each trained by a thread of its own.

XLA's programs hardly share their work among the cores of a CPU.
"""

import math
import os

import numpy as np
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
    starts = [min(s, members - size) for s in range(0, members, size)]

    def shard(start):
        part = [v[start : start + size] for v in state]
        part = [tf.ensure_shape(v, [size, *v.shape[1:]]) for v in part]
        return of_shard(start, part)

    parts = tf.map_fn(
        shard,
        tf.constant(starts),
        parallel_iterations=len(starts),
        fn_output_signature=[
            tf.TensorSpec([size, *v.shape[1:]], v.dtype) for v in state
        ],
    )
    members_of_rows = [range(s, s + size) for s in starts]
    _, rows = np.unique(np.concatenate(members_of_rows), return_index=True)
    return [tf.gather(tf.reshape(v, [-1, *v.shape[2:]]), rows) for v in parts]
