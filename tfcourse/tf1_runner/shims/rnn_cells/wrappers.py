"""Recurrent cells that `tf.nn.rnn_cell` has lost, on those that it has."""

import tensorflow.compat.v1 as tf

from tfcourse.tf1_runner.shims.rnn_cells.linear import linear

_cells = tf.nn.rnn_cell


class LSTMBlockCell(_cells.BasicLSTMCell):
    """An LSTM cell; it was once a fused kernel of the same equations."""

    def __init__(
        self, num_units, forget_bias=1.0, reuse=None, name="lstm_cell"
    ):
        super().__init__(num_units, forget_bias, reuse=reuse, name=name)


class GRUBlockCell(_cells.GRUCell):
    """A GRU cell; it was once a fused kernel of the same equations."""

    def __init__(
        self, num_units=None, cell_size=None, reuse=None, name="gru_cell"
    ):
        super().__init__(num_units or cell_size, reuse=reuse, name=name)


class _Wrapper(_cells.RNNCell):
    """A cell around another, with states and outputs of its sizes."""

    @property
    def state_size(self):
        return self._cell.state_size

    @property
    def output_size(self):
        return self._cell.output_size

    def zero_state(self, batch_size, dtype):
        return self._cell.zero_state(batch_size, dtype)


class HighwayWrapper(_Wrapper):
    r"""A cell whose input goes past it: $t h + (1 - t) x$.

    Args:
        cell: Its outputs are as wide as its inputs.
        couple_carry_transform_gates: Whether the second gate is one less the
            first; otherwise it has weights of its own.
        carry_bias_init: The bias of the second at first.
    """

    def __init__(
        self, cell, couple_carry_transform_gates=True, carry_bias_init=1.0
    ):
        super().__init__()
        self._cell, self._bias = cell, carry_bias_init
        self._coupled = couple_carry_transform_gates

    def __call__(self, inputs, state, scope=None):
        outputs, state = self._cell(inputs, state, scope=scope)
        width = inputs.shape[-1]
        with tf.variable_scope("highway"):
            with tf.variable_scope("carry"):
                carry = linear(inputs, width, True, self._bias)
            carry = tf.sigmoid(carry)
            if self._coupled:
                transform = 1 - carry
            else:
                with tf.variable_scope("transform"):
                    transform = linear(inputs, width, True, -self._bias)
                transform = tf.sigmoid(transform)
        return outputs * transform + inputs * carry, state


class _Projection(_Wrapper):
    """A cell with a linear layer before or after it."""

    def __init__(self, cell, size, activation=None, reuse=None):
        super().__init__(_reuse=reuse)
        self._cell, self._size, self._activation = cell, size, activation

    def _project(self, inputs):
        outputs = linear(inputs, self._size, bias=True)
        return self._activation(outputs) if self._activation else outputs


class OutputProjectionWrapper(_Projection):
    """A cell whose output passes through a linear layer."""

    def __init__(self, cell, output_size, activation=None, reuse=None):
        super().__init__(cell, output_size, activation, reuse)

    @property
    def output_size(self):
        return self._size

    def call(self, inputs, state):
        outputs, state = self._cell(inputs, state)
        return self._project(outputs), state


class InputProjectionWrapper(_Projection):
    """A cell whose input passes through a linear layer."""

    def __init__(
        self, cell, num_proj, activation=None, input_size=None, reuse=None
    ):
        super().__init__(cell, num_proj, activation, reuse)

    @property
    def output_size(self):
        return self._cell.output_size

    def call(self, inputs, state):
        return self._cell(self._project(inputs), state)


class EmbeddingWrapper(_Wrapper):
    """A cell whose input, a batch of integers, is looked up first."""

    def __init__(
        self,
        cell,
        embedding_classes,
        embedding_size,
        initializer=None,
        reuse=None,
    ):
        super().__init__(_reuse=reuse)
        self._cell, self._initializer = cell, initializer
        self._shape = [embedding_classes, embedding_size]

    def call(self, inputs, state):
        initializer = self._initializer or tf.get_variable_scope().initializer
        embedding = tf.get_variable(
            "embedding",
            self._shape,
            # So that the variance is 1.
            initializer=initializer
            or tf.random_uniform_initializer(-(3**0.5), 3**0.5),
        )
        vectors = tf.nn.embedding_lookup(embedding, tf.reshape(inputs, [-1]))
        return self._cell(vectors, state)


def stack_bidirectional_dynamic_rnn(
    cells_fw,
    cells_bw,
    inputs,
    initial_states_fw=None,
    initial_states_bw=None,
    dtype=None,
    sequence_length=None,
    parallel_iterations=None,
    scope=None,
    **_,
):
    """Returns outputs and states of bidirectional layers, one on the other."""
    states_fw, states_bw = [], []
    firsts_fw = initial_states_fw or [None] * len(cells_fw)
    firsts_bw = initial_states_bw or [None] * len(cells_bw)
    layers = zip(cells_fw, cells_bw, firsts_fw, firsts_bw, strict=True)
    with tf.variable_scope(scope or "stack_bidirectional_rnn"):
        for number, (cell_fw, cell_bw, first_fw, first_bw) in enumerate(layers):
            with tf.variable_scope(f"cell_{number}"):
                outputs, (state_fw, state_bw) = tf.nn.bidirectional_dynamic_rnn(
                    cell_fw,
                    cell_bw,
                    inputs,
                    initial_state_fw=first_fw,
                    initial_state_bw=first_bw,
                    sequence_length=sequence_length,
                    parallel_iterations=parallel_iterations,
                    dtype=dtype,
                )
            inputs = tf.concat(outputs, 2)
            states_fw.append(state_fw)
            states_bw.append(state_bw)
    return inputs, tuple(states_fw), tuple(states_bw)
