"""`tf.contrib.legacy_seq2seq`: losses and decoders of unrolled sequences."""

import tensorflow as tf

from tfcourse.graph_mode.runner.contrib._gather import gather

__getattr__ = gather("tf.contrib.legacy_seq2seq")


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
        softmax_loss_function: Called with `labels` and `logits` in place of
            the softmax cross-entropy.
        name: Of the name scope.
    """
    loss_function = (
        softmax_loss_function or tf.nn.sparse_softmax_cross_entropy_with_logits
    )
    with tf.name_scope(name, "sequence_loss_by_example", logits):
        losses = []
        for logit, target, weight in zip(logits, targets, weights, strict=True):
            target = tf.reshape(target, [-1])
            losses.append(loss_function(labels=target, logits=logit) * weight)
        loss = tf.add_n(losses)
        if average_across_timesteps:
            loss /= tf.add_n(weights) + 1e-12
        return loss


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
    losses = sequence_loss_by_example(
        logits,
        targets,
        weights,
        average_across_timesteps,
        softmax_loss_function,
        name,
    )
    total = tf.reduce_sum(losses)
    if not average_across_batch:
        return total
    return total / tf.cast(tf.shape(targets[0])[0], total.dtype)


def rnn_decoder(
    decoder_inputs, initial_state, cell, loop_function=None, scope=None
):
    """Returns the outputs of a cell along the inputs, and its last state.

    Args:
        decoder_inputs: A list over time of tensors.
        initial_state: Of the cell.
        cell: An RNN cell.
        loop_function: Makes the next input from the last output, in place of
            the given one.
        scope: Of the variables.
    """
    with tf.variable_scope(scope or "rnn_decoder"):
        state, outputs = initial_state, []
        for time, inputs in enumerate(decoder_inputs):
            if time and loop_function is not None:
                with tf.variable_scope("loop_function", reuse=True):
                    inputs = loop_function(outputs[-1], time)
            if time:
                tf.get_variable_scope().reuse_variables()
            output, state = cell(inputs, state)
            outputs.append(output)
        return outputs, state


def basic_rnn_seq2seq(
    encoder_inputs, decoder_inputs, cell, dtype=tf.float32, scope=None
):
    """Returns the outputs of a decoder that starts where the encoder ended."""
    with tf.variable_scope(scope or "basic_rnn_seq2seq"):
        _, state = tf.nn.static_rnn(cell, encoder_inputs, dtype=dtype)
        return rnn_decoder(decoder_inputs, state, cell)
