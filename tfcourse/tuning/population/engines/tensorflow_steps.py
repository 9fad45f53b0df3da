"""One step of all members, as TensorFlow functions that are traced once."""

import tensorflow as tf

from tfcourse.errors import CannotVectorize
from tfcourse.tuning.population.engines.tensor_trees import (
    concrete,
    each_array,
    first_line,
    leaves_of,
    replaced,
    shapes,
    spec,
)
from tfcourse.tuning.population.vectorization.converters import converters


class Step:
    """A function from the state and a mini-batch to a new state.

    Args:
        traced: A function of them to the arrays that are written.
        written: The indices of these.
    """

    def __init__(self, traced, written):
        self._traced = traced
        self.written = written

    def __call__(self, state, batch):
        return replaced(state, self.written, self._traced(state, batch))


class Steps:
    """Maps a member's steps over several members, by `tf.vectorized_map`.

    What is traced for a number of members serves mini-batches of any size; only
    what XLA compiles is for one size.

    Args:
        member: A `Member`.

    Attributes:
        one_by_one: The names of operations that are not vectorised, but run
            for one member after another.
        looped: How often a function was mapped that has such operations.
    """

    def __init__(self, member):
        self.member = member
        self.one_by_one = set()
        self.looped = 0
        self._known = {}

    def train(self, state, data, own, for_xla=False):
        """Returns the `Step` that trains.

        Args:
            state: What the arrays of so many members look like, a list of
                `tf.TensorSpec`s.
            data: What mini-batches are taken of.
            own: Whether each member has a mini-batch of its own.
            for_xla: Whether XLA is to compile it.
        """
        return self._once(self._train, state, data, own, for_xla)

    def train_by_xla(self, state, data, own, batch_size):
        """Returns what `train` does, compiled for mini-batches of one size."""
        step = self.train(state, data, own, for_xla=True)

        def written(state, batch):
            new = step(state, batch)
            return [new[i] for i in step.written]

        sizes = _sizes(state, own, batch_size)
        compiled = concrete(written, state, data, sizes, jit_compile=True)
        return Step(compiled, step.written)

    def train_updated_by_xla(self, state, data, own):
        """Returns what `train` does, of which XLA compiles the second half.

        What an optimizer does is much for the memory and little for the
        processor, which is where XLA gains most; it depends on no mini-batch.

        Raises:
            SparseGradientError: If a gradient is sparse, whose size depends on
                the mini-batch.
        """
        key = "halves", own, state[0].shape[0], shapes(data)
        if key not in self._known:
            self._known[key] = self._in_halves(state, data, own)
        return self._known[key]

    def evaluate(self, state, data, own):
        return self._once(self._evaluate, state, data, own)

    def map(self, of_member, state, *batch, own=False, for_xla=False):
        """Returns what a member's function returns, for all members."""

        def of_one(elements):
            arrays, leaves = elements
            mine = _filled(batch, leaves) if own else batch
            return of_member(arrays, *mine)

        with converters(for_xla) as one_by_one:
            try:
                return tf.vectorized_map(
                    of_one, (state, leaves_of(batch) if own else [])
                )
            except (CannotVectorize, SparseGradientError):
                raise
            except (ValueError, TypeError, NotImplementedError) as error:
                raise CannotVectorize(first_line(error)) from error
            finally:
                self.one_by_one |= one_by_one
                self.looped += bool(one_by_one)

    def _once(self, step_of_member, state, data, own, for_xla=False):
        members = state[0].shape[0]
        key = step_of_member.__name__, own, for_xla, members, shapes(data)
        if key not in self._known:
            self._known[key] = self._traced(
                step_of_member, state, data, own, for_xla
            )
        return self._known[key]

    def _traced(self, step_of_member, state, data, own, for_xla):
        written = []

        def of_member(arrays, batch):
            new = step_of_member(arrays, batch)
            written[:] = _changed(new, arrays)
            return [new[i] for i in written]

        def step(state, batch):
            new = self.map(of_member, state, batch, own=own, for_xla=for_xla)
            return _like(state, new, written)

        traced = concrete(step, state, data, _sizes(state, own))
        return Step(traced, written)

    def _in_halves(self, state, data, own):
        count = self.member.parameters
        slots = range(self.member.of_model, self.member.saved)
        held = [*range(count), *slots]
        has_gradient, by_forward, by_update = [], [], []

        def differentiated(arrays, batch):
            gradients, new = self._differentiated(arrays, batch)
            if any(isinstance(g, tf.IndexedSlices) for g in gradients):
                raise SparseGradientError
            has_gradient[:] = [g is not None for g in gradients]
            by_forward[:] = _changed(new, arrays)
            known = [g for g in gradients if g is not None]
            return known, [new[i] for i in by_forward]

        def updated(values, known):
            known = iter(known)
            arrays = replaced([None] * len(state), held, values)
            gradients = [next(known) if has else None for has in has_gradient]
            new = self.member.apply(arrays, gradients)
            by_update[:] = _changed(new, arrays)
            return [new[i] for i in by_update]

        def first_half(state, batch):
            return self.map(differentiated, state, batch, own=own)

        def second_half(values, known):
            return self.map(updated, values, known, own=True, for_xla=True)

        differentiate = concrete(first_half, state, data, _sizes(state, own))
        known, _ = differentiate.structured_outputs
        update = tf.function(
            second_half, autograph=False, jit_compile=True
        ).get_concrete_function(
            [spec(state[i]) for i in held], each_array(spec, known)
        )

        def step(state, batch):
            known, new = differentiate(state, batch)
            more = update([state[i] for i in held], known)
            return _like(state, [*new, *more], written)

        written = [*by_forward, *by_update]
        return Step(step, written)

    def _train(self, arrays, batch):
        gradients, new = self._differentiated(arrays, batch)
        return self.member.apply(new, gradients)

    def _differentiated(self, arrays, batch):
        parameters = arrays[: self.member.parameters]
        with tf.GradientTape(watch_accessed_variables=False) as tape:
            tape.watch(parameters)
            loss, new = self.member.forward(arrays, batch, training=True)
        # That of an embedding stays sparse, as in `fit`: Keras's optimizers
        # square its rows before they add those of the same word.
        return tape.gradient(loss, parameters), new

    def _evaluate(self, arrays, batch):
        _, new = self.member.forward(arrays, batch, training=False)
        return new


class SparseGradientError(NotImplementedError):
    """A gradient is sparse, and so of another size for each mini-batch."""


def _changed(new, old):
    """Returns the indices of the arrays that are others than before."""
    pairs = enumerate(zip(new, old, strict=True))
    return [i for i, (now, before) in pairs if now is not before]


def _like(state, new, written):
    """Returns new values of some arrays, of the shapes of the old ones."""
    return [
        tf.ensure_shape(value, state[i].shape)
        for i, value in zip(written, new, strict=True)
    ]


def _sizes(state, own, batch_size=None):
    return [state[0].shape[0], batch_size] if own else [batch_size]


def _filled(data, leaves):
    """Returns nested arrays like `data`, of other leaves."""
    leaves = iter(leaves)
    return each_array(lambda _: next(leaves), data)
