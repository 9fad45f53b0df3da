r"""`tf.contrib.crf`: a linear chain of tags.

The score of tags y is the sum of their own scores and of those of each pair of
neighbours, $s(y) = \sum_t x_{t, y_t} + \sum_t A_{y_{t-1}, y_t}$, and their
probability $e^{s(y)} / \sum_{y'} e^{s(y')}$.

Reference:
    Lafferty, McCallum and Pereira, "Conditional Random Fields", 2001.
"""

import numpy as np
import tensorflow as tf

from tfcourse.tf1_runner.imports.symbol_names import names_from

__getattr__ = names_from("tf.contrib.crf")


def crf_log_likelihood(
    inputs, tag_indices, sequence_lengths, transition_params=None
):
    """Returns the log probability of tags, shape `(m,)`, and the transitions.

    Args:
        inputs: x, the tags' own scores, of shape `(m, time, tags)`.
        tag_indices: y, of shape `(m, time)`.
        sequence_lengths: Shape `(m,)`.
        transition_params: A, of shape `(tags, tags)`; a new variable if it is
            not given.
    """
    if transition_params is None:
        tags = inputs.shape[2].value
        transition_params = tf.get_variable("transitions", [tags, tags])
    scores = crf_sequence_score(
        inputs, tag_indices, sequence_lengths, transition_params
    )
    norms = crf_log_norm(inputs, sequence_lengths, transition_params)
    return scores - norms, transition_params


def crf_sequence_score(
    inputs, tag_indices, sequence_lengths, transition_params
):
    """Returns s(y), of shape `(m,)`."""
    return crf_unary_score(
        tag_indices, sequence_lengths, inputs
    ) + crf_binary_score(tag_indices, sequence_lengths, transition_params)


def crf_unary_score(tag_indices, sequence_lengths, inputs):
    """Returns the part of s(y) that is of the tags themselves."""
    own = tf.gather(inputs, tag_indices, batch_dims=2)
    return tf.reduce_sum(own * _mask(sequence_lengths, inputs), 1)


def crf_binary_score(tag_indices, sequence_lengths, transition_params):
    """Returns the part of s(y) that is of neighbours."""
    pairs = tf.stack([tag_indices[:, :-1], tag_indices[:, 1:]], 2)
    scores = tf.gather_nd(transition_params, pairs)
    mask = tf.sequence_mask(
        sequence_lengths, tf.shape(tag_indices)[1], scores.dtype
    )
    return tf.reduce_sum(scores * mask[:, 1:], 1)


def crf_log_norm(inputs, sequence_lengths, transition_params):
    r"""Returns $\log \sum_{y'} e^{s(y')}$, of shape `(m,)`, going forward."""

    def step(alphas, now):
        own, inside = now
        ways = alphas[:, :, None] + transition_params
        return tf.where(inside, own + tf.reduce_logsumexp(ways, 1), alphas)

    own, inside = _by_time(inputs, sequence_lengths)
    alphas = tf.foldl(step, (own[1:], inside[1:]), own[0])
    norms = tf.reduce_logsumexp(alphas, 1)
    return tf.where(inside[0], norms, tf.zeros_like(norms))


def crf_decode(potentials, transition_params, sequence_length):
    """Returns the likeliest tags, `(m, time)`, and their scores, `(m,)`.

    Args:
        potentials: x, of shape `(m, time, tags)`.
        transition_params: A, of shape `(tags, tags)`.
        sequence_length: Shape `(m,)`; later tags are 0.
    """
    own, inside = _by_time(potentials, sequence_length)
    steps, examples, tags = tf.unstack(tf.shape(own))
    stay = tf.tile(tf.range(tags)[None], [examples, 1])

    def forward(last, now):
        best, _ = last
        own, inside, is_first = now
        ways = best[:, :, None] + transition_params
        before = tf.argmax(ways, 1, output_type=tf.int32)
        best_now = own + tf.where(
            is_first, tf.zeros_like(best), tf.reduce_max(ways, 1)
        )
        moves = inside & ~is_first
        return (
            tf.where(inside, best_now, best),
            tf.where(moves, before, stay),
        )

    is_first = tf.equal(tf.range(steps), 0)[:, None] & tf.ones_like(inside)
    zeros = tf.zeros_like(own[0])
    best, before = tf.scan(forward, (own, inside, is_first), (zeros, stay))
    last = tf.argmax(best[-1], 1, output_type=tf.int32)
    earlier = tf.scan(
        lambda tag, before: tf.gather(before, tag, batch_dims=1),
        before,
        last,
        reverse=True,
    )
    chosen = tf.transpose(tf.concat([earlier[1:], last[None]], 0))
    chosen *= tf.cast(tf.transpose(inside), tf.int32)
    return chosen, tf.reduce_max(best[-1], 1)


def viterbi_decode(score, transition_params):
    """Returns the likeliest tags of one sequence, a list, and their score.

    Args:
        score: x, an array of shape `(time, tags)`.
        transition_params: A, an array of shape `(tags, tags)`.
    """
    best, before = score[0], []
    for own in score[1:]:
        ways = best[:, None] + transition_params
        before.append(np.argmax(ways, 0))
        best = own + np.max(ways, 0)
    tags = [int(np.argmax(best))]
    for tag in reversed(before):
        tags.append(int(tag[tags[-1]]))
    return tags[::-1], np.max(best)


def _mask(lengths, inputs):
    return tf.sequence_mask(lengths, tf.shape(inputs)[1], inputs.dtype)


def _by_time(inputs, lengths):
    """Returns the scores, time first, and where a sequence still goes on."""
    inside = tf.sequence_mask(lengths, tf.shape(inputs)[1])
    return tf.transpose(inputs, [1, 0, 2]), tf.transpose(inside)
