"""The first mini-batch of a program, compared with Keras's own."""

import contextlib
import functools
from collections.abc import Callable, Hashable, Iterator

from tfcourse.tuning.caviar.steps.candidates import Candidate
from tfcourse.tuning.caviar.verification.comparison import difference
from tfcourse.tuning.caviar.verification.keras_step import (
    KerasStep,
    OwnModel,
)
from tfcourse.tuning.population import CannotVectorize
from tfcourse.tuning.population.built import FirstBatch
from tfcourse.tuning.population.engines.base import is_out_of_memory
from tfcourse.tuning.population.functional.layer_traits import draws_numbers
from tfcourse.utils import global_state
from tfcourse.utils.keras_private import every_layer
from tfcourse.utils.text import first_line

# More would cost more than a twentieth of a search of 64 small trials.
_MOST, _MOST_ONE_BY_ONE = 3, 2
# What of the arguments of `fit` changes a step, besides the batch size.
_OF_STEPS = (
    "x",
    "y",
    "sample_weight",
    "class_weight",
    "validation_data",
    "validation_split",
)


class Verification:
    """Compares what a program makes of a mini-batch with what Keras does.

    That is done before any member is trained, for the first and the last of
    them, and for one more with an optimizer of another kind. Of later members
    of the same program one is compared for each kind of layers, optimizer or
    data that was not there before; other widths and batch sizes are no other
    kind.

    Compared are the metrics of an evaluation, where there are validation data,
    the loss and the metrics of a training step, and all variables before and
    after it, those of the optimizer included. Where layers draw random numbers
    that those of a smaller network do not draw alike, the training step is
    left out.

    Args:
        embedded: Whether members are slices of a larger network.
        any_sizes: Whether members are of any sizes, and come one by one. Who of
            them is compared is settled by `choose`.

    Attributes:
        compared: How many members were compared so far.
    """

    def __init__(self, embedded: bool, any_sizes: bool = False) -> None:
        self._embedded = embedded
        self._any_sizes = any_sizes
        self._known: set[Hashable] = set()
        self._difference = ""
        # Of members that are still to come, by their ids.
        self._chosen_before: dict[int, OwnModel] = {}
        self.compared = 0

    def choose(self, candidates: list[Candidate]) -> None:
        """Builds the models of two members that will come one by one.

        Args:
            candidates: All that will come.

        Raises:
            CannotVectorize: If one cannot be built.
        """
        with self._noting_difference():
            for k in self._chosen(candidates)[:_MOST_ONE_BY_ONE]:
                own = OwnModel(candidates[k])
                self._chosen_before[id(candidates[k])] = own

    def prepare(
        self, part: list[Candidate]
    ) -> Callable[[FirstBatch], None] | None:
        """Returns what compares some of the members, before they train.

        It must be called before the program runs: the models of a few members
        are built, for which TensorFlow is seeded, and so forgets whatever it
        has made to run its functions.

        Args:
            part: The members.

        Returns:
            A function of what the program makes of a mini-batch of each. It
            raises `CannotVectorize` if one differs, and says which, and where.
            None if there is nothing to compare.

        Raises:
            CannotVectorize: If one has differed before, or cannot be built.
        """
        if self._difference:
            raise CannotVectorize(self._difference)
        own: dict[int, OwnModel] = {}
        with self._noting_difference():
            for k in [] if self._any_sizes else self._chosen(part):
                own[k] = OwnModel(part[k])
            for k, candidate in enumerate(part):
                if id(candidate) in self._chosen_before:
                    own[k] = self._chosen_before.pop(id(candidate))
        return functools.partial(self._check, part, own) if own else None

    def _check(
        self,
        part: list[Candidate],
        own: dict[int, OwnModel],
        first: FirstBatch,
    ) -> None:
        with self._noting_difference():
            while own:
                # They need not be kept while the program trains.
                k = next(iter(own))
                found = self._difference_of(own.pop(k).step(first, k), first, k)
                if found:
                    trial = part[k].trial.trial_id
                    raise CannotVectorize(
                        f"one batch gave trial {trial} another {found}"
                    )
                self._known.add(self._kind(part[k]))
                self.compared += 1

    @contextlib.contextmanager
    def _noting_difference(self) -> Iterator[None]:
        """Makes of each error but of memory a `CannotVectorize`."""
        try:
            with global_state.preserved():
                yield
        except Exception as error:
            if is_out_of_memory(error):
                raise
            self._difference = str(error)
            if not isinstance(error, CannotVectorize):
                self._difference = (
                    "a first batch could not be computed alone: "
                    f"{type(error).__name__}: {first_line(error)}"
                )
            raise CannotVectorize(self._difference) from error

    def _chosen(self, part: list[Candidate]) -> list[int]:
        """Returns the numbers of the members to compare."""
        kinds = {}
        for k, candidate in enumerate(part):
            kinds.setdefault(self._kind(candidate), k)
        chosen = [k for kind, k in kinds.items() if kind not in self._known]
        if not self._known and len(part) > 1:
            chosen.insert(len(chosen) if self._any_sizes else 1, len(part) - 1)
        return list(dict.fromkeys(chosen))[:_MOST]

    def _difference_of(self, step: KerasStep, first: FirstBatch, k: int) -> str:
        draws = any(map(draws_numbers, every_layer(step.model)))
        return difference(step, first, k, not (self._embedded and draws))

    def _kind(self, candidate: Candidate) -> Hashable:
        of_data = tuple(
            value if isinstance(value, float) else id(value)
            for value in map(candidate.arguments.get, _OF_STEPS)
        )
        kind: Hashable = candidate.family or candidate.structure
        if self._any_sizes:
            kind = candidate.open_structure
        return kind, candidate.continues, of_data
