"""A population's epoch as one TensorFlow program."""

import concurrent.futures

import tensorflow as tf

from tfcourse.tuning.population.converters import converters
from tfcourse.tuning.population.errors import CannotVectorize
from tfcourse.tuning.population.shards import in_shards, size_of_shards


class TensorFlowEngine:
    """Maps a member's functions over all members, by `tf.vectorized_map`.

    One call trains one epoch: a loop inside the program gathers the
    mini-batches on the device. How many members there are, how many examples
    and how many in a mini-batch, is left open when a program is traced, so that
    one trace serves populations of other sizes, other batch sizes, and the
    last, smaller mini-batch. Only what XLA compiles, and what must be written
    out member by member, is traced for given numbers.

    XLA compiles a step, not the loop, which runs for several shards of the
    members at a time; the last, smaller mini-batch runs the
    same traced step without XLA, which costs no second compilation.

    Args:
        member: A `Member`.

    Attributes:
        one_by_one: The names of operations that are not vectorised, but run
            for one member after another.
        remarks: What else there is to say, in sentences.
        any_number: Whether one trace serves any number of members.
    """

    def __init__(self, member):
        self.member = member
        self.one_by_one = set()
        self.remarks = []
        self.any_number = not member.acts_by_members
        self._xla_fails = False
        self._shard = None
        self._programs = {}
        self._steps = {}

    def train_epoch(
        self, state, data, order, batch_size, xla=False, meanwhile=None
    ):
        """Returns the state after an epoch, with its metrics in it.

        Args:
            state: The arrays of all members, as `member` has them.
            data: `(x, y, sample_weight)`, nested arrays of `n` examples.
            order: The indices of the examples in the order of training, shape
                `(n,)`, or `(K, n)` where each member has examples of its own.
            batch_size: The size of a mini-batch.
            xla: Whether XLA compiles the step. If it cannot, the engine goes
                on without and says so in `remarks`.
            meanwhile: A function to call while a new program is compiled.
        """
        if xla and not self._xla_fails:
            try:
                return self._run(
                    ("train by XLA", batch_size),
                    state,
                    data,
                    order,
                    meanwhile=meanwhile,
                )
            except (
                tf.errors.InvalidArgumentError,
                tf.errors.UnimplementedError,
            ) as error:
                self._xla_fails = True
                self.remarks.append(
                    "XLA could not compile the step: "
                    + _first_line(error.message)
                )
        return self._run(("train",), state, data, order, batch_size)

    def evaluate(self, state, data, order, batch_size):
        """Returns the state with the metrics of an evaluation in it."""
        return self._run(("evaluate",), state, data, order, batch_size)

    def foresee_evaluation(self, state, data, order, batch_size):
        """Traces what `evaluate` and `results` will run."""
        self._program(("results",), [list(state)])
        arguments = [list(state), *map(_tensors, (data, order, batch_size))]
        self._program(("evaluate",), arguments)

    def results(self, state):
        """Returns a dict from the name of each metric to `(K, ...)` values."""
        return self._run(("results",), state)

    def finish(self, state):
        return self._run(("finish",), state)

    def predict(self, state, x):
        """Returns the outputs for one batch, each of shape `(K, m, ...)`."""
        return self._run(("predict",), state, x)

    def compiles(self, xla):
        """Whether XLA compiles the step, if it is asked to."""
        return xla and not self._xla_fails

    def _run(self, kind, state, *arguments, meanwhile=None):
        known = len(self._programs)
        arguments = [list(state), *map(_tensors, arguments)]
        any_number = self.any_number
        program = self._program(kind, arguments)
        if any_number and self.one_by_one:
            # What goes one by one is written out, for so many members.
            self.any_number = False
            self._programs.clear()
            program = self._program(kind, arguments)
        try:
            if meanwhile is not None and len(self._programs) > known:
                return _both(program, arguments, meanwhile)
            return program(*arguments)
        except tf.errors.ResourceExhaustedError as error:
            raise MemoryError(str(error)) from error

    def _program(self, kind, arguments):
        specs = self._specs(kind, arguments)
        key = kind, str(specs)
        if key not in self._programs:
            program = tf.function(self._function(*kind), autograph=False)
            self._programs[key] = program.get_concrete_function(*specs)
        return self._programs[key]

    def _specs(self, kind, arguments):
        if kind[0] == "train by XLA":
            return _each_array(_spec, arguments)
        state, *others = arguments
        spec = _open if self.any_number else _spec
        return [_each_array(spec, state), *_each_array(_open, others)]

    def _function(self, kind, batch_size=None):
        if kind == "train by XLA":
            return self._epoch_by_xla(batch_size)
        if kind == "train":
            return self._epoch(self._train)
        if kind == "evaluate":
            return self._epoch(self._evaluate)
        of_member = getattr(self.member, kind)
        return lambda state, *x: self._map(of_member, state, *x)

    def _epoch(self, step_of_member):
        def epoch(state, data, order, batch_size):
            step = self._step(step_of_member, state, data, _is_own(order))

            def body(start, state):
                indices = order[..., start : start + batch_size]
                return start + batch_size, step(state, _taken(data, indices))

            return _loop(body, tf.shape(order)[-1], state)

        return epoch

    def _epoch_by_xla(self, batch_size):
        def epoch(state, data, order):
            members, own = state[0].shape[0], _is_own(order)
            whole, rest = divmod(order.shape[-1], batch_size)
            if self._shard is None or self._shard > members:
                # What is traced for it serves other numbers of members.
                self._shard = size_of_shards(members)
            size = self._shard
            sizes = [size, batch_size] if own else [batch_size]
            first = [v[:size] for v in state]
            step = self._step(self._train, first, data, own, xla=True)
            compiled = _concrete(step, first, data, sizes, jit_compile=True)

            def of_shard(start, shard):
                mine = order[start : start + size] if own else order

                def batch(first, count):
                    indices = mine[..., first : first + count]
                    indices = tf.ensure_shape(indices, [*sizes[:-1], count])
                    return _taken(data, indices)

                def body(first, shard):
                    new = compiled(shard, batch(first, batch_size))
                    return first + batch_size, new

                if whole:
                    shard = _loop(body, whole * batch_size, shard)
                if rest:
                    shard = step(shard, batch(whole * batch_size, rest))
                return shard

            return in_shards(of_shard, size, state)

        return epoch

    def _step(self, step_of_member, state, data, own, xla=False):
        """Returns one step for all members, traced once.

        Args:
            own: Whether each of them has a mini-batch of its own.
        """
        members = state[0].shape[0]
        key = step_of_member.__name__, own, xla, members, _shapes(data)
        if key not in self._steps:
            self._steps[key] = self._traced(
                step_of_member, state, data, own, xla
            )
        return self._steps[key]

    def _traced(self, step_of_member, state, data, own, xla):
        changed = []

        def step_and_note(arrays, batch):
            new = step_of_member(arrays, batch)
            changed[:] = [
                now is not old for now, old in zip(new, arrays, strict=True)
            ]
            return [v for v, c in zip(new, changed, strict=True) if c]

        def step(state, batch):
            # A value that no step changes is not passed through the program.
            new = iter(self._map(step_and_note, state, batch, own=own, xla=xla))
            return [
                tf.ensure_shape(next(new), old.shape) if is_changed else old
                for old, is_changed in zip(state, changed, strict=True)
            ]

        members = [state[0].shape[0]] if own else []
        return _concrete(step, state, data, [*members, None])

    def _train(self, arrays, batch):
        parameters = arrays[: self.member.parameters]
        with tf.GradientTape(watch_accessed_variables=False) as tape:
            tape.watch(parameters)
            loss, new = self.member.forward(arrays, batch, training=True)
        # That of an embedding stays sparse, as in `fit`: Keras's optimizers
        # square its rows before they add those of the same word.
        gradients = tape.gradient(loss, parameters)
        return self.member.apply(new, gradients)

    def _evaluate(self, arrays, batch):
        _, new = self.member.forward(arrays, batch, training=False)
        return new

    def _map(self, of_member, state, *batch, own=False, xla=False):
        def of_one(elements):
            arrays, leaves = elements
            mine = _filled(batch, leaves) if own else batch
            return of_member(arrays, *mine)

        with converters(xla) as one_by_one:
            try:
                return tf.vectorized_map(
                    of_one, (state, _leaves(batch) if own else [])
                )
            except CannotVectorize:
                raise
            except (ValueError, TypeError, NotImplementedError) as error:
                raise CannotVectorize(_first_line(error)) from error
            finally:
                self.one_by_one |= one_by_one


def _both(program, arguments, meanwhile):
    """Returns what a program does, which runs beside another function."""

    def run():
        with tf.device(arguments[0][0].device):
            return program(*arguments)

    with concurrent.futures.ThreadPoolExecutor(1) as thread:
        running = thread.submit(run)
        meanwhile()
        return running.result()


def _loop(body, end, state):
    _, state = tf.while_loop(
        lambda start, _: start < end, body, (0, state), parallel_iterations=1
    )
    return state


def _concrete(step, state, data, sizes, **settings):
    """Returns a step, traced for batches of `data`.

    Args:
        sizes: `[batch_size]`, or `[members, batch_size]` where each member has
            a batch of its own.
    """

    def of_batch(array):
        return tf.TensorSpec([*sizes, *array.shape[1:]], array.dtype)

    return tf.function(step, autograph=False, **settings).get_concrete_function(
        _each_array(_spec, state), _each_array(of_batch, data)
    )


def _is_own(order):
    """Whether each member has examples of its own."""
    return order.shape.rank == 2


def _taken(data, indices):
    return _each_array(lambda array: tf.gather(array, indices), data)


def _shapes(arrays):
    """Returns how nested arrays look, but for the length of the first axis."""
    return str(
        _each_array(lambda array: (str(array.dtype), *array.shape[1:]), arrays)
    )


def _spec(array):
    return tf.TensorSpec(array.shape, array.dtype)


def _open(array):
    """Returns how an array looks, whatever the length of its first axis."""
    shape = array.shape
    return tf.TensorSpec([None, *shape[1:]] if shape.rank else [], array.dtype)


def _tensors(arrays):
    return _each_array(tf.convert_to_tensor, arrays)


def _each_array(function, data):
    return tf.nest.map_structure(
        lambda array: None if array is None else function(array), data
    )


def _leaves(data):
    return [leaf for leaf in tf.nest.flatten(data) if leaf is not None]


def _filled(data, leaves):
    """Returns nested arrays like `data`, of other leaves."""
    leaves = iter(leaves)
    return _each_array(lambda _: next(leaves), data)


def _first_line(error):
    lines = [line.strip() for line in str(error).splitlines()]
    lines = [line for line in lines if line and not line.endswith(":")]
    return lines[0] if lines else type(error).__name__
