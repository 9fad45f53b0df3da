"""What computes a population's epochs, whatever Keras's backend is."""

import abc
import concurrent.futures
from typing import Any, Literal

from tfcourse.tuning.population.functional.member import Member

# A tensor of Keras's backend.
Tensor = Any
# Tensors in nested lists, tuples and dicts; some may be None.
Tensors = Any
# What XLA compiles: all of a step, the optimizer's update in it, or nothing.
XlaScope = Literal["step", "update"] | None


class Engine(abc.ABC):
    """Maps the functions of one member over all members.

    The state of the members is a list of tensors `(K, ...)`, one for each of
    the arrays of a `Member`.

    Args:
        member: A `Member`.

    Attributes:
        remarks: What did not go as it should, in sentences.
        updates_by_xla: Whether an optimizer's half of a step is compiled.
    """

    def __init__(self, member: Member) -> None:
        self.member = member
        self.remarks: list[str] = []
        self.updates_by_xla = False

    @property
    @abc.abstractmethod
    def one_by_one(self) -> set[str]:
        """The names of operations that are not vectorised, but run for one
        member after another.
        """

    @property
    @abc.abstractmethod
    def any_number(self) -> bool:
        """Whether what has trained serves any number of members."""

    @abc.abstractmethod
    def compiles(self, xla: XlaScope) -> bool:
        """Whether XLA compiles anything of what it may."""

    @abc.abstractmethod
    def compile_ahead(
        self,
        members: int,
        data: Tensors,
        order: Tensor,
        batch_size: int,
        xla: XlaScope,
    ) -> concurrent.futures.Future[None] | None:
        """Begins to compile what `train_epoch` will run.

        The caller may trace other programs in the meantime. It waits for the
        result before it trains.

        Args:
            members: For how many members.
            data: As for `train_epoch`, like all others.
            order: Likewise.
            batch_size: Likewise.
            xla: Likewise.

        Returns:
            What is done once the program is compiled, or once it is known that
            it cannot be; its result raises `MemoryError` if memory does not
            suffice. None if there is nothing to compile ahead.
        """

    @abc.abstractmethod
    def train_epoch(
        self,
        state: list[Tensor],
        data: Tensors,
        order: Tensor,
        batch_size: int,
        xla: XlaScope = None,
    ) -> list[Tensor]:
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

        Raises:
            CannotVectorize: If the models cannot be trained as one program.
            MemoryError: If memory does not suffice.
        """

    @abc.abstractmethod
    def evaluate(
        self,
        state: list[Tensor],
        data: Tensors,
        order: Tensor,
        batch_size: int,
    ) -> list[Tensor]:
        """Returns the state with the metrics of an evaluation in it.

        The arguments are those of `train_epoch`, and so are the errors.
        """

    @abc.abstractmethod
    def results(self, state: list[Tensor]) -> dict[str, Tensor]:
        """Returns a dict from the name of each metric to `(K, ...)` values."""

    @abc.abstractmethod
    def finish(self, state: list[Tensor]) -> list[Tensor]:
        """Returns the state at the end of training, see `Member.finish`."""

    @abc.abstractmethod
    def predict(self, state: list[Tensor], x: Tensors) -> Tensors:
        """Returns the outputs for one batch, each of shape `(K, m, ...)`."""


def is_out_of_memory(error: BaseException) -> bool:
    """Whether an error says that memory does not suffice.

    TensorFlow's and JAX's have no class in common.
    """
    return (
        isinstance(error, MemoryError)
        or type(error).__name__ == "ResourceExhaustedError"
        or "RESOURCE_EXHAUSTED" in str(error)
    )
