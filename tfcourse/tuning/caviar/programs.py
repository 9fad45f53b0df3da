"""What trains all trials of one structure."""

import collections
import contextlib
import functools
import weakref
from collections.abc import (
    Callable,
    Collection,
    Iterable,
    Iterator,
    Sequence,
)
from typing import Any

import keras
import numpy as np

from tfcourse.tuning.caviar.callbacks.lending import LentModel, LentModels
from tfcourse.tuning.caviar.callbacks.members import MemberCallbacks
from tfcourse.tuning.caviar.callbacks.view import MemberModel
from tfcourse.tuning.caviar.checkpoint_writer import BatchCheckpointWriter
from tfcourse.tuning.caviar.steps.candidates import Candidate
from tfcourse.tuning.caviar.verification import Verification
from tfcourse.tuning.display.search_display import showing_epochs
from tfcourse.tuning.population import (
    CannotVectorize,
    MemberHistory,
    initial_values,
    structure,
)
from tfcourse.tuning.population.built import FirstBatch, Shapes
from tfcourse.tuning.population.data.readers import head
from tfcourse.tuning.population.data.snapshot import Snapshot
from tfcourse.tuning.population.deferred import all_variables, build_late
from tfcourse.tuning.population.frozen_prefix import (
    FrozenPrefix,
    frozen_prefix,
)
from tfcourse.tuning.population.functional.build import build
from tfcourse.tuning.population.settings.reading import digest_and_settings
from tfcourse.tuning.population.settings.template import MemberSettings
from tfcourse.tuning.population.structure import (
    difference_between,
    settings_of,
)
from tfcourse.tuning.population.structure.open_sizes import (
    fit_in,
    open_shapes,
)
from tfcourse.tuning.population.structure.reader import Structure
from tfcourse.tuning.population.trainer import PopulationTrainer
from tfcourse.tuning.population.validation import check_begins_as_reset
from tfcourse.tuning.results.trials import trial_order
from tfcourse.tuning.supernet import Supernet

# A part that is smaller than this share of the largest is traced anew, rather
# than filled up to its size.
_SMALLEST_FILLED = 0.25
# A program holds a model and graphs, but no values of members.
_MOST_KEPT = 8


class GroupProgram:
    """What trains all candidates of one structure.

    Args:
        candidates: The `Candidate`s.
        keep_best: Name and direction of the objective, and what breaks ties, as
            for `BestTracker`.
        seed: Seed of the order of examples.
        device: As for `Population`.
        verify: Whether to compare a mini-batch of a few members with Keras's
            own step; see `Verification`.
        by_one_step: Whether candidates are trained one after the other, each
            in its own size, instead of side by side.

    Attributes:
        by_one_step: As given.
        template: The one model that is built.
        checkpoints: What writes the weights of the candidates.
        report: What was done, as `Population.report`; `verified` is how many
            of the members were compared with Keras's own.
    """

    def __init__(
        self,
        candidates: list[Candidate],
        keep_best: tuple[str, str, Sequence[str]],
        seed: int,
        device: str | None = None,
        verify: bool = False,
        by_one_step: bool = False,
    ) -> None:
        self.by_one_step = by_one_step
        name, mode, self._break_ties_by = keep_best
        self._keep_best = name, mode
        self._seed = seed
        self._device = device
        # What was traced first, with the frozen layers apart and without.
        self._first: dict[bool, Any] = {}
        self._lent = LentModels()
        self.report: dict = {}
        first, models = candidates[0], [c.model for c in candidates]
        self._structure = self._shared(first)
        self._families = {c.family for c in candidates}
        self._supernet: Supernet | None = None
        if any(self._shared(c) != self._structure for c in candidates):
            builds = [candidate.build for candidate in candidates]
            self._supernet = Supernet(builds, models, by_one_step)
        self._verification: Verification | None = None
        if verify:
            narrower = bool(self._supernet) and not by_one_step
            self._verification = Verification(narrower, by_one_step)
        self.checkpoints = BatchCheckpointWriter()
        if self._supernet:
            self.template = self._supernet.model
            self._settings: Any = self._supernet.settings
        else:
            kinds: list[Any] = [c.optimizer for c in candidates]
            firsts = [candidates[kinds.index(k)] for k in dict.fromkeys(kinds)]
            self._settings = MemberSettings(
                [candidate.settings for candidate in candidates],
                kinds,
                by_one_step,
            )
            self.template = self._settings.build(
                [functools.partial(made_as_kept, some) for some in firsts]
            )
        self._template_structure = self._present_structure()
        self._prefix: FrozenPrefix | None = None
        self._shapes: Shapes | None = None
        if by_one_step:
            shapes = [self._shapes_of(candidate) for candidate in candidates]
            if self._supernet:
                # Its own sizes are nobody's.
                shapes.append(
                    [tuple(v.shape) for v in self._supernet.variables]
                )
            self._shapes = open_shapes(shapes)
        else:
            self._prefix = frozen_prefix(self.template, self._settings)

    def _shared(self, candidate: Candidate) -> Structure:
        """Returns what all candidates must have in common."""
        if self.by_one_step:
            return candidate.shared_open_structure
        return candidate.shared_structure

    def _shapes_of(self, candidate: Candidate) -> list[tuple[int, ...]]:
        if self._supernet:
            return self._supernet.shapes(candidate.model)
        return self._settings.shapes(
            self.template,
            candidate.model,
            candidate.settings,
            candidate.optimizer,
        )

    def accepts(self, candidates: list[Candidate]) -> bool:
        """Whether it can train these candidates, too."""
        if self._present_structure() != self._template_structure:
            # It reads what has changed since it was built.
            return False
        if self._supernet:
            models = [candidate.model for candidate in candidates]
            return (
                {c.family for c in candidates} <= self._families
                and self._supernet.accepts(models)
                and all(map(self._fits, candidates))
            )
        return all(
            self._shared(c) == self._structure
            and self._settings.accepts(c.settings, c.optimizer)
            and self._fits(c)
            for c in candidates
        )

    def _fits(self, candidate: Candidate) -> bool:
        """Whether a candidate is of the sizes that are left open."""
        shapes = self._shapes
        return not shapes or fit_in(self._shapes_of(candidate), shapes)

    def choose(self, candidates: list[Candidate]) -> None:
        """Settles which of those that come one by one are compared.

        Raises:
            CannotVectorize: If one of these cannot be built.
        """
        if self._verification is not None:
            with self._on_device():
                self._verification.choose(candidates)

    def _on_device(self) -> contextlib.AbstractContextManager[None]:
        if self._device is None:
            return contextlib.nullcontext()
        return keras.device(self._device)

    def initial_values(self, part: list[Candidate]) -> list[np.ndarray]:
        """Returns what candidates begin with, an array for each variable."""
        return self._initial_values(part, 0)[0]

    def values_at(
        self, candidate: Candidate, numbers: Collection[int]
    ) -> dict[int, np.ndarray]:
        """Returns some of what `initial_values` does, for one, and sooner."""
        if self._settings and not self._supernet:
            return self._settings.values_at(
                self.template,
                candidate.model,
                candidate.settings,
                candidate.optimizer,
                numbers,
            )
        columns = self.initial_values([candidate])
        return {i: columns[i][0] for i in numbers}

    def train(
        self,
        part: list[Candidate],
        on_epoch_end: Callable | None = None,
        any_batch_size: bool = False,
        resume_from: Snapshot | None = None,
    ) -> tuple[PopulationTrainer, list[MemberHistory]]:
        """Trains candidates that are fitted with the same arguments.

        The largest part must come first: what was traced for it serves the
        others. If that goes for its size only, they are filled up to it.

        Args:
            part: The `Candidate`s.
            on_epoch_end: As for `Population.fit`.
            any_batch_size: Whether there are parts of several batch sizes.
            resume_from: What to go on from, if they were being trained.

        Returns:
            The `PopulationTrainer` and its histories, one for each candidate.

        Raises:
            CannotVectorize: If the models cannot be trained as one program, or
                are not trained there as by Keras.
        """
        check, known = self._check(part), self._compared()
        prefix = self._prefix_of(part)
        like, missing = self._traced_for(len(part), prefix is not None)
        population = PopulationTrainer(
            self.template,
            len(part) + missing,
            functools.partial(self._initial_values, part, missing),
            "auto" if self._shapes is None else False,
            self._device,
            like,
            any_batch_size=any_batch_size,
            prefix=prefix,
            settings=self._settings,
            shapes=self._shapes,
        )
        for candidate in part:
            _check_initializers(candidate)
        with self._callbacks(part) as callbacks:
            histories = population.fit(
                **_for_members(part[0].arguments, len(population)),
                keep_best=self._keep_best,
                break_ties_by=self._break_ties_by,
                keep_unseen=True,
                before_training=check,
                on_epoch_end=showing_epochs(
                    on_epoch_end, len(part), part[0].arguments["epochs"]
                ),
                hooks=callbacks,
                seed=self._seed,
                resume_from=resume_from,
            )
            _check_unchanged(
                self._template_structure, self._present_structure()
            )
            for k, candidate in enumerate(part):
                if candidate.constants:
                    _check_constants(candidate, population.values(k))
            if callbacks is not None:
                callbacks.release(_in_order_of_trials(part))
        self._first.setdefault(prefix is not None, population.traced)
        self.report = population.report | {"verified": self._compared() - known}
        return population, histories[: len(part)]

    @contextlib.contextmanager
    def _callbacks(
        self, part: list[Candidate]
    ) -> Iterator[MemberCallbacks | None]:
        """While it lasts, what calls the callbacks of candidates is there."""
        if not _has_callbacks(part):
            yield None
            return
        originals = [candidate.arguments["callbacks"] for candidate in part]
        models = [
            MemberModel(k, self._lent_for(candidate))
            for k, candidate in enumerate(part)
        ]
        names = ("verbose", "epochs")
        params = {name: part[0].arguments[name] for name in names}
        callbacks = MemberCallbacks(originals, models, params)
        try:
            yield callbacks
        finally:
            callbacks.close()
            self._lent.forget()

    def _lent_for(self, candidate: Candidate) -> LentModel:
        """Returns the real model that callbacks of a candidate look at."""
        constants = frozenset(id(variable) for variable in candidate.constants)
        # A model's numbers, such as a schedule's, are in no variable.
        return self._lent.of(
            (candidate.structure, str(candidate.settings.values), constants),
            lambda: LentModel(
                functools.partial(_live, candidate),
                candidate.model,
                self.template,
                constants,
            ),
        )

    def _check(
        self, part: list[Candidate]
    ) -> Callable[[FirstBatch], None] | None:
        """Returns what compares candidates with Keras, if anything does."""
        if self._verification is None:
            return None
        with self._on_device():
            return self._verification.prepare(part)

    def _compared(self) -> int:
        return self._verification.compared if self._verification else 0

    def _prefix_of(self, part: list[Candidate]) -> FrozenPrefix | None:
        """Returns the frozen layers, if all candidates share their values."""
        if self._prefix is None or _has_callbacks(part):
            # A callback may look at all layers, and change them.
            return None
        columns, _ = self._initial_values(part, 0)
        return self._prefix if self._prefix.is_shared(columns) else None

    def _present_structure(self) -> Structure:
        """Returns the template's structure, as if it had no settings."""
        with self._settings.changes.undone():
            return structure(self.template)

    def _traced_for(self, size: int, has_prefix: bool) -> tuple[Any, int]:
        """Returns what was traced that serves a part of some size, or None,
        and how many members are missing from the size that it is for.
        """
        first = self._first.get(has_prefix)
        if first is None or first.any_size:
            return first, 0
        if _SMALLEST_FILLED * first.size <= size <= first.size:
            return first, first.size - size
        return None, 0

    def _initial_values(
        self, part: list[Candidate], missing: int
    ) -> tuple[list[np.ndarray], list | None]:
        """Returns initial values, and slices, of candidates and some more."""
        models, slices = [candidate.model for candidate in part], None
        if self._supernet:
            columns, slices = self._supernet.initial_values(models)
            slices += [slices[-1]] * missing
        elif self._settings or self.by_one_step:
            columns, slices = self._settings.initial_values(
                self.template,
                models,
                [c.settings for c in part],
                [c.optimizer for c in part],
            )
            slices += [slices[-1]] * missing
        else:
            columns = initial_values(self.template, models)
        if missing:
            columns = [_filled(column, missing) for column in columns]
        return columns, slices


class ProgramCache:
    """The programs that were used last, for candidates like those before.

    Each further round of a search brings trials of the same structures.

    Args:
        names: Names for programs.
    """

    def __init__(self, names: Iterable[str] = ()) -> None:
        self._names = iter(names)
        self._name_of: weakref.WeakKeyDictionary = weakref.WeakKeyDictionary()
        self._recent: collections.deque[GroupProgram] = collections.deque(
            maxlen=_MOST_KEPT
        )

    def has(
        self, candidates: list[Candidate], by_one_step: bool = False
    ) -> bool:
        """Whether there is a program already that trains some candidates."""
        return any(
            program.by_one_step == by_one_step and program.accepts(candidates)
            for program in self._recent
        )

    def of(
        self,
        candidates: list[Candidate],
        *arguments,
        by_one_step: bool = False,
    ) -> GroupProgram:
        """Returns the `GroupProgram` for some candidates.

        Args:
            candidates: The `Candidate`s.
            *arguments: The further arguments of a `GroupProgram`.
            by_one_step: Likewise.
        """
        for program in self._recent:
            if program.by_one_step == by_one_step and program.accepts(
                candidates
            ):
                break
        else:
            program = GroupProgram(
                candidates, *arguments, by_one_step=by_one_step
            )
            self._name_of[program] = next(self._names, "")
        if program in self._recent:
            self._recent.remove(program)
        self._recent.appendleft(program)
        return program

    def name_of(self, program: GroupProgram) -> str:
        """Returns the name that a program was given."""
        return self._name_of[program]

    def clear(self) -> None:
        """Forgets all programs."""
        self._recent.clear()


def made_as_kept(candidate: Candidate) -> keras.Model:
    """Returns the model of a candidate; a `keras.Sequential` is not built.

    Raises:
        CannotVectorize: If its build now gives another structure than it gave
            for the candidate.
    """
    model = build_late(candidate.build)
    difference = _difference_from_kept(candidate, model)
    if difference and candidate.model.built:
        # It could not be deferred.
        model = candidate.build()
        difference = _difference_from_kept(candidate, model)
    if difference:
        raise CannotVectorize(
            f"its build gives a different model each time: {difference}"
        )
    check_begins_as_reset(model)
    return model


def _difference_from_kept(
    candidate: Candidate, model: keras.Model
) -> str | None:
    present, settings = digest_and_settings(
        model, candidate.constants, candidate.shared
    )
    return difference_between(
        candidate.structure, present.structure
    ) or difference_between(candidate.settings.values, settings.values)


def _check_unchanged(before: Structure, after: Structure) -> None:
    """Raises `CannotVectorize` if code has changed what code reads."""
    difference = difference_between(before, after)
    if difference:
        raise CannotVectorize(f"its code changes what it reads: {difference}")


def _check_initializers(candidate: Candidate) -> None:
    """Raises `CannotVectorize` if weights would be drawn from other ones."""
    for initializer, before in candidate.initializers:
        difference = difference_between(before, settings_of(initializer))
        if difference:
            name = type(initializer).__name__
            raise CannotVectorize(
                f"its initializer {name} has changed since its "
                f"build{difference}"
            )


def _live(candidate: Candidate) -> keras.Model:
    """Returns the model of a candidate with all that a trained one has."""
    model, given = candidate.build(), candidate.arguments
    build(model, head(given["x"], given["y"], given["sample_weight"]))
    if not model.optimizer.built:
        model.optimizer.build(model.trainable_variables)
    return model


def _has_callbacks(part: list[Candidate]) -> bool:
    given = [candidate.arguments["callbacks"] for candidate in part]
    return any(early or late for early, late in given)


def _in_order_of_trials(part: list[Candidate]) -> list[int]:
    return sorted(
        range(len(part)), key=lambda k: trial_order(part[k].trial.trial_id)
    )


def _check_constants(candidate: Candidate, values: list[np.ndarray]) -> None:
    """Raises `CannotVectorize` if training has changed what it may not."""
    constants = {id(variable) for variable in candidate.constants}
    variables = all_variables(candidate.model)
    for variable, value in zip(variables, values, strict=True):
        before: Any = keras.ops.convert_to_numpy(variable.value)
        if id(variable) in constants and before.tobytes() != value.tobytes():
            raise CannotVectorize(
                f"{variable.path} was made before its build and is trained"
            )


def _for_members(arguments: dict, size: int) -> dict:
    """Returns arguments for a population: members take turns at the folds."""
    arguments = {n: v for n, v in arguments.items() if n != "callbacks"}
    if arguments["subsets"] is None:
        return arguments
    subsets = [np.resize(s, (size, s.shape[1])) for s in arguments["subsets"]]
    return arguments | {"subsets": subsets}


def _filled(column: np.ndarray, missing: int) -> np.ndarray:
    if not column.strides[0]:
        # They are all the same, and held once.
        return np.broadcast_to(
            column[0], (len(column) + missing, *column.shape[1:])
        )
    return np.concatenate([column, np.repeat(column[-1:], missing, axis=0)])
