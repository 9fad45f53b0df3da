"""Helpers of `tf.contrib.seq2seq`: they give a decoder its next input."""

import tensorflow as tf

from tfcourse.tf1_runner.shims.contrib._seq2seq.decoder import (
    swap_batch_and_time,
)


class Helper:
    """What `BasicDecoder` asks for inputs.

    A subclass has `batch_size`, `initialize()`, which returns `(finished,
    inputs)`, `sample(time, outputs, state)`, which returns ids, and
    `next_inputs(time, outputs, state, sample_ids)`, which returns `(finished,
    inputs, state)`.
    """

    sample_ids_shape = tf.TensorShape([])
    sample_ids_dtype = tf.int32


class CustomHelper(Helper):
    """A helper of three functions."""

    def __init__(
        self,
        initialize_fn,
        sample_fn,
        next_inputs_fn,
        sample_ids_shape=None,
        sample_ids_dtype=None,
    ):
        self._initialize, self.sample = initialize_fn, sample_fn
        self.next_inputs, self._batch_size = next_inputs_fn, None
        self.sample_ids_shape = tf.TensorShape(sample_ids_shape or [])
        self.sample_ids_dtype = sample_ids_dtype or tf.int32

    @property
    def batch_size(self):
        if self._batch_size is None:
            self.initialize()
        return self._batch_size

    def initialize(self, name=None):
        finished, inputs = self._initialize()
        if self._batch_size is None:
            self._batch_size = tf.size(finished)
        return finished, inputs


class TrainingHelper(Helper):
    """Gives the true inputs, whatever the outputs are.

    Args:
        inputs: Shape `(m, time, ...)`.
        sequence_length: Shape `(m,)`.
        time_major: Whether time comes first.
        name: Unused; the operations' names differ from TensorFlow 1's.
    """

    def __init__(self, inputs, sequence_length, time_major=False, name=None):
        self.inputs = inputs
        self.sequence_length = tf.convert_to_tensor(sequence_length)
        self.batch_size = tf.size(self.sequence_length)
        self._steps = tf.nest.map_structure(
            lambda tensor: _steps(tensor, time_major), inputs
        )

    def initialize(self, name=None):
        return tf.equal(self.sequence_length, 0), self._read(0)

    def sample(self, time, outputs, state=None, name=None):
        return tf.argmax(outputs, -1, output_type=tf.int32)

    def next_inputs(self, time, outputs, state, sample_ids=None, name=None):
        length = tf.cast(self.sequence_length, tf.int32)
        return time + 1 >= length, self._read(time + 1), state

    def _read(self, time):
        return tf.nest.map_structure(lambda step: step.read(time), self._steps)


def _steps(tensor, time_major):
    """Returns a tensor's steps, and zeros as the one after the last."""
    tensor = tf.convert_to_tensor(tensor)
    if not time_major:
        tensor = swap_batch_and_time(tensor)
    tensor = tf.concat([tensor, tf.zeros_like(tensor[:1])], 0)
    steps = tf.TensorArray(
        tensor.dtype, tf.shape(tensor)[0], element_shape=tensor.shape[1:]
    )
    return steps.unstack(tensor)


class ScheduledEmbeddingTrainingHelper(TrainingHelper):
    """Gives, now and then, the embedding of what was drawn instead.

    Args:
        inputs: Shape `(m, time, depth)`.
        sequence_length: Shape `(m,)`.
        embedding: A matrix, or a function of ids.
        sampling_probability: How often.
        time_major: Whether time comes first.
        seed: Of what is drawn.
        scheduling_seed: Of when.
        name: Unused.
    """

    def __init__(
        self,
        inputs,
        sequence_length,
        embedding,
        sampling_probability,
        time_major=False,
        seed=None,
        scheduling_seed=None,
        name=None,
    ):
        super().__init__(inputs, sequence_length, time_major)
        self._embed, self._probability = (
            _lookup(embedding),
            sampling_probability,
        )
        self._seed, self._scheduling_seed = seed, scheduling_seed

    def sample(self, time, outputs, state=None, name=None):
        drawn = _draw(outputs, self._seed)
        chosen = _now_and_then(
            self._probability, self.batch_size, self._scheduling_seed
        )
        return tf.where(chosen, drawn, -tf.ones_like(drawn))

    def next_inputs(self, time, outputs, state, sample_ids, name=None):
        finished, inputs, state = super().next_inputs(time, outputs, state)
        drawn = self._embed(tf.maximum(sample_ids, 0))
        return finished, tf.where(sample_ids >= 0, drawn, inputs), state


class ScheduledOutputTrainingHelper(TrainingHelper):
    """Gives, now and then, the last output as the next input.

    Args:
        inputs: Shape `(m, time, depth)`.
        sequence_length: Shape `(m,)`.
        sampling_probability: How often.
        time_major: Whether time comes first.
        seed: Of when.
        next_inputs_fn: Makes the input of the output.
        auxiliary_inputs: Joined to every input; shaped as `inputs`.
        name: Unused.
    """

    sample_ids_dtype = tf.bool

    def __init__(
        self,
        inputs,
        sequence_length,
        sampling_probability,
        time_major=False,
        seed=None,
        next_inputs_fn=None,
        auxiliary_inputs=None,
        name=None,
    ):
        self._more = None
        if auxiliary_inputs is not None:
            self._more = _steps(auxiliary_inputs, time_major)
        super().__init__(inputs, sequence_length, time_major)
        self._probability, self._seed = sampling_probability, seed
        self._make = next_inputs_fn or (lambda outputs: outputs)

    def initialize(self, name=None):
        finished, inputs = super().initialize()
        return finished, self._join(inputs, 0)

    def sample(self, time, outputs, state=None, name=None):
        return _now_and_then(self._probability, self.batch_size, self._seed)

    def next_inputs(self, time, outputs, state, sample_ids, name=None):
        finished, inputs, state = super().next_inputs(time, outputs, state)
        inputs = tf.where(sample_ids, self._make(outputs), inputs)
        return finished, self._join(inputs, time + 1), state

    def _join(self, inputs, time):
        if self._more is None:
            return inputs
        return tf.concat([inputs, self._more.read(time)], -1)


class GreedyEmbeddingHelper(Helper):
    """Gives the embedding of the likeliest output, until the end token.

    Args:
        embedding: A matrix, or a function of ids.
        start_tokens: Shape `(m,)`.
        end_token: After which an example is finished.
    """

    def __init__(self, embedding, start_tokens, end_token):
        self._embed, self._end = _lookup(embedding), end_token
        self._start = tf.cast(start_tokens, tf.int32)
        self.batch_size = tf.size(self._start)

    def initialize(self, name=None):
        return tf.zeros_like(self._start, tf.bool), self._embed(self._start)

    def sample(self, time, outputs, state=None, name=None):
        return tf.argmax(outputs, -1, output_type=tf.int32)

    def next_inputs(self, time, outputs, state, sample_ids, name=None):
        return (
            sample_ids <= -1
            if self._end is None
            else tf.equal(sample_ids, self._end),
            self._embed(sample_ids),
            state,
        )


class SampleEmbeddingHelper(GreedyEmbeddingHelper):
    """Gives the embedding of an output drawn by its probability.

    Args:
        embedding: A matrix, or a function of ids.
        start_tokens: Shape `(m,)`.
        end_token: After which an example is finished.
        softmax_temperature: Divides the logits.
        seed: Of what is drawn.
    """

    def __init__(
        self,
        embedding,
        start_tokens,
        end_token,
        softmax_temperature=None,
        seed=None,
    ):
        super().__init__(embedding, start_tokens, end_token)
        self._temperature, self._seed = softmax_temperature, seed

    def sample(self, time, outputs, state=None, name=None):
        if self._temperature is not None:
            outputs /= self._temperature
        return _draw(outputs, self._seed)


class InferenceHelper(Helper):
    """Gives what a function draws from the outputs.

    Args:
        sample_fn: Of the outputs.
        sample_shape: Of what it returns, for one example.
        sample_dtype: Of what it returns.
        start_inputs: The first inputs.
        end_fn: Whether an example is finished, of what was drawn.
        next_inputs_fn: Makes the inputs of what was drawn.
    """

    def __init__(
        self,
        sample_fn,
        sample_shape,
        sample_dtype,
        start_inputs,
        end_fn,
        next_inputs_fn=None,
    ):
        self._sample, self._end = sample_fn, end_fn
        self._start = tf.convert_to_tensor(start_inputs)
        self._make = next_inputs_fn or (lambda samples: samples)
        self.sample_ids_shape = tf.TensorShape(sample_shape)
        self.sample_ids_dtype = sample_dtype
        self.batch_size = tf.shape(self._start)[0]

    def initialize(self, name=None):
        return tf.zeros([self.batch_size], tf.bool), self._start

    def sample(self, time, outputs, state=None, name=None):
        return self._sample(outputs)

    def next_inputs(self, time, outputs, state, sample_ids, name=None):
        return self._end(sample_ids), self._make(sample_ids), state


def _lookup(embedding):
    if callable(embedding):
        return embedding
    return lambda ids: tf.nn.embedding_lookup(embedding, ids)


def _draw(logits, seed):
    drawn = tf.random.categorical(logits, 1, seed=seed, dtype=tf.int32)
    return tf.squeeze(drawn, 1)


def _now_and_then(probability, examples, seed):
    return tf.random_uniform([examples], seed=seed) < probability
