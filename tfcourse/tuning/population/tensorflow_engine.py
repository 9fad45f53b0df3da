"""A population's epoch as one TensorFlow program."""

import tensorflow as tf

from tfcourse.tuning.population.converters import converters
from tfcourse.tuning.population.errors import CannotVectorize


class TensorFlowEngine:
    """Maps a member's functions over all members, by `tf.vectorized_map`.

    One call trains one epoch: a loop inside the program gathers the
    mini-batches on the device. XLA compiles a step, not the loop; the last,
    smaller mini-batch runs the same traced step without XLA, which costs no
    second compilation.

    Args:
        member: A `Member`.
        xla: Whether XLA compiles the step. If it cannot, the engine goes on
            without and says so in `remarks`.

    Attributes:
        one_by_one: The names of operations that are not vectorised, but run
            for one member after another.
        remarks: What else there is to say, in sentences.
    """

    def __init__(self, member, xla):
        self.member = member
        self.xla = xla
        self.one_by_one = set()
        self.remarks = []
        self._programs = {}
        self._steps = {}

    def train_epoch(self, state, data, order, batch_size):
        """Returns the state after an epoch, with its metrics in it.

        Args:
            state: A list of stacked values, as `member.variables`.
            data: `(x, y, sample_weight)`, nested arrays of `n` examples.
            order: The `n` indices of the examples, in the order of training.
            batch_size: The size of a mini-batch.
        """
        return self._run("train", state, (data, order), batch_size)

    def evaluate(self, state, data, order, batch_size):
        """Returns the state with the metrics of an evaluation in it."""
        return self._run("evaluate", state, (data, order), batch_size)

    def results(self, state):
        """Returns a dict from the name of each metric to `(K, ...)` values."""
        return self._run("results", state, ())

    def finish(self, state):
        return self._run("finish", state, ())

    def predict(self, state, x):
        """Returns the outputs for one batch, each of shape `(K, m, ...)`."""
        return self._run("predict", state, (x,))

    def _run(self, kind, state, arguments, batch_size=None):
        arguments = [list(state), *arguments]
        specs = _each_array(_spec, arguments)
        key = kind, batch_size, self.xla, str(specs)
        if key not in self._programs:
            program = tf.function(
                self._function(kind, batch_size), autograph=False
            )
            self._programs[key] = program.get_concrete_function(*specs)
        try:
            return self._programs[key](*arguments)
        except tf.errors.ResourceExhaustedError as error:
            raise MemoryError(str(error)) from error
        except (
            tf.errors.InvalidArgumentError,
            tf.errors.UnimplementedError,
        ) as error:
            if not (self.xla and kind == "train"):
                raise
            self.xla = False
            self.remarks.append(
                "XLA could not compile the step: " + _first_line(error.message)
            )
            return self._run(kind, state, arguments[1:], batch_size)

    def _function(self, kind, batch_size):
        if kind == "train":
            return self._epoch(self._train, batch_size, self.xla)
        if kind == "evaluate":
            return self._epoch(self._evaluate, batch_size, xla=False)
        of_member = getattr(self, f"_{kind}", getattr(self.member, kind))
        return lambda state, *x: self._map(of_member, state, *x)

    def _epoch(self, step_of_member, batch_size, xla):
        def epoch(state, data, order):
            whole, rest = divmod(order.shape[0], batch_size)
            step = self._step(step_of_member, state, data, xla)
            whole_step = step
            if xla and whole:
                whole_step = _concrete(
                    step, state, data, batch_size, jit_compile=True
                )

            def batch(start, size):
                indices = tf.ensure_shape(order[start : start + size], [size])
                return _each_array(
                    lambda array: tf.gather(array, indices), data
                )

            def body(i, state):
                new = whole_step(state, batch(i * batch_size, batch_size))
                return i + 1, new

            if whole:
                _, state = tf.while_loop(
                    lambda i, _: i < whole,
                    body,
                    (0, state),
                    parallel_iterations=1,
                )
            if rest:
                state = step(state, batch(whole * batch_size, rest))
            return state

        return epoch

    def _step(self, step_of_member, state, data, xla):
        """Returns one step for all members, traced once.

        The number of examples is left open, so that the same trace serves the
        last mini-batch and other batch sizes.
        """
        members = state[0].shape[0]
        key = step_of_member.__name__, xla, members, _shapes(data)
        if key not in self._steps:
            self._steps[key] = self._traced(step_of_member, state, data, xla)
        return self._steps[key]

    def _traced(self, step_of_member, state, data, xla):
        changed = []

        def step_and_note(values, batch):
            new = step_of_member(values, batch)
            changed[:] = [
                now is not None and now is not old
                for now, old in zip(new, values, strict=True)
            ]
            return [v for v, c in zip(new, changed, strict=True) if c]

        def step(state, batch):
            # A value that no step changes is not passed through the program.
            new = iter(self._map(step_and_note, state, batch, xla=xla))
            return [
                next(new) if is_changed else old
                for old, is_changed in zip(state, changed, strict=True)
            ]

        return _concrete(step, state, data, None)

    def _train(self, values, batch):
        count = len(self.member.trainable)
        parameters = values[:count]
        with tf.GradientTape(watch_accessed_variables=False) as tape:
            tape.watch(parameters)
            loss, new = self.member.forward(values, batch, training=True)
        # That of an embedding stays sparse, as in `fit`: Keras's optimizers
        # square its rows before they add those of the same word.
        gradients = tape.gradient(loss, parameters)
        return self.member.apply(_filled(new, values), gradients)

    def _evaluate(self, values, batch):
        _, new = self.member.forward(values, batch, training=False)
        return new

    def _finish(self, values):
        return _filled(self.member.finish(values), values)

    def _map(self, of_member, state, *shared, xla=False):
        with converters(xla) as one_by_one:
            try:
                return tf.vectorized_map(
                    lambda values: of_member(values, *shared), state
                )
            except CannotVectorize:
                raise
            except (ValueError, TypeError, NotImplementedError) as error:
                raise CannotVectorize(_first_line(error)) from error
            finally:
                self.one_by_one |= one_by_one


def _concrete(step, state, data, batch_size, **settings):
    """Returns a step, traced for `batch_size` examples of `data`."""

    def of_batch(array):
        return tf.TensorSpec([batch_size, *array.shape[1:]], array.dtype)

    return tf.function(step, autograph=False, **settings).get_concrete_function(
        _each_array(_spec, state), _each_array(of_batch, data)
    )


def _shapes(arrays):
    """Returns how nested arrays look, but for the length of the first axis."""
    return str(
        _each_array(lambda array: (str(array.dtype), *array.shape[1:]), arrays)
    )


def _spec(array):
    return tf.TensorSpec(array.shape, array.dtype)


def _each_array(function, data):
    return tf.nest.map_structure(
        lambda array: None if array is None else function(array), data
    )


def _filled(new, values):
    """Returns the new values, or the old ones where there are none."""
    return [
        old if value is None else value
        for value, old in zip(new, values, strict=True)
    ]


def _first_line(error):
    lines = [line.strip() for line in str(error).splitlines()]
    lines = [line for line in lines if line and not line.endswith(":")]
    return lines[0] if lines else type(error).__name__
