"""`BeamSearchDecoder` of `tf.contrib.seq2seq`: the likeliest few sequences."""

import collections

import tensorflow as tf

from tfcourse.tf1_runner.shims.contrib._seq2seq.decoder import Decoder

BeamSearchDecoderState = collections.namedtuple(
    "BeamSearchDecoderState", ["cell_state", "log_probs", "finished", "lengths"]
)
BeamSearchDecoderOutput = collections.namedtuple(
    "BeamSearchDecoderOutput", ["scores", "predicted_ids", "parent_ids"]
)
FinalBeamSearchDecoderOutput = collections.namedtuple(
    "FinalBeamSearchDecoderOutput",
    ["predicted_ids", "beam_search_decoder_output"],
)


class BeamSearchDecoder(Decoder):
    r"""Follows the sequences of the highest scores.

    A score is $\log P / ((5 + n) / 6)^\alpha$, with n the length. The state of
    the cell has a row for each beam of each example: see `tile_batch`.

    Args:
        cell: An RNN cell.
        embedding: A matrix, or a function of ids.
        start_tokens: Shape `(m,)`.
        end_token: Ends a sequence.
        initial_state: Of the cell, with `m * beam_width` rows.
        beam_width: How many sequences are followed.
        output_layer: Of the cell's output, such as a `tf.layers.Dense`.
        length_penalty_weight: $\alpha$.
        coverage_penalty_weight: Must be 0.
        reorder_tensor_arrays: Unused: there are no histories to reorder.

    Reference:
        Wu et al., "Google's Neural Machine Translation System", 2016.
    """

    tracks_own_finished = True

    def __init__(
        self,
        cell,
        embedding,
        start_tokens,
        end_token,
        initial_state,
        beam_width,
        output_layer=None,
        length_penalty_weight=0.0,
        coverage_penalty_weight=0.0,
        reorder_tensor_arrays=True,
    ):
        if coverage_penalty_weight:
            raise ValueError(
                "`coverage_penalty_weight` of BeamSearchDecoder must be 0: "
                "tfcourse does not count coverage. Received: "
                f"coverage_penalty_weight={coverage_penalty_weight}"
            )
        states = tf.nest.flatten(initial_state)
        if any(isinstance(state, tf.TensorArray) for state in states):
            raise ValueError(
                "`initial_state` of BeamSearchDecoder must not keep the "
                "history of its attention. Received: a state with "
                "`alignment_history=True`"
            )
        self._cell, self._initial_state = cell, initial_state
        self._embed = embedding
        if not callable(embedding):
            self._embed = lambda ids: tf.nn.embedding_lookup(embedding, ids)
        self._start = tf.cast(start_tokens, tf.int32)
        self._end, self._width = end_token, beam_width
        self._output_layer, self._alpha = output_layer, length_penalty_weight
        self.batch_size = tf.size(self._start)
        self.output_size = BeamSearchDecoderOutput(
            *[tf.TensorShape([beam_width])] * 3
        )
        self.output_dtype = BeamSearchDecoderOutput(
            states[0].dtype, tf.int32, tf.int32
        )

    def initialize(self, name=None):
        # All beams begin alike: only the first of them counts.
        first = tf.tile(
            tf.one_hot([0], self._width, True, False, dtype=tf.bool),
            [self.batch_size, 1],
        )
        dtype = self.output_dtype.scores
        zeros = tf.zeros_like(first, dtype)
        state = BeamSearchDecoderState(
            self._initial_state,
            tf.where(first, zeros, zeros + dtype.min),
            ~first,
            tf.zeros_like(first, tf.int32),
        )
        return ~first, self._embed(tile_batch(self._start, self._width)), state

    def step(self, time, inputs, state, name=None):
        outputs, cell_state = self._cell(inputs, state.cell_state)
        if self._output_layer is not None:
            outputs = self._output_layer(outputs)
        words = outputs.shape[-1].value or tf.shape(outputs)[-1]
        log_probs, lengths = self._continued(outputs, words, state)
        scores = log_probs / self._penalty(lengths, log_probs.dtype)
        scores, places = tf.nn.top_k(_joined(scores), self._width)
        ids, parents = places % words, places // words
        rows = tf.range(self.batch_size)[:, None] * self._width + parents
        rows = tf.reshape(rows, [-1])
        ended = tf.gather(state.finished, parents, batch_dims=1)
        finished = ended | tf.equal(ids, self._end)
        lengths = tf.gather(state.lengths, parents, batch_dims=1)
        state = BeamSearchDecoderState(
            _rows_of(cell_state, rows),
            tf.gather(_joined(log_probs), places, batch_dims=1),
            finished,
            # An end makes the sequence longer from the next step on.
            lengths + tf.cast(~ended, tf.int32),
        )
        outputs = BeamSearchDecoderOutput(scores, ids, parents)
        return outputs, state, self._embed(tf.reshape(ids, [-1])), finished

    def _continued(self, outputs, words, state):
        """Returns the score and the length of each sequence with each word."""
        shape = [-1, self._width, words]
        log_probs = tf.reshape(tf.nn.log_softmax(outputs), shape)
        # What is finished goes on with the end token, at no cost.
        ends = tf.one_hot(self._end, words, 0.0, log_probs.dtype.min)
        finished = tf.tile(state.finished[:, :, None], [1, 1, words])
        log_probs = tf.where(
            finished, tf.zeros_like(log_probs) + ends, log_probs
        )
        log_probs += state.log_probs[:, :, None]
        goes_on = tf.one_hot(self._end, words, 0, 1)
        lengths = state.lengths[:, :, None] + tf.where(
            finished,
            tf.zeros_like(finished, tf.int32),
            tf.zeros_like(finished, tf.int32) + goes_on,
        )
        return log_probs, lengths

    def finalize(self, outputs, final_state, sequence_lengths):
        ids = gather_tree(
            outputs.predicted_ids, outputs.parent_ids, end_token=self._end
        )
        return FinalBeamSearchDecoderOutput(ids, outputs), final_state

    def _penalty(self, lengths, dtype):
        return ((5 + tf.cast(lengths, dtype)) / 6) ** self._alpha


def _rows_of(cell_state, rows):
    """Returns those rows of each tensor of a state that has rows."""

    def gather(tensor):
        return tensor if tensor.shape.ndims == 0 else tf.gather(tensor, rows)

    return tf.nest.map_structure(gather, cell_state)


def _joined(tensor):
    """Returns the words of all beams of an example in one row."""
    return tf.reshape(tensor, [tf.shape(tensor)[0], -1])


def gather_tree(
    step_ids, parent_ids, max_sequence_lengths=None, end_token=None
):
    """Returns whole sequences of what each step chose, going back in time.

    Args:
        step_ids: Shape `(time, m, beams)`.
        parent_ids: The beam that each of them comes from.
        max_sequence_lengths: Unused: what ended goes on with the end token.
        end_token: Fills a sequence after its first end token.
    """
    beams = tf.zeros_like(parent_ids[0]) + tf.range(tf.shape(parent_ids)[2])

    def back(later, now):
        ids, parents = now
        beams, _ = later
        return (
            tf.gather(parents, beams, batch_dims=1),
            tf.gather(ids, beams, batch_dims=1),
        )

    _, ids = tf.scan(
        back, (step_ids, parent_ids), (beams, step_ids[0]), reverse=True
    )
    if end_token is None:
        return ids
    ended = tf.cumsum(
        tf.cast(tf.equal(ids, end_token), tf.int32), exclusive=True
    )
    return tf.where(ended > 0, tf.zeros_like(ids) + end_token, ids)


def tile_batch(t, multiplier, name=None):
    """Returns each row several times, one after the other.

    Args:
        t: A tensor, or a structure of them.
        multiplier: How many times.
        name: Unused.
    """
    return tf.nest.map_structure(
        lambda tensor: (
            tf.repeat(tensor, multiplier, axis=0)
            if tensor.shape.ndims
            else tensor
        ),
        t,
    )
