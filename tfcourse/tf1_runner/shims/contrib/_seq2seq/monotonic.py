"""Monotonic attention of `tf.contrib.seq2seq`: it only ever moves on."""

import functools

import tensorflow as tf

from tfcourse.tf1_runner.shims.contrib._seq2seq.attention import (
    BahdanauAttention,
    LuongAttention,
)


def safe_cumprod(x, *args, **kwargs):
    """Returns the cumulative product, by sums of logarithms."""
    x = tf.convert_to_tensor(x)
    tiny = x.dtype.as_numpy_dtype(1.1754944e-38)
    logs = tf.log(tf.clip_by_value(x, tiny, 1))
    return tf.exp(tf.cumsum(logs, *args, **kwargs))


def monotonic_attention(p_choose_i, previous_attention, mode):
    r"""Returns the weights after one more step of the decoder.

    With $p_j$ the probability to stop at entry j and $a'$ the weights before,
    $a_j = p_j q_j$, where $q_j = (1 - p_{j-1}) q_{j-1} + a'_j$.

    Args:
        p_choose_i: p, of shape `(m, time)`.
        previous_attention: a', of the same shape.
        mode: `recursive`, `parallel` (by cumulative sums) or `hard`, where
            both are 0 or 1.

    Reference:
        Raffel et al., "Online and Linear-Time Attention by Enforcing Monotonic
        Alignments", 2017.
    """
    p = tf.convert_to_tensor(p_choose_i)
    before = tf.convert_to_tensor(previous_attention)
    if mode == "recursive":
        ones = tf.ones_like(p[:, :1])
        passed = tf.concat([ones, 1 - p[:, :-1]], 1)
        q = tf.scan(
            lambda q, step: step[0] * q + step[1],
            [tf.transpose(passed), tf.transpose(before)],
            tf.zeros_like(p[:, 0]),
        )
        return p * tf.transpose(q)
    if mode == "parallel":
        passed = safe_cumprod(1 - p, axis=1, exclusive=True)
        shares = before / tf.clip_by_value(passed, 1e-10, 1)
        return p * passed * tf.cumsum(shares, axis=1)
    if mode == "hard":
        p *= tf.cumsum(before, axis=1)
        return p * tf.cumprod(1 - p, axis=1, exclusive=True)
    raise ValueError(
        "`mode` of monotonic_attention must be 'recursive', 'parallel' or "
        f"'hard'. Received: mode={mode!r}"
    )


class _Monotonic:
    """A mechanism whose weights come from those of the step before."""

    def _set(self, noise, seed, bias, mode):
        self._noise, self._seed = noise, seed
        self._bias, self._mode = bias, mode
        self._masked = -float("inf")

    def __call__(self, query, state):
        self._probability = functools.partial(self._moved_on, before=state)
        return super().__call__(query, state)

    def score(self, query):
        bias = tf.get_variable(
            "attention_score_bias",
            [],
            query.dtype,
            tf.constant_initializer(self._bias),
        )
        return super().score(query) + bias

    def _moved_on(self, scores, before):
        if self._noise:
            shape = tf.shape(scores)
            noise = tf.random_normal(shape, dtype=scores.dtype, seed=self._seed)
            scores += self._noise * noise
        hard = self._mode == "hard"
        p = tf.cast(scores > 0, scores.dtype) if hard else tf.sigmoid(scores)
        return monotonic_attention(p, before, self._mode)

    def initial_alignments(self, batch_size, dtype):
        first = tf.zeros([batch_size], tf.int32)
        return tf.one_hot(first, self.alignments_size, dtype=dtype)

    initial_state = initial_alignments


class BahdanauMonotonicAttention(_Monotonic, BahdanauAttention):
    """`BahdanauAttention` that only moves on.

    Args:
        num_units: The length of v.
        memory: Shape `(m, time, depth)`.
        memory_sequence_length: Shape `(m,)`.
        normalize: As in `BahdanauAttention`.
        score_mask_value: Not used: what comes after the end is never chosen.
        sigmoid_noise: The deviation of noise on the scores.
        sigmoid_noise_seed: Of that.
        score_bias_init: What is added to the scores at first.
        mode: Of `monotonic_attention`.
        dtype: Of the variables.
        name: Unused.
    """

    def __init__(
        self,
        num_units,
        memory,
        memory_sequence_length=None,
        normalize=False,
        score_mask_value=None,
        sigmoid_noise=0.0,
        sigmoid_noise_seed=None,
        score_bias_init=0.0,
        mode="parallel",
        dtype=None,
        name="BahdanauMonotonicAttention",
    ):
        super().__init__(
            num_units, memory, memory_sequence_length, normalize, dtype=dtype
        )
        self._name = "bahdanau_monotonic_attention"
        self._set(sigmoid_noise, sigmoid_noise_seed, score_bias_init, mode)


class LuongMonotonicAttention(_Monotonic, LuongAttention):
    """`LuongAttention` that only moves on.

    Args:
        num_units: The length of the query.
        memory: Shape `(m, time, depth)`.
        memory_sequence_length: Shape `(m,)`.
        scale: As in `LuongAttention`.
        score_mask_value: Not used: what comes after the end is never chosen.
        sigmoid_noise: The deviation of noise on the scores.
        sigmoid_noise_seed: Of that.
        score_bias_init: What is added to the scores at first.
        mode: Of `monotonic_attention`.
        dtype: Of the variables.
        name: Unused.
    """

    def __init__(
        self,
        num_units,
        memory,
        memory_sequence_length=None,
        scale=False,
        score_mask_value=None,
        sigmoid_noise=0.0,
        sigmoid_noise_seed=None,
        score_bias_init=0.0,
        mode="parallel",
        dtype=None,
        name="LuongMonotonicAttention",
    ):
        super().__init__(
            num_units, memory, memory_sequence_length, scale, dtype=dtype
        )
        self._name = "luong_monotonic_attention"
        self._set(sigmoid_noise, sigmoid_noise_seed, score_bias_init, mode)
