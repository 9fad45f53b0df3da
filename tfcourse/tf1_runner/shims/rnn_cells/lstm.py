"""LSTM cells of `tf.contrib.rnn` that normalize, or convolve."""

import tensorflow.compat.v1 as tf

from tfcourse.tf1_runner.shims.rnn_cells.linear import linear

_cells = tf.nn.rnn_cell


class LayerNormBasicLSTMCell(_cells.RNNCell):
    """An LSTM cell whose gates and state are normalized over the units.

    Args:
        num_units: Of the state.
        forget_bias: Added to the forget gate.
        input_size: Not used.
        activation: Of the new values and the output.
        layer_norm: Whether to normalize.
        norm_gain: The scale at first.
        norm_shift: The offset at first.
        dropout_keep_prob: The share of the new values that is kept.
        dropout_prob_seed: Of that.
        reuse: Whether to take the variables that are there.
    """

    def __init__(
        self,
        num_units,
        forget_bias=1.0,
        input_size=None,
        activation=tf.tanh,
        layer_norm=True,
        norm_gain=1.0,
        norm_shift=0.0,
        dropout_keep_prob=1.0,
        dropout_prob_seed=None,
        reuse=None,
    ):
        super().__init__(_reuse=reuse)
        self._units, self._forget_bias = num_units, forget_bias
        self._activate, self._norms = activation, layer_norm
        self._gain, self._shift = norm_gain, norm_shift
        self._keep_prob, self._seed = dropout_keep_prob, dropout_prob_seed

    @property
    def state_size(self):
        return _cells.LSTMStateTuple(self._units, self._units)

    @property
    def output_size(self):
        return self._units

    def call(self, inputs, state):
        c, h = state
        gates = linear([inputs, h], 4 * self._units, bias=not self._norms)
        i, j, f, o = tf.split(gates, 4, 1)
        i, j = self._norm(i, "input"), self._norm(j, "transform")
        f, o = self._norm(f, "forget"), self._norm(o, "output")
        new = self._activate(j)
        keep_prob = self._keep_prob
        if not isinstance(keep_prob, float) or keep_prob < 1:
            new = tf.nn.dropout(new, keep_prob, seed=self._seed)
        c = c * tf.sigmoid(f + self._forget_bias) + tf.sigmoid(i) * new
        c = self._norm(c, "state")
        h = self._activate(c) * tf.sigmoid(o)
        return h, _cells.LSTMStateTuple(c, h)

    def _norm(self, values, scope):
        if not self._norms:
            return values
        with tf.variable_scope(scope):
            gain, shift = (
                tf.get_variable(
                    name, [self._units], initializer=tf.constant_initializer(at)
                )
                for name, at in (("gamma", self._gain), ("beta", self._shift))
            )
            mean, variance = tf.nn.moments(values, [1], keep_dims=True)
            return tf.nn.batch_normalization(
                values, mean, variance, shift, gain, 1e-12
            )


class ConvLSTMCell(_cells.RNNCell):
    """An LSTM cell that convolves where others multiply by a kernel.

    Args:
        conv_ndims: 1, 2 or 3.
        input_shape: Of an example, channels last.
        output_channels: Of the state.
        kernel_shape: Of the convolution.
        use_bias: Whether the gates have one.
        skip_connection: Whether the output has the input beside it.
        forget_bias: Added to the forget gate.
        initializers: Not used.
        name: Of the cell.
    """

    def __init__(
        self,
        conv_ndims,
        input_shape,
        output_channels,
        kernel_shape,
        use_bias=True,
        skip_connection=False,
        forget_bias=1.0,
        initializers=None,
        name="conv_lstm_cell",
    ):
        super().__init__(name=name)
        self._axis, self._kernel_shape = conv_ndims + 1, list(kernel_shape)
        self._shape, self._channels = list(input_shape), output_channels
        self._use_bias, self._skips = use_bias, skip_connection
        self._forget_bias = forget_bias

    @property
    def state_size(self):
        shape = tf.TensorShape([*self._shape[:-1], self._channels])
        return _cells.LSTMStateTuple(shape, shape)

    @property
    def output_size(self):
        channels = self._channels + self._skips * self._shape[-1]
        return tf.TensorShape([*self._shape[:-1], channels])

    def call(self, inputs, state):
        c, h = state
        gates = self._convolve(tf.concat([inputs, h], self._axis))
        i, j, f, o = tf.split(gates, 4, self._axis)
        c = c * tf.sigmoid(f + self._forget_bias)
        c += tf.sigmoid(i) * tf.tanh(j)
        h = tf.tanh(c) * tf.sigmoid(o)
        output = tf.concat([h, inputs], self._axis) if self._skips else h
        return output, _cells.LSTMStateTuple(c, h)

    def _convolve(self, inputs):
        channels = 4 * self._channels
        shape = [*self._kernel_shape, inputs.shape[-1], channels]
        kernel = tf.get_variable("kernel", shape)
        gates = tf.nn.convolution(inputs, kernel, "SAME")
        if not self._use_bias:
            return gates
        zeros = tf.zeros_initializer()
        return gates + tf.get_variable("biases", [channels], initializer=zeros)


class Conv1DLSTMCell(ConvLSTMCell):
    """A `ConvLSTMCell` of sequences."""

    def __init__(self, name="conv_1d_lstm_cell", **kwargs):
        super().__init__(1, name=name, **kwargs)


class Conv2DLSTMCell(ConvLSTMCell):
    """A `ConvLSTMCell` of images."""

    def __init__(self, name="conv_2d_lstm_cell", **kwargs):
        super().__init__(2, name=name, **kwargs)


class Conv3DLSTMCell(ConvLSTMCell):
    """A `ConvLSTMCell` of volumes."""

    def __init__(self, name="conv_3d_lstm_cell", **kwargs):
        super().__init__(3, name=name, **kwargs)
