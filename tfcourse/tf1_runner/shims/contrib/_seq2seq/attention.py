"""Attention of `tf.contrib.seq2seq`: a cell that looks at a memory."""

import collections

import tensorflow as tf


class AttentionMechanism:
    """Weighs the steps of a memory by a query.

    A subclass has `score(query)`, of shape `(m, time)`.

    Args:
        query_layer: Of the query, or None.
        memory: Shape `(m, time, depth)`.
        memory_sequence_length: Shape `(m,)`; what comes later weighs nothing.
        memory_layer: Makes keys of the memory, or None.
        probability_fn: Makes weights of scores; softmax by default.
        score_mask_value: The score of what comes later.
        name: Of the scope of the variables.
    """

    def __init__(
        self,
        query_layer,
        memory,
        memory_sequence_length=None,
        memory_layer=None,
        probability_fn=None,
        score_mask_value=None,
        name=None,
        **_,
    ):
        self.query_layer, self.memory_layer = query_layer, memory_layer
        self.values, self._mask = tf.convert_to_tensor(memory), None
        if memory_sequence_length is not None:
            time = tf.shape(self.values)[1]
            self._mask = tf.sequence_mask(memory_sequence_length, time)
            mask = tf.cast(self._mask, self.values.dtype)
            self.values *= mask[:, :, None]
        self.keys = memory_layer(self.values) if memory_layer else self.values
        self._probability = probability_fn or tf.nn.softmax
        self._masked = -float("inf")
        if score_mask_value is not None:
            self._masked = score_mask_value
        self._name = name
        self.batch_size = tf.shape(self.keys)[0]
        steps = self.keys.shape[1]
        self.alignments_size = (
            tf.shape(self.keys)[1] if steps.value is None else steps.value
        )
        self.state_size = self.alignments_size

    def __call__(self, query, state):
        """Returns the weights, and the state, which is them."""
        with tf.variable_scope(None, self._name):
            scores = self.score(query)
            if self._mask is not None:
                masked = tf.fill(
                    tf.shape(scores), tf.cast(self._masked, scores.dtype)
                )
                scores = tf.where(self._mask, scores, masked)
            weights = self._probability(scores)
            return weights, weights

    def initial_alignments(self, batch_size, dtype):
        return tf.zeros([batch_size, self.alignments_size], dtype)

    initial_state = initial_alignments


class BahdanauAttention(AttentionMechanism):
    r"""Scores $v^\top \tanh(W q + U h)$.

    Args:
        num_units: The length of v.
        memory: h, of shape `(m, time, depth)`.
        memory_sequence_length: Shape `(m,)`.
        normalize: Whether v is divided by its length and scaled by a learned
            number, and a bias added within the tanh.
        probability_fn: Makes weights of scores; softmax by default.
        score_mask_value: The score of what comes after the end.
        dtype: Of the variables.
        name: Unused.

    Reference:
        Bahdanau, Cho and Bengio, "Neural Machine Translation by Jointly
        Learning to Align and Translate", 2015.
    """

    def __init__(
        self,
        num_units,
        memory,
        memory_sequence_length=None,
        normalize=False,
        probability_fn=None,
        score_mask_value=None,
        dtype=None,
        name="BahdanauAttention",
    ):
        super().__init__(
            _linear(num_units, "query_layer", dtype),
            memory,
            memory_sequence_length,
            _linear(num_units, "memory_layer", dtype),
            probability_fn,
            score_mask_value,
            "bahdanau_attention",
        )
        self._num_units, self._normalize = num_units, normalize

    def score(self, query):
        query = self.query_layer(query)[:, None]
        v = tf.get_variable("attention_v", [self._num_units], query.dtype)
        if not self._normalize:
            return tf.reduce_sum(v * tf.tanh(self.keys + query), 2)
        g = tf.get_variable(
            "attention_g",
            [],
            initializer=tf.constant_initializer(self._num_units**-0.5),
            dtype=query.dtype,
        )
        b = tf.get_variable(
            "attention_b",
            [self._num_units],
            query.dtype,
            tf.zeros_initializer(),
        )
        v = g * v * tf.rsqrt(tf.reduce_sum(v**2))
        return tf.reduce_sum(v * tf.tanh(self.keys + query + b), 2)


class LuongAttention(AttentionMechanism):
    r"""Scores $q^\top W h$.

    Args:
        num_units: The length of the query.
        memory: h, of shape `(m, time, depth)`.
        memory_sequence_length: Shape `(m,)`.
        scale: Whether the score is multiplied by a learned number.
        probability_fn: Makes weights of scores; softmax by default.
        score_mask_value: The score of what comes after the end.
        dtype: Of the variables.
        name: Unused.

    Reference:
        Luong, Pham and Manning, "Effective Approaches to Attention-based
        Neural Machine Translation", 2015.
    """

    def __init__(
        self,
        num_units,
        memory,
        memory_sequence_length=None,
        scale=False,
        probability_fn=None,
        score_mask_value=None,
        dtype=None,
        name="LuongAttention",
    ):
        super().__init__(
            None,
            memory,
            memory_sequence_length,
            _linear(num_units, "memory_layer", dtype),
            probability_fn,
            score_mask_value,
            "luong_attention",
        )
        self._scale = scale

    def score(self, query):
        if query.shape[-1] != self.keys.shape[-1]:
            raise ValueError(
                "`num_units` of LuongAttention must be the length of the "
                f"query. Received: num_units={self.keys.shape[-1]} and a query "
                f"of length {query.shape[-1]}"
            )
        scores = tf.squeeze(
            tf.matmul(query[:, None], self.keys, False, True), 1
        )
        if self._scale:
            scores *= tf.get_variable(
                "attention_g", [], query.dtype, tf.ones_initializer()
            )
        return scores


def _linear(units, name, dtype):
    options = {} if dtype is None else {"dtype": dtype}
    return tf.layers.Dense(units, use_bias=False, name=name, **options)


class AttentionWrapperState(
    collections.namedtuple(
        "AttentionWrapperState",
        [
            "cell_state",
            "attention",
            "time",
            "alignments",
            "alignment_history",
            "attention_state",
        ],
    )
):
    """The state of a cell, and what it looked at."""

    def clone(self, **changed):
        """Returns a copy with other values, such as the `cell_state`."""
        return self._replace(**changed)


class AttentionWrapper(tf.nn.rnn_cell.RNNCell):
    """A cell whose input has what it looked at last.

    Args:
        cell: An RNN cell.
        attention_mechanism: One, or a list.
        attention_layer_size: Of a linear layer of the cell's output and the
            context, for each mechanism; without one the context is taken.
        alignment_history: Whether the state keeps the weights of each step.
        cell_input_fn: Joins the inputs and the last attention.
        output_attention: Whether the attention is put out, not the output.
        initial_cell_state: The cell's state in `zero_state`.
        name: Of the cell.
        attention_layer: Layers in the place of `attention_layer_size`.
    """

    def __init__(
        self,
        cell,
        attention_mechanism,
        attention_layer_size=None,
        alignment_history=False,
        cell_input_fn=None,
        output_attention=True,
        initial_cell_state=None,
        name=None,
        attention_layer=None,
    ):
        super().__init__(name=name)
        self._cell = cell
        self._is_list = isinstance(attention_mechanism, list | tuple)
        self._mechanisms = self._listed(attention_mechanism)
        if attention_layer_size is not None:
            attention_layer = [
                _linear(size, "attention_layer", None)
                for size in _several(attention_layer_size)
            ]
        nothing = [None] * len(self._mechanisms)
        self._layers_after = _several(attention_layer or nothing)
        self._keeps_history = alignment_history
        self._join = cell_input_fn or (
            lambda inputs, attention: tf.concat([inputs, attention], -1)
        )
        self._output_attention = output_attention
        self._initial_cell_state = initial_cell_state

    @property
    def output_size(self):
        if self._output_attention:
            return self._attention_size
        return self._cell.output_size

    @property
    def _attention_size(self):
        size = 0
        for mechanism, layer in zip(
            self._mechanisms, self._layers_after, strict=True
        ):
            depth = mechanism.values.shape[-1].value
            size += layer.units if layer else depth
        return size

    @property
    def state_size(self):
        sizes = [mechanism.alignments_size for mechanism in self._mechanisms]
        return AttentionWrapperState(
            self._cell.state_size,
            self._attention_size,
            tf.TensorShape([]),
            self._unlisted(sizes),
            self._unlisted(sizes if self._keeps_history else [()] * len(sizes)),
            self._unlisted(sizes),
        )

    def zero_state(self, batch_size, dtype):
        cell_state = self._initial_cell_state
        if cell_state is None:
            cell_state = self._cell.zero_state(batch_size, dtype)
        weights = [
            mechanism.initial_alignments(batch_size, dtype)
            for mechanism in self._mechanisms
        ]
        history = [()] * len(weights)
        if self._keeps_history:
            history = [
                tf.TensorArray(
                    dtype, 0, dynamic_size=True, element_shape=weight.shape
                )
                for weight in weights
            ]
        return AttentionWrapperState(
            cell_state,
            tf.zeros([batch_size, self._attention_size], dtype),
            tf.constant(0),
            self._unlisted(weights),
            self._unlisted(history),
            self._unlisted(weights),
        )

    def call(self, inputs, state):
        inputs = self._join(inputs, state.attention)
        output, cell_state = self._cell(inputs, state.cell_state)
        attentions, weights, states = [], [], []
        for mechanism, layer, last in zip(
            self._mechanisms,
            self._layers_after,
            self._listed(state.attention_state),
            strict=True,
        ):
            weight, next_state = mechanism(output, state=last)
            context = tf.squeeze(
                tf.matmul(weight[:, None], mechanism.values), 1
            )
            if layer is not None:
                context = layer(tf.concat([output, context], 1))
            attentions.append(context)
            weights.append(weight)
            states.append(next_state)
        attention = tf.concat(attentions, 1)
        history = state.alignment_history
        if self._keeps_history:
            arrays = zip(self._listed(history), weights, strict=True)
            history = self._unlisted(
                [array.write(state.time, weight) for array, weight in arrays]
            )
        state = AttentionWrapperState(
            cell_state,
            attention,
            state.time + 1,
            self._unlisted(weights),
            history,
            self._unlisted(states),
        )
        return attention if self._output_attention else output, state

    def _listed(self, value):
        return list(value) if self._is_list else [value]

    def _unlisted(self, values):
        return tuple(values) if self._is_list else values[0]


def _several(value):
    return list(value) if isinstance(value, list | tuple) else [value]


def hardmax(logits, name=None):
    """Returns 1 for the largest of each row, and 0 for the others."""
    return tf.one_hot(
        tf.argmax(logits, -1), tf.shape(logits)[-1], dtype=logits.dtype
    )
