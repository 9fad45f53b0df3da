"""Decoders of `tf.contrib.seq2seq`: a cell that runs until all have ended."""

import collections

import tensorflow as tf

BasicDecoderOutput = collections.namedtuple(
    "BasicDecoderOutput", ["rnn_output", "sample_id"]
)


class Decoder:
    """What `dynamic_decode` runs.

    A subclass has `batch_size`, `output_size`, `output_dtype`,
    `initialize()`, which returns `(finished, inputs, state)`, and
    `step(time, inputs, state)`, which returns `(outputs, state, inputs,
    finished)`.
    """

    # Whether `finished` of a step may take back what was finished before.
    tracks_own_finished = False

    def finalize(self, outputs, final_state, sequence_lengths):
        return outputs, final_state


class BasicDecoder(Decoder):
    """A cell, fed by a helper.

    Args:
        cell: An RNN cell.
        helper: Gives the inputs, such as a `TrainingHelper`.
        initial_state: Of the cell.
        output_layer: Of the cell's output, such as a `tf.layers.Dense`.
    """

    def __init__(self, cell, helper, initial_state, output_layer=None):
        self._cell, self._helper = cell, helper
        self._initial_state, self._output_layer = initial_state, output_layer

    @property
    def batch_size(self):
        return self._helper.batch_size

    @property
    def output_size(self):
        size = tf.TensorShape(self._cell.output_size)
        if self._output_layer is not None:
            rows = tf.TensorShape([None]).concatenate(size)
            size = tf.TensorShape(
                self._output_layer.compute_output_shape(rows)
            )[1:]
        return BasicDecoderOutput(size, self._helper.sample_ids_shape)

    @property
    def output_dtype(self):
        dtype = tf.nest.flatten(self._initial_state)[0].dtype
        return BasicDecoderOutput(dtype, self._helper.sample_ids_dtype)

    def initialize(self, name=None):
        return *self._helper.initialize(), self._initial_state

    def step(self, time, inputs, state, name=None):
        outputs, state = self._cell(inputs, state)
        if self._output_layer is not None:
            outputs = self._output_layer(outputs)
        ids = self._helper.sample(time=time, outputs=outputs, state=state)
        finished, inputs, state = self._helper.next_inputs(
            time=time, outputs=outputs, state=state, sample_ids=ids
        )
        return BasicDecoderOutput(outputs, ids), state, inputs, finished


def dynamic_decode(
    decoder,
    output_time_major=False,
    impute_finished=False,
    maximum_iterations=None,
    parallel_iterations=32,
    swap_memory=False,
    scope=None,
):
    """Returns the outputs of a decoder, its last state, and the lengths.

    Args:
        decoder: A `Decoder`.
        output_time_major: Whether time comes before the examples.
        impute_finished: Whether a finished example gives zeros, and keeps
            the state that it ended with.
        maximum_iterations: The most steps that are made.
        parallel_iterations: Of `tf.while_loop`.
        swap_memory: Of `tf.while_loop`.
        scope: Of the variables.
    """
    with tf.variable_scope(scope, "decoder"):
        finished, inputs, state = decoder.initialize()
        if maximum_iterations is not None:
            finished |= maximum_iterations <= 0
        batch_size = tf.get_static_value(
            tf.convert_to_tensor(decoder.batch_size)
        )

        def array(size, dtype):
            shape = tf.TensorShape([batch_size]).concatenate(size)
            return tf.TensorArray(
                dtype, 0, dynamic_size=True, element_shape=shape
            )

        arrays = tf.nest.map_structure(
            array, decoder.output_size, decoder.output_dtype
        )
        lengths = tf.zeros_like(finished, tf.int32)
        _, arrays, state, _, _, lengths = tf.while_loop(
            lambda *variables: ~tf.reduce_all(variables[4]),
            _step(decoder, impute_finished, maximum_iterations),
            (tf.constant(0), arrays, state, inputs, finished, lengths),
            parallel_iterations=parallel_iterations,
            swap_memory=swap_memory,
        )
        outputs = tf.nest.map_structure(lambda array: array.stack(), arrays)
        outputs, state = decoder.finalize(outputs, state, lengths)
        if not output_time_major:
            outputs = tf.nest.map_structure(swap_batch_and_time, outputs)
        return outputs, state, lengths


def _step(decoder, impute_finished, maximum_iterations):
    """Returns the body of the loop: one step of the decoder, written down."""

    def step(time, arrays, state, inputs, finished, lengths):
        outputs, next_state, inputs, ended = decoder.step(time, inputs, state)
        if impute_finished:
            zeros = tf.nest.map_structure(tf.zeros_like, outputs)
            outputs = _where(finished, zeros, outputs)
            next_state = _where(finished, state, next_state)
        tf.nest.map_structure(_keep_shape, next_state, state)
        arrays = tf.nest.map_structure(
            lambda array, output: array.write(time, output), arrays, outputs
        )
        if not decoder.tracks_own_finished:
            ended |= finished
        if maximum_iterations is not None:
            ended |= time + 1 >= maximum_iterations
        now = tf.fill(tf.shape(lengths), time + 1)
        lengths = tf.where(finished, lengths, now)
        return time + 1, arrays, next_state, inputs, ended, lengths

    return step


def swap_batch_and_time(tensor):
    others = range(2, tensor.shape.ndims)
    return tf.transpose(tensor, [1, 0, *others])


def _where(finished, old, new):
    """Returns the old rows of the examples that are finished."""

    def choose(old, new):
        if isinstance(new, tf.TensorArray) or new.shape.ndims == 0:
            return new
        return tf.where(finished, old, new)

    return tf.nest.map_structure(choose, old, new)


def _keep_shape(new, old):
    if not isinstance(new, tf.TensorArray):
        new.set_shape(old.shape)
