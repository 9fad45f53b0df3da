"""Mini-batches, and how large to make them."""

import itertools
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np

from tfcourse.utils.validation import check_integer

if TYPE_CHECKING:
    import tensorflow as tf


def mini_batches(
    x: Any, y: Any, batch_size: int = 64, seed: Any = 0
) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    r"""Yields the mini-batches of one epoch, shuffled together.

    $X^{\{t\}}, Y^{\{t\}}$ for $t = 1, \dots, \lceil m / \text{batch\_size}
    \rceil$. Every example comes once; the last batch is smaller when
    `batch_size` does not divide $m$.

    Args:
        x: $X$, shape `(m, ...)`.
        y: $Y$, shape `(m, ...)`.
        batch_size: Examples in a mini-batch, at least 1.
        seed: Seed of the shuffle. Give each epoch its own, e.g.
            `seed=(seed, epoch)`.

    Yields:
        Pairs of arrays.

    Raises:
        TypeError: If `batch_size` is not a whole number.
        ValueError: If `batch_size` is below 1 or `x` and `y` differ in length.

    Example:

    >>> x = np.arange(5)
    >>> [len(a) for a, b in mini_batches(x, -x, batch_size=2)]
    [2, 2, 1]

    Reference:
        Ng, Improving Deep Neural Networks, week 2, Mini-batch gradient descent.
    """
    x, y = _checked(x, y, batch_size)
    return _batches(x, y, batch_size, seed)


def mini_batch_dataset(
    x: Any, y: Any, batch_size: int = 64, seed: Any = 0
) -> "tf.data.Dataset":
    """Returns the mini-batches as a `tf.data.Dataset`, one epoch a pass.

    Pass number `epoch`, from 0, gives the batches of `mini_batches(x, y,
    batch_size, seed=(seed, epoch))`: each epoch has its own order, and a
    program that is run again has the same. Needs TensorFlow.

    Args:
        x: $X$, shape `(m, ...)`.
        y: $Y$, shape `(m, ...)`.
        batch_size: Examples in a mini-batch, at least 1.
        seed: Seed of all the shuffles.

    A pass that is broken off counts as one: look at a batch with
    `mini_batches`.

    Raises:
        TypeError: As `mini_batches`.
        ValueError: As `mini_batches`.
    """
    import tensorflow as tf

    x, y = _checked(x, y, batch_size)
    epochs = itertools.count()
    signature = tuple(
        tf.TensorSpec((None, *each.shape[1:]), each.dtype) for each in (x, y)
    )
    batches = tf.data.Dataset.from_generator(
        lambda: _batches(x, y, batch_size, (seed, next(epochs))),
        output_signature=signature,
    )
    count = tf.data.experimental.assert_cardinality(-(-len(x) // batch_size))
    return batches.apply(count).prefetch(tf.data.AUTOTUNE)


def _checked(x, y, batch_size):
    x, y = np.asarray(x), np.asarray(y)
    if len(x) != len(y):
        raise ValueError(
            "`x` and `y` must have the same number of examples. Received: "
            f"{len(x)} and {len(y)}"
        )
    check_integer(batch_size, "batch_size", "mini_batches")
    return x, y


def _batches(x, y, batch_size, seed):
    order = np.random.default_rng(seed).permutation(len(x))
    for start in range(0, len(x), batch_size):
        chosen = order[start : start + batch_size]
        yield x[chosen], y[chosen]


def recommended_batch_size(
    m: int, bytes_per_example: int | None = None, memory: int | None = None
) -> int:
    r"""Returns the batch size that the course's rule gives.

    Up to 2,000 examples all of them (batch gradient descent). Above, the
    largest power of two from 64 to 512 that fits into memory.

    Args:
        m: $m$, the number of training examples, at least 1.
        bytes_per_example: What one example needs in training, in bytes: its
            features, activations and their gradients.
        memory: What is available for a mini-batch, in bytes. Give both or
            neither; without them everything is assumed to fit.

    Raises:
        TypeError: If a number is not whole.
        ValueError: If a number is not positive, if only one of
            `bytes_per_example` and `memory` is given, or if not even 64
            examples (all of them, if fewer) fit.

    Example:

    >>> recommended_batch_size(2_000)
    2000
    >>> recommended_batch_size(
    ...     50_000, bytes_per_example=10**6, memory=2 * 10**8
    ... )
    128

    Reference:
        Ng, Improving Deep Neural Networks, week 2, Understanding mini-batch
        gradient descent.
    """
    if (bytes_per_example is None) != (memory is None):
        raise ValueError(
            "Give `bytes_per_example` and `memory` together. Received: "
            f"bytes_per_example={bytes_per_example}, memory={memory}"
        )
    check_integer(m, "m", "recommended_batch_size")
    for name, value in {
        "bytes_per_example": bytes_per_example,
        "memory": memory,
    }.items():
        if value is not None:
            check_integer(value, name, "recommended_batch_size")
    fitting = float("inf") if memory is None else memory // bytes_per_example
    if m <= 2_000 and m <= fitting:
        return m
    for size in (512, 256, 128, 64):
        if size <= min(m, fitting):
            return size
    raise ValueError(
        f"Not even {min(m, 64)} examples of {bytes_per_example} bytes fit into "
        f"{memory} bytes. Make the model or the examples smaller."
    )
