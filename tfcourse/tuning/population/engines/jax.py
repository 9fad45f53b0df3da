"""A population's epoch as one JAX program."""

import functools
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp

from tfcourse.errors import CannotVectorize
from tfcourse.tuning.population.engines.base import (
    Engine,
    Tensor,
    Tensors,
    XlaScope,
    is_out_of_memory,
)
from tfcourse.tuning.population.functional.member import Member


class JaxEngine(Engine):
    """Maps a member's functions over all members, by `jax.vmap`.

    JAX always compiles by XLA, and has a rule for every operation.

    Args:
        member: A `Member`.
    """

    def __init__(self, member: Member) -> None:
        super().__init__(member)
        self._programs: dict[str, Callable[..., Any]] = {
            "train": _epochs(self._train),
            "evaluate": _epochs(self._evaluate),
            "results": jax.jit(jax.vmap(member.results)),
            "finish": jax.jit(jax.vmap(self._finish)),
            "predict": jax.jit(jax.vmap(member.predict, (0, None))),
        }

    @property
    def one_by_one(self) -> set[str]:
        return set()

    @property
    def any_number(self) -> bool:
        # JAX traces by itself what it needs.
        return True

    def compiles(self, xla: XlaScope) -> bool:
        return True

    def compile_ahead(
        self,
        members: int,
        data: Tensors,
        order: Tensor,
        batch_size: int,
        xla: XlaScope,
    ) -> None:
        """JAX's programs are compiled when they are first run."""

    def train_epoch(
        self,
        state: list[Tensor],
        data: Tensors,
        order: Tensor,
        batch_size: int,
        xla: XlaScope = None,
    ) -> list[Tensor]:
        return self._run("train", state, data, order, batch_size)

    def evaluate(
        self,
        state: list[Tensor],
        data: Tensors,
        order: Tensor,
        batch_size: int,
    ) -> list[Tensor]:
        return self._run("evaluate", state, data, order, batch_size)

    def results(self, state: list[Tensor]) -> dict[str, Tensor]:
        return self._run("results", self.member.needed_for_results(state))

    def finish(self, state: list[Tensor]) -> list[Tensor]:
        return self._run("finish", state)

    def predict(self, state: list[Tensor], x: Tensors) -> Tensors:
        return self._run("predict", state, x)

    def _run(self, kind: str, state: list[Tensor], *arguments: Any) -> Any:
        try:
            return self._programs[kind](list(state), *arguments)
        except CannotVectorize:
            raise
        except jax.errors.JAXTypeError as error:
            line = str(error).strip().splitlines()[0]
            raise CannotVectorize(line) from error
        except jax.errors.JaxRuntimeError as error:
            if is_out_of_memory(error):
                raise MemoryError(str(error)) from error
            raise

    def _train(self, values: list[Tensor], batch: Tensors) -> list[Tensor]:
        count = self.member.parameters
        loss = functools.partial(self._loss, rest=values[count:], batch=batch)
        gradients, new = jax.grad(loss, has_aux=True)(values[:count])
        return self.member.apply(new, gradients)

    def _loss(
        self, parameters: list[Tensor], rest: list[Tensor], batch: Tensors
    ) -> tuple[Tensor, list[Tensor]]:
        values = [*parameters, *rest]
        return self.member.forward(values, batch, training=True)

    def _evaluate(self, values: list[Tensor], batch: Tensors) -> list[Tensor]:
        _, new = self.member.forward(values, batch, training=False)
        return new

    def _finish(self, values: list[Tensor]) -> list[Tensor]:
        return self.member.finish(values)


def _epochs(
    step_of_member: Callable[[list[Tensor], Tensors], list[Tensor]],
) -> Callable[..., list[Tensor]]:
    """Returns the program of one epoch of steps, mapped over the members."""

    @functools.partial(jax.jit, static_argnames="batch_size")
    def epoch(
        state: list[Tensor], data: Tensors, order: Tensor, batch_size: int
    ) -> list[Tensor]:
        *members, examples = order.shape
        whole, rest = divmod(examples, batch_size)
        step = jax.vmap(step_of_member, (0, 0 if members else None))

        def batch(indices: Tensor) -> Tensors:
            return jax.tree.map(lambda array: jnp.take(array, indices, 0), data)

        def body(
            state: list[Tensor], indices: Tensor
        ) -> tuple[list[Tensor], None]:
            return step(state, batch(indices)), None

        indices = order[..., : whole * batch_size]
        indices = indices.reshape(*members, whole, batch_size)
        state, _ = jax.lax.scan(body, state, jnp.moveaxis(indices, -2, 0))
        return step(state, batch(order[..., -rest:])) if rest else state

    return epoch
