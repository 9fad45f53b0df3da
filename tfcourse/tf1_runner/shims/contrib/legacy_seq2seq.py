"""`tf.contrib.legacy_seq2seq`: from sequence to sequence, step by step.

A sequence is a list over time, and the graph has a copy of the cell for each
step. The variables have the names that they had in TensorFlow 1.
"""

import weakref

import tensorflow as tf

from tfcourse.tf1_runner.imports.symbol_names import names_from
from tfcourse.tf1_runner.patches.rnn_cells import distinct
from tfcourse.tf1_runner.shims.contrib._seq2seq.legacy_attention import (
    attention_decoder,
)
from tfcourse.tf1_runner.shims.contrib._seq2seq.losses import (
    sequence_loss,
    sequence_loss_by_example,
)
from tfcourse.tf1_runner.shims.rnn_cells.wrappers import (
    EmbeddingWrapper,
    OutputProjectionWrapper,
)

__getattr__ = names_from("tf.contrib.legacy_seq2seq")

# Decoder's cell -> the encoder's, which is the same one in every bucket.
_encoders = weakref.WeakKeyDictionary()


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
        _, state = tf.nn.static_rnn(_encoder(cell), encoder_inputs, dtype=dtype)
        return rnn_decoder(decoder_inputs, state, cell)


def embedding_rnn_decoder(
    decoder_inputs,
    initial_state,
    cell,
    num_symbols,
    embedding_size,
    output_projection=None,
    feed_previous=False,
    update_embedding_for_previous=True,
    scope=None,
):
    """`rnn_decoder` of integers, which are looked up first.

    Args:
        decoder_inputs: A list over time of integer tensors of shape `(m,)`.
        initial_state: Of the cell.
        cell: An RNN cell.
        num_symbols: How many integers there are.
        embedding_size: The length of a vector.
        output_projection: Kernel and bias that make logits of the outputs.
        feed_previous: Whether the next input is the likeliest last output.
        update_embedding_for_previous: Whether it learns from such inputs.
        scope: Of the variables.
    """
    with tf.variable_scope(scope or "embedding_rnn_decoder"):
        embedding = tf.get_variable("embedding", [num_symbols, embedding_size])
        return rnn_decoder(
            # One at a time, so that later seeds are what they were.
            (tf.nn.embedding_lookup(embedding, i) for i in decoder_inputs),
            initial_state,
            cell,
            _likeliest(
                embedding, output_projection, update_embedding_for_previous
            )
            if feed_previous
            else None,
        )


def embedding_attention_decoder(
    decoder_inputs,
    initial_state,
    attention_states,
    cell,
    num_symbols,
    embedding_size,
    num_heads=1,
    output_size=None,
    output_projection=None,
    feed_previous=False,
    update_embedding_for_previous=True,
    dtype=None,
    scope=None,
    initial_state_attention=False,
):
    """`attention_decoder` of integers, which are looked up first."""
    with tf.variable_scope(scope or "embedding_attention_decoder", dtype=dtype):
        embedding = tf.get_variable("embedding", [num_symbols, embedding_size])
        return attention_decoder(
            [tf.nn.embedding_lookup(embedding, i) for i in decoder_inputs],
            initial_state,
            attention_states,
            cell,
            output_size,
            num_heads,
            _likeliest(
                embedding, output_projection, update_embedding_for_previous
            )
            if feed_previous
            else None,
            initial_state_attention=initial_state_attention,
        )


def embedding_rnn_seq2seq(
    encoder_inputs,
    decoder_inputs,
    cell,
    num_encoder_symbols,
    num_decoder_symbols,
    embedding_size,
    output_projection=None,
    feed_previous=False,
    dtype=None,
    scope=None,
):
    """`basic_rnn_seq2seq` of integers, which are looked up first.

    Args:
        encoder_inputs: A list over time of integer tensors of shape `(m,)`.
        decoder_inputs: Another.
        cell: An RNN cell; the encoder's is like it, with its own weights.
        num_encoder_symbols: How many integers the encoder may meet.
        num_decoder_symbols: The same for the decoder.
        embedding_size: The length of a vector.
        output_projection: Kernel and bias that make logits of the outputs; the
            outputs are the logits if not given.
        feed_previous: Whether the next input is the likeliest last output: a
            bool, or a boolean tensor.
        dtype: Of the weights.
        scope: Of the variables.
    """
    with tf.variable_scope(
        scope or "embedding_rnn_seq2seq", dtype=dtype
    ) as variables:
        encoder = EmbeddingWrapper(
            _encoder(cell), num_encoder_symbols, embedding_size
        )
        _, state = tf.nn.static_rnn(
            encoder, encoder_inputs, dtype=variables.dtype
        )
        if output_projection is None:
            cell = OutputProjectionWrapper(cell, num_decoder_symbols)
        return _either_way(
            feed_previous,
            lambda fed: embedding_rnn_decoder(
                decoder_inputs,
                state,
                cell,
                num_decoder_symbols,
                embedding_size,
                output_projection,
                fed,
                update_embedding_for_previous=isinstance(feed_previous, bool),
            ),
            state,
        )


def embedding_attention_seq2seq(
    encoder_inputs,
    decoder_inputs,
    cell,
    num_encoder_symbols,
    num_decoder_symbols,
    embedding_size,
    num_heads=1,
    output_projection=None,
    feed_previous=False,
    dtype=None,
    scope=None,
    initial_state_attention=False,
):
    """`embedding_rnn_seq2seq` whose decoder looks at the encoder's outputs."""
    with tf.variable_scope(
        scope or "embedding_attention_seq2seq", dtype=dtype
    ) as variables:
        encoder = EmbeddingWrapper(
            _encoder(cell), num_encoder_symbols, embedding_size
        )
        outputs, state = tf.nn.static_rnn(
            encoder, encoder_inputs, dtype=variables.dtype
        )
        outputs = [tf.reshape(o, [-1, 1, cell.output_size]) for o in outputs]
        attention_states = tf.concat(outputs, 1)
        output_size = None
        if output_projection is None:
            cell = OutputProjectionWrapper(cell, num_decoder_symbols)
            output_size = num_decoder_symbols
        return _either_way(
            feed_previous,
            lambda fed: embedding_attention_decoder(
                decoder_inputs,
                state,
                attention_states,
                cell,
                num_decoder_symbols,
                embedding_size,
                num_heads,
                output_size,
                output_projection,
                fed,
                update_embedding_for_previous=isinstance(feed_previous, bool),
                initial_state_attention=initial_state_attention,
            ),
            state,
        )


def model_with_buckets(
    encoder_inputs,
    decoder_inputs,
    targets,
    weights,
    buckets,
    seq2seq,
    softmax_loss_function=None,
    per_example_loss=False,
    name=None,
):
    """Returns the outputs and the losses of models of several lengths.

    Args:
        encoder_inputs: A list over time, as long as the longest bucket.
        decoder_inputs: Another.
        targets: Another, of integers.
        weights: Another, of their weights.
        buckets: Pairs of lengths, of the encoder and the decoder.
        seq2seq: A function of encoder's and decoder's inputs that returns
            outputs and a state. The variables are the same in every bucket.
        softmax_loss_function: See `sequence_loss`.
        per_example_loss: Whether to keep the examples' losses apart.
        name: Of the name scope.
    """
    loss = sequence_loss_by_example if per_example_loss else sequence_loss
    losses, outputs = [], []
    with tf.name_scope(name, "model_with_buckets"):
        for number, (sources, length) in enumerate(buckets):
            with tf.variable_scope(
                tf.get_variable_scope(), reuse=True if number else None
            ):
                bucket_outputs, _ = seq2seq(
                    encoder_inputs[:sources], decoder_inputs[:length]
                )
                outputs.append(bucket_outputs)
                losses.append(
                    loss(
                        bucket_outputs,
                        targets[:length],
                        weights[:length],
                        softmax_loss_function=softmax_loss_function,
                    )
                )
    return outputs, losses


def _encoder(cell):
    """Returns a cell like the decoder's, with weights of its own."""
    if cell not in _encoders:
        _, _encoders[cell] = distinct([cell, cell])
    return _encoders[cell]


def _likeliest(embedding, output_projection, update_embedding):
    """Returns a loop function that looks up the likeliest last output."""

    def loop_function(previous, _):
        if output_projection is not None:
            previous = tf.nn.xw_plus_b(previous, *output_projection)
        symbols = tf.argmax(previous, 1)
        vectors = tf.nn.embedding_lookup(embedding, symbols)
        return vectors if update_embedding else tf.stop_gradient(vectors)

    return loop_function


def _either_way(feed_previous, decode, state):
    """Returns what a decoder gives, which may choose its inputs when run."""
    if isinstance(feed_previous, bool):
        return decode(feed_previous)

    def branch(fed):
        with tf.variable_scope(
            tf.get_variable_scope(), reuse=None if fed else True
        ):
            outputs, last = decode(fed)
            return [*outputs, *tf.nest.flatten(last)]

    both = tf.cond(feed_previous, lambda: branch(True), lambda: branch(False))
    states = len(tf.nest.flatten(state))
    last = tf.nest.pack_sequence_as(state, both[-states:])
    return both[:-states], last
