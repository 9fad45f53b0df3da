"""The losses of `tf.contrib.legacy_seq2seq`, of lists over time."""

import inspect

import tensorflow as tf


def sequence_loss_by_example(
    logits,
    targets,
    weights,
    average_across_timesteps=True,
    softmax_loss_function=None,
    name=None,
):
    """Returns the weighted cross-entropy of each example.

    Args:
        logits: A list over time of tensors of shape `(m, classes)`.
        targets: A list of tensors of shape `(m,)`, integers.
        weights: A list of tensors of shape `(m,)`.
        average_across_timesteps: Whether to divide by the sum of the weights.
        softmax_loss_function: Called with labels and logits in place of the
            softmax cross-entropy.
        name: Of the name scope.
    """
    loss = by_labels_and_logits(softmax_loss_function) or _cross_entropy
    with tf.name_scope(name, "sequence_loss_by_example", logits):
        losses = [
            loss(target, logit) * weight
            for logit, target, weight in zip(
                logits, targets, weights, strict=True
            )
        ]
        total = tf.add_n(losses)
        if average_across_timesteps:
            total /= tf.add_n(weights) + 1e-12
        return total


def sequence_loss(
    logits,
    targets,
    weights,
    average_across_timesteps=True,
    average_across_batch=True,
    softmax_loss_function=None,
    name=None,
):
    """Returns the sum over the examples, or their average."""
    with tf.name_scope(name, "sequence_loss", logits):
        total = tf.reduce_sum(
            sequence_loss_by_example(
                logits,
                targets,
                weights,
                average_across_timesteps,
                softmax_loss_function,
            )
        )
        if average_across_batch:
            total /= tf.cast(tf.shape(targets[0])[0], total.dtype)
        return total


def _cross_entropy(labels, logits):
    return tf.nn.sparse_softmax_cross_entropy_with_logits(
        labels=tf.reshape(labels, [-1]), logits=logits
    )


def by_labels_and_logits(loss):
    """Returns a script's loss as a function of labels and logits, or None.

    It was called with the logits and the labels before TensorFlow 1.0, then
    the other way round, and by these names since 1.1.
    """
    if loss is None:
        return None
    parameters = inspect.signature(loss).parameters
    kinds = {parameter.kind for parameter in parameters.values()}
    if {"labels", "logits"} <= {*parameters} or (
        inspect.Parameter.VAR_KEYWORD in kinds
    ):
        return lambda labels, logits: loss(labels=labels, logits=logits)
    if [*parameters][1:2] and _means_labels([*parameters][1]):
        return lambda labels, logits: loss(logits, labels)
    return loss


def _means_labels(name):
    return "label" in name or "target" in name
