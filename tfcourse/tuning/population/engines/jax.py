"""A population's epoch as one JAX program."""

import functools

import jax
import jax.numpy as jnp

from tfcourse.errors import CannotVectorize


class JaxEngine:
    """Maps a member's functions over all members, by `jax.vmap`.

    The same interface as `TensorFlowEngine`, where it is described. JAX always
    compiles by XLA, and has a rule for every operation.

    Args:
        member: A `Member`.
    """

    # JAX traces by itself what it needs.
    any_number = True
    updates_by_xla = False

    def __init__(self, member):
        self.member = member
        self.one_by_one = set()
        self.remarks = []
        self._programs = {
            "train": _epochs(self._train),
            "evaluate": _epochs(self._evaluate),
            "results": jax.jit(jax.vmap(member.results)),
            "finish": jax.jit(jax.vmap(self._finish)),
            "predict": jax.jit(jax.vmap(member.predict, (0, None))),
        }

    def compiles(self, xla):
        return True

    def compile_ahead(self, members, data, order, batch_size, xla, meanwhile):
        """JAX's programs are compiled when they are first run."""

    def train_epoch(self, state, data, order, batch_size, xla=None):
        return self._run("train", state, data, order, batch_size)

    def evaluate(self, state, data, order, batch_size):
        return self._run("evaluate", state, data, order, batch_size)

    def results(self, state):
        return self._run("results", self.member.needed_for_results(state))

    def finish(self, state):
        return self._run("finish", state)

    def predict(self, state, x):
        return self._run("predict", state, x)

    def _run(self, kind, state, *arguments):
        try:
            return self._programs[kind](list(state), *arguments)
        except CannotVectorize:
            raise
        except jax.errors.JAXTypeError as error:
            line = str(error).strip().splitlines()[0]
            raise CannotVectorize(line) from error
        except jax.errors.JaxRuntimeError as error:
            if "RESOURCE_EXHAUSTED" in str(error):
                raise MemoryError(str(error)) from error
            raise

    def _train(self, values, batch):
        count = self.member.parameters
        loss = functools.partial(self._loss, rest=values[count:], batch=batch)
        gradients, new = jax.grad(loss, has_aux=True)(values[:count])
        return self.member.apply(new, gradients)

    def _loss(self, parameters, rest, batch):
        values = [*parameters, *rest]
        return self.member.forward(values, batch, training=True)

    def _evaluate(self, values, batch):
        _, new = self.member.forward(values, batch, training=False)
        return new

    def _finish(self, values):
        return self.member.finish(values)


def _epochs(step_of_member):
    """Returns the program of one epoch of steps, mapped over the members."""

    @functools.partial(jax.jit, static_argnames="batch_size")
    def epoch(state, data, order, batch_size):
        *members, examples = order.shape
        whole, rest = divmod(examples, batch_size)
        step = jax.vmap(step_of_member, (0, 0 if members else None))

        def batch(indices):
            return jax.tree.map(lambda array: jnp.take(array, indices, 0), data)

        def body(state, indices):
            return step(state, batch(indices)), None

        indices = order[..., : whole * batch_size]
        indices = indices.reshape(*members, whole, batch_size)
        state, _ = jax.lax.scan(body, state, jnp.moveaxis(indices, -2, 0))
        return step(state, batch(order[..., -rest:])) if rest else state

    return epoch
