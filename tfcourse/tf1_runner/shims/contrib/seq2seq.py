"""`tf.contrib.seq2seq`: decoders, attention, and the loss of a sequence."""

import tensorflow as tf

from tfcourse.tf1_runner.imports.symbol_names import names_from
from tfcourse.tf1_runner.shims.contrib._seq2seq.losses import (
    by_labels_and_logits,
)

_OURS = "tfcourse.tf1_runner.shims.contrib._seq2seq"

__getattr__ = names_from(
    "tf.contrib.seq2seq",
    f"{_OURS}.decoder",
    f"{_OURS}.helpers",
    f"{_OURS}.attention",
    f"{_OURS}.beam_search",
    f"{_OURS}.monotonic",
)


def sequence_loss(
    logits,
    targets,
    weights,
    average_across_timesteps=True,
    average_across_batch=True,
    softmax_loss_function=None,
    name=None,
):
    r"""Returns the weighted cross-entropy of a sequence of logits.

    With $\ell$ the cross-entropy of each step and $w$ the weights, the
    average over what is asked for is $\sum \ell w / (\sum w + 10^{-12})$.

    Args:
        logits: Shape `(m, time, classes)`.
        targets: Shape `(m, time)`, integers.
        weights: Shape `(m, time)`.
        average_across_timesteps: Whether to average over time.
        average_across_batch: Whether to average over the examples.
        softmax_loss_function: Called with labels and logits in place of the
            softmax cross-entropy.
        name: Of the name scope.
    """
    loss = by_labels_and_logits(
        softmax_loss_function or tf.nn.sparse_softmax_cross_entropy_with_logits
    )
    with tf.name_scope(name, "sequence_loss", [logits, targets, weights]):
        classes = tf.shape(logits)[2]
        flat_logits = tf.reshape(logits, [-1, classes])
        flat_targets = tf.reshape(targets, [-1])
        losses = loss(flat_targets, flat_logits)
        losses *= tf.reshape(weights, [-1])
        if average_across_timesteps and average_across_batch:
            return tf.reduce_sum(losses) / (tf.reduce_sum(weights) + 1e-12)
        losses = tf.reshape(losses, tf.shape(logits)[:2])
        for axis, wanted in (
            (1, average_across_timesteps),
            (0, average_across_batch),
        ):
            if wanted:
                total = tf.reduce_sum(weights, axis=axis) + 1e-12
                return tf.reduce_sum(losses, axis=axis) / total
        return losses
