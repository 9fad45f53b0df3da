"""The first mini-batch of a program, compared with Keras's own."""

from collections.abc import Hashable

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
_MOST = 3
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

    Attributes:
        compared: How many members were compared so far.
    """

    def __init__(self, embedded: bool) -> None:
        self._embedded = embedded
        self._known: set[Hashable] = set()
        self._difference = ""
        self.compared = 0

    def is_due(self, part: list[Candidate]) -> bool:
        """Whether there are members to compare, before they train.

        Raises:
            CannotVectorize: If one has differed before.
        """
        if self._difference:
            raise CannotVectorize(self._difference)
        return bool(self._chosen(part))

    def check(self, part: list[Candidate], first: FirstBatch) -> None:
        """Compares some members.

        Args:
            part: The members.
            first: What the program makes of a mini-batch of each.

        Raises:
            CannotVectorize: If one differs: it says which, and where.
        """
        try:
            with global_state.preserved():
                self._difference = self._compare(part, first)
        except Exception as error:
            if is_out_of_memory(error):
                raise
            self._difference = (
                "a first batch could not be computed alone: "
                f"{type(error).__name__}: {first_line(error)}"
            )
        if self._difference:
            raise CannotVectorize(self._difference)

    def _compare(self, part: list[Candidate], first: FirstBatch) -> str:
        """Returns how a member differs, or `""`."""
        chosen = self._chosen(part)
        # All are built first: to seed TensorFlow makes it forget what it has
        # made for the operations that the next ones have, too.
        own = [OwnModel(part[k]) for k in chosen]
        for k, model in zip(chosen, own, strict=True):
            found = self._difference_of(model.step(first, k), first, k)
            if found:
                trial = part[k].trial.trial_id
                return f"one batch gave trial {trial} another {found}"
            self._known.add(_kind(part[k]))
            self.compared += 1
        return ""

    def _chosen(self, part: list[Candidate]) -> list[int]:
        """Returns the numbers of the members to compare."""
        kinds = {}
        for k, candidate in enumerate(part):
            kinds.setdefault(_kind(candidate), k)
        chosen = [k for kind, k in kinds.items() if kind not in self._known]
        if not self._known and len(part) > 1:
            chosen[1:1] = [len(part) - 1]
        return list(dict.fromkeys(chosen))[:_MOST]

    def _difference_of(self, step: KerasStep, first: FirstBatch, k: int) -> str:
        draws = any(map(draws_numbers, every_layer(step.model)))
        return difference(step, first, k, not (self._embedded and draws))


def _kind(candidate: Candidate) -> Hashable:
    of_data = tuple(
        value if isinstance(value, float) else id(value)
        for value in map(candidate.arguments.get, _OF_STEPS)
    )
    kind = candidate.family or candidate.structure
    return kind, candidate.continues, of_data
