"""A population's epoch as one TensorFlow program."""

import concurrent.futures

import tensorflow as tf

from tfcourse.tuning.population.engines.sharding import (
    in_shards,
    size_of_shards,
)
from tfcourse.tuning.population.engines.tensor_trees import (
    each_array,
    first_line,
    open_spec,
    replaced,
    spec,
    taken,
    tensors,
)
from tfcourse.tuning.population.engines.tensorflow_steps import (
    SparseGradientError,
    Steps,
)


class TensorFlowEngine:
    """Maps a member's functions over all members, by `tf.vectorized_map`.

    One call trains one epoch: a loop inside the program gathers the
    mini-batches on the device. On a CPU it runs for several shards of the
    members at a time, each of the same size. How many members there are, how
    many examples and how many in a mini-batch, is left open when a program is
    traced, so that one trace serves populations of other sizes, other batch
    sizes, and the last, smaller mini-batch. Where there are no shards, what XLA
    compiles, and what must be written out member by member, is traced for a
    given number of members.

    XLA compiles a step, not the loop; the last, smaller mini-batch runs the
    same traced step without XLA, which costs no second compilation. Or it
    compiles the optimizer's half of the step, which serves mini-batches of any
    size.

    Args:
        member: A `Member`.

    Attributes:
        remarks: What there is to say, in sentences.
        updates_by_xla: Whether an optimizer's half of a step is compiled.
    """

    def __init__(self, member):
        self.member = member
        self.remarks = []
        self.updates_by_xla = False
        self._cannot = set()
        self._shard = None
        self._trained = ("train", None)
        # What is traced for a given number of members, if not for shards.
        self._fixed = {"train by XLA", "train, updated by XLA"}
        if member.acts_by_members:
            self._fixed |= {"train", "evaluate", "predict"}
        self._programs = {}
        self._steps = Steps(member)

    @property
    def one_by_one(self):
        """The names of operations that are not vectorised, but run for one
        member after another.
        """
        return self._steps.one_by_one

    @property
    def any_number(self):
        """Whether what has trained serves any number of members."""
        return not self._is_fixed(self._trained)

    def compile_ahead(self, members, data, order, batch_size, xla, meanwhile):
        """Compiles what `train_epoch` will run, while a function is called.

        XLA compiles what is run: here a step of some members full of zeros.

        Args:
            members: For how many members.
            data: As for `train_epoch`, like all others.
            order: Likewise.
            batch_size: Likewise.
            xla: Likewise.
            meanwhile: The function; it is not called if there is nothing to
                compile.
        """
        if self.compiles(xla):
            size = self._size_of_shards(members, xla)
            some = min(members, size or members)
            few = order[:some] if _is_own(order) else order
            few, state = few[..., :batch_size], self.member.zeros(some)
            self.train_epoch(state, data, few, batch_size, xla, meanwhile)

    def train_epoch(
        self, state, data, order, batch_size, xla=None, meanwhile=None
    ):
        """Returns the state after an epoch, with its metrics in it.

        Args:
            state: The arrays of all members, as `member` has them.
            data: `(x, y, sample_weight)`, nested arrays of `n` examples.
            order: The indices of the examples in the order of training, shape
                `(n,)`, or `(K, n)` where each member has examples of its own.
            batch_size: The size of a mini-batch.
            xla: What XLA compiles: `"step"`, all of a step; `"update"`, what
                the optimizer does in it; or None. If it cannot, the engine
                goes on without and says so in `remarks`.
            meanwhile: A function to call while a new program is compiled;
                without a new program nothing is done.
        """
        if self.compiles(xla):
            try:
                return self._train_by_xla(
                    xla, state, data, order, batch_size, meanwhile
                )
            except SparseGradientError:
                self._cannot.add(xla)
            except (
                tf.errors.InvalidArgumentError,
                tf.errors.UnimplementedError,
            ) as error:
                self._cannot |= {"step", "update"}
                self.remarks.append(
                    "XLA could not compile the step: "
                    + first_line(error.message)
                )
        if meanwhile is not None:
            return None
        size = self._size_of_shards(len(state[0]))
        return self._train(("train", size), state, data, order, batch_size)

    def evaluate(self, state, data, order, batch_size):
        """Returns the state with the metrics of an evaluation in it."""
        size = self._size_of_shards(len(state[0]))
        kind = "evaluate", size
        return self._run_epoch(kind, state, data, order, batch_size)

    def results(self, state):
        """Returns a dict from the name of each metric to `(K, ...)` values."""
        needed = self.member.needed_for_results(list(state))
        return self._run(("results",), needed)

    def finish(self, state):
        return self._run(("finish",), state)

    def predict(self, state, x):
        """Returns the outputs for one batch, each of shape `(K, m, ...)`."""
        return self._run(("predict",), state, x)

    def compiles(self, xla):
        """Whether XLA compiles anything, if it is asked to."""
        return xla is not None and xla not in self._cannot

    def _train_by_xla(self, xla, state, data, order, batch_size, meanwhile):
        size = self._size_of_shards(len(state[0]), xla)
        if xla == "step":
            kind, sizes = ("train by XLA", size, batch_size), []
        else:
            kind, sizes = ("train, updated by XLA", size), [batch_size]
        new = self._train(kind, state, data, order, *sizes, meanwhile=meanwhile)
        self.updates_by_xla = xla == "update"
        return new

    def _train(self, kind, *arguments, **settings):
        self._trained = kind
        return self._run_epoch(kind, *arguments, **settings)

    def _size_of_shards(self, members, xla=None):
        """Returns how many members make a shard; None if there are none."""
        if self._shard is None:
            # What is traced for it serves other numbers of members.
            self._shard = size_of_shards(members, xla == "step")
        return self._shard

    def _run_epoch(self, kind, state, data, order, *others, **settings):
        members, size = len(state[0]), kind[1] or 0
        if members >= size:
            return self._run(kind, state, data, order, *others, **settings)
        # Fewer than a shard: some count twice, and nothing is traced anew.
        rows = tf.range(size) % members
        state = [tf.gather(array, rows) for array in state]
        if _is_own(order):
            order = tf.gather(order, rows)
        new = self._run(kind, state, data, order, *others, **settings)
        return new and [array[:members] for array in new]

    def _run(self, kind, state, *arguments, meanwhile=None):
        known = len(self._programs)
        arguments = [list(state), *map(tensors, arguments)]
        program = self._program(kind, arguments)
        try:
            if meanwhile is None:
                return program(*arguments)
            if len(self._programs) > known:
                return _both(program, arguments, meanwhile)
            return None
        except tf.errors.ResourceExhaustedError as error:
            raise MemoryError(str(error)) from error

    def _program(self, kind, arguments):
        key = kind, str(self._specs(kind, arguments))
        if key not in self._programs:
            self._programs[key] = self._traced(kind, arguments)
        return self._programs[key]

    def _traced(self, kind, arguments):
        looped = self._steps.looped
        program = tf.function(self._function(*kind), autograph=False)
        traced = program.get_concrete_function(*self._specs(kind, arguments))
        any_number = not (_is_in_shards(kind) or self._is_fixed(kind))
        if any_number and self._steps.looped > looped:
            # What goes one by one is written out, for so many members.
            self._fixed.add(kind[0])
            return self._traced(kind, arguments)
        return traced

    def _is_fixed(self, kind):
        """Whether it is traced for a given number of members."""
        return kind[0] in self._fixed and not _is_in_shards(kind)

    def _specs(self, kind, arguments):
        state, *others = arguments
        of_state = spec if self._is_fixed(kind) else open_spec
        return [each_array(of_state, state), *each_array(open_spec, others)]

    def _function(self, kind, *sizes):
        steps = self._steps
        if kind == "train by XLA":
            return self._epoch_by_xla(*sizes)
        if kind == "train, updated by XLA":
            return self._epoch(steps.train_updated_by_xla, *sizes)
        if kind == "train":
            return self._epoch(steps.train, *sizes)
        if kind == "evaluate":
            return self._epoch(steps.evaluate, *sizes)
        of_member = getattr(self.member, kind)
        return lambda state, *x: steps.map(of_member, state, *x)

    def _epoch(self, step_for, size):
        def epoch(state, data, order, batch_size):
            step = step_for(_of_size(state, size), data, _is_own(order))

            def of_shard(start, shard):
                mine = _of_shard(order, start, size)
                return _in_batches(step, shard, data, mine, batch_size)

            return in_shards(of_shard, size, state, step.written)

        return epoch

    def _epoch_by_xla(self, size, batch_size):
        def epoch(state, data, order):
            own, some = _is_own(order), _of_size(state, size)
            compiled = self._steps.train_by_xla(some, data, own, batch_size)
            step = self._steps.train(some, data, own, for_xla=True)
            whole = tf.shape(order)[-1] // batch_size * batch_size

            def of_shard(start, shard):
                mine = _of_shard(order, start, size)
                shard = _in_batches(
                    compiled, shard, data, mine[..., :whole], batch_size
                )
                # At most one, which is smaller.
                return _in_batches(
                    step,
                    shard,
                    data,
                    mine[..., whole:],
                    tf.constant(batch_size),
                )

            return in_shards(of_shard, size, state, step.written)

        return epoch


def _both(program, arguments, meanwhile):
    """Returns what a program does, which runs beside another function."""

    def run():
        with tf.device(arguments[0][0].device):
            return program(*arguments)

    with concurrent.futures.ThreadPoolExecutor(1) as thread:
        running = thread.submit(run)
        meanwhile()
        return running.result()


def _in_batches(step, state, data, order, batch_size):
    """Returns the state after a step on each mini-batch."""

    def body(start, values):
        indices = order[..., start : start + batch_size]
        if isinstance(batch_size, int):
            # They are all whole: it is for these that XLA compiles the step.
            sizes = [*order.shape[:-1], batch_size]
            indices = tf.ensure_shape(indices, sizes)
        new = step(replaced(state, step.written, values), taken(data, indices))
        return start + batch_size, [new[i] for i in step.written]

    _, values = tf.while_loop(
        lambda start, _: start < tf.shape(order)[-1],
        body,
        (0, [state[i] for i in step.written]),
        parallel_iterations=1,
    )
    return replaced(state, step.written, values)


def _is_in_shards(kind):
    """Whether a kind of program has a size of shards as its first setting."""
    return len(kind) > 1 and kind[1] is not None


def _is_own(order):
    """Whether each member has examples of its own."""
    return order.shape.rank == 2


def _of_size(state, size):
    """Returns what the state of so many members looks like, or of all."""
    if size is None:
        return each_array(spec, state)
    return [tf.TensorSpec([size, *v.shape[1:]], v.dtype) for v in state]


def _of_shard(order, start, size):
    """Returns the order of examples for a shard's members."""
    if size is None or not _is_own(order):
        return order
    own = order[start : start + size]
    return tf.ensure_shape(own, [size, order.shape[1]])
