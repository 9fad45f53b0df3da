"""Programs that a worker keeps from one batch to the next.

A search on one machine lets any program that can train some trials do so. Here
the last digit of a weight must not depend on what a worker has trained before,
so a program is used again only if the one that would be made is the same.
"""

import collections
from collections.abc import Hashable, Sequence

from tfcourse.tuning.caviar.programs import GroupProgram, ProgramCache
from tfcourse.tuning.caviar.steps.candidates import Candidate

_MOST_KEPT = 8
_VARIES = "varies"


class KeptPrograms:
    """The programs of a worker."""

    def __init__(self) -> None:
        self._kept: collections.OrderedDict[Hashable, GroupProgram] = (
            collections.OrderedDict()
        )

    def of_batch(self, batch: int) -> "BatchPrograms":
        """Returns what finds and makes the programs of a batch."""
        return BatchPrograms(batch, self._kept)

    def keep(self, programs: "BatchPrograms") -> None:
        """Keeps the programs of a batch, and forgets the oldest ones."""
        for key, program in programs.used.items():
            self._kept[key] = program
            self._kept.move_to_end(key)
        while len(self._kept) > _MOST_KEPT:
            self._kept.popitem(last=False)


class BatchPrograms(ProgramCache):
    """The programs of one batch.

    Args:
        batch: The number of the batch, of which they have their names.
        kept: Programs of earlier ones, by `_key`.

    Attributes:
        used: Those that were used, by `_key`.
    """

    def __init__(self, batch: int, kept: dict[Hashable, GroupProgram]) -> None:
        super().__init__()
        self._batch, self._kept = batch, kept
        self.used: dict[Hashable, GroupProgram] = {}

    def has(
        self, candidates: list[Candidate], by_one_step: bool = False
    ) -> bool:
        # What a batch is trained by must not depend on those before it.
        return False

    def of(
        self,
        candidates: list[Candidate],
        *arguments,
        by_one_step: bool = False,
    ) -> GroupProgram:
        key = by_one_step, _key(candidates)
        program = self.used.get(key) or self._kept.get(key)
        if program is None or not program.accepts(candidates):
            # Not one for trials that are merely like these.
            program = ProgramCache().of(
                candidates, *arguments, by_one_step=by_one_step
            )
        self.used[key] = program
        return program

    def name_of(self, program: GroupProgram) -> str:
        names = [id(known) for known in self.used.values()]
        return f"{self._batch}.{names.index(id(program)) + 1}"


def _key(candidates: Sequence[Candidate]) -> Hashable:
    """Returns what makes a program, and the sizes for which it is traced."""
    if any(c.constants or c.shared for c in candidates):
        # They belong to the build of one batch.
        return object()
    return (
        tuple(c.structure for c in candidates),
        tuple(c.family for c in candidates),
        _settings(candidates),
        tuple(c.arguments["batch_size"] for c in candidates),
        tuple(c.arguments["epochs"] for c in candidates),
        tuple(c.folds for c in candidates),
    )


def _settings(candidates: Sequence[Candidate]) -> Hashable:
    """Returns the values of settings that all share, and which ones vary."""
    every = [c.settings.values for c in candidates]
    names = {tuple(name for name, _ in values) for values in every}
    if len(names) > 1:
        return tuple(every)
    return tuple(
        column[0] if len(set(column)) == 1 else (column[0][0], _VARIES)
        for column in zip(*every, strict=True)
    )
