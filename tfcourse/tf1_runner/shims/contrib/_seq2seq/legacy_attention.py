"""The decoders of `tf.contrib.legacy_seq2seq` that look at the encoder."""

import tensorflow as tf

from tfcourse.tf1_runner.shims.rnn_cells.linear import linear


def attention_decoder(
    decoder_inputs,
    initial_state,
    attention_states,
    cell,
    output_size=None,
    num_heads=1,
    loop_function=None,
    dtype=None,
    scope=None,
    initial_state_attention=False,
):
    r"""Returns the outputs of a cell that attends to states, and its state.

    With $h_t$ the states and $q$ the state of the cell, a head reads
    $\sum_t a_t h_t$, where $a = \mathrm{softmax}(u)$ and
    $u_t = v^\top \tanh(W h_t + U q + b)$.

    Args:
        decoder_inputs: A list over time of tensors of shape `(m, n)`.
        initial_state: Of the cell.
        attention_states: Shape `(m, time, n)`.
        cell: An RNN cell.
        output_size: Of the outputs; the cell's if not given.
        num_heads: How many heads read.
        loop_function: Makes the next input from the last output, in place of
            the given one.
        dtype: Of the weights.
        scope: Of the variables.
        initial_state_attention: Whether to read before the first step; zeros
            otherwise.

    Reference:
        Vinyals et al., "Grammar as a Foreign Language", 2015.
    """
    output_size = output_size or cell.output_size
    with tf.variable_scope(
        scope or "attention_decoder", dtype=dtype
    ) as variables:
        # TensorFlow 1's operations in its order: seeds depend on it.
        examples = tf.shape(decoder_inputs[0])[0]
        _, length, size = attention_states.shape
        if length is None:
            length = tf.shape(attention_states)[1]
        rows = tf.reshape(attention_states, [-1, length, 1, size])
        heads = [_Head(number, rows, length) for number in range(num_heads)]
        nothing = tf.stack([examples, size])
        reads = [tf.zeros(nothing, rows.dtype) for _ in heads]
        for read in reads:
            read.set_shape([None, size])
        state, outputs = initial_state, []
        if initial_state_attention:
            reads = _read(heads, state)
        for time, inputs in enumerate(decoder_inputs):
            if time:
                variables.reuse_variables()
                if loop_function is not None:
                    with tf.variable_scope("loop_function", reuse=True):
                        inputs = loop_function(outputs[-1], time)
            mixed = linear([inputs, *reads], inputs.shape[1], bias=True)
            output, state = cell(mixed, state)
            again = True if time == 0 and initial_state_attention else None
            with tf.variable_scope(tf.get_variable_scope(), reuse=again):
                reads = _read(heads, state)
            with tf.variable_scope("AttnOutputProjection"):
                output = linear([output, *reads], output_size, bias=True)
            outputs.append(output)
        return outputs, state


def _read(heads, state):
    parts = tf.nest.flatten(state)
    query = parts[0] if len(parts) == 1 else tf.concat(parts, 1)
    return [head.read(query) for head in heads]


class _Head:
    """One that reads a weighted sum of rows, shape `(m, time, 1, size)`."""

    def __init__(self, number, rows, length):
        self._number, self._rows, self._length = number, rows, length
        self._size = size = rows.shape[3]
        kernel = tf.get_variable(f"AttnW_{number}", [1, 1, size, size])
        self._keys = tf.nn.conv2d(rows, kernel, [1, 1, 1, 1], "SAME")
        self._v = tf.get_variable(f"AttnV_{number}", [size])

    def read(self, query):
        """Returns what is read, shape `(m, size)`."""
        with tf.variable_scope(f"Attention_{self._number}"):
            query = linear(query, self._size, bias=True)
            query = tf.reshape(query, [-1, 1, 1, self._size])
            scores = tf.reduce_sum(
                self._v * tf.tanh(self._keys + query), [2, 3]
            )
            shares = tf.reshape(tf.nn.softmax(scores), [-1, self._length, 1, 1])
            read = tf.reduce_sum(shares * self._rows, [1, 2])
            return tf.reshape(read, [-1, self._size])
