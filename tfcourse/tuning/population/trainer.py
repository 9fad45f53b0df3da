"""Trains the members of a population, whose variables are stacked arrays."""

import contextlib
import functools
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

import keras
import numpy as np

from tfcourse.tuning.population.built import (
    Batch,
    BuiltPopulation,
    Columns,
    FirstBatch,
    JitCompile,
    Shapes,
    Slices,
    Traced,
    build_population,
)
from tfcourse.tuning.population.data.batches import (
    Batches,
    Orders,
    generator,
)
from tfcourse.tuning.population.data.fit_data import FitData, fit_data
from tfcourse.tuning.population.data.readers import ArrayReader, Reader, read
from tfcourse.tuning.population.data.snapshot import Snapshot
from tfcourse.tuning.population.frozen_prefix import FrozenPrefix
from tfcourse.tuning.population.functional.build import build
from tfcourse.tuning.population.history import (
    LOSSES,
    MemberHistory,
    TrainingLog,
    print_epoch,
)
from tfcourse.tuning.population.hooks import Hooks
from tfcourse.tuning.population.validation import (
    check_jit_compile,
    check_trains_as_keras_does,
)

OnEpochEnd = Callable[["PopulationTrainer", int, dict[str, np.ndarray]], None]


class PopulationTrainer:
    """Trains members, of which there are one model and the values of many.

    Args:
        template: A compiled model of the members' structure. Its variables are
            never written.
        size: K, how many members there are.
        draw: A function that returns the initial values and the slices of the
            members. It is called while XLA compiles, if it does.

            The values are a list of arrays `(K, ...)`, those of the template's
            `trainable_variables`, `non_trainable_variables` and of the
            `variables` of its built optimizer, in that order; see
            `deferred.initial_values`. The slices are None, or say what the
            members' own variables are, if they differ from the template's: for
            each member a list of pairs, which of the template's variables
            holds one of its own, and the boolean masks, one an axis, of where;
            see `tfcourse.tuning.supernet`.
        jit_compile: As for `Population`.
        device: As for `Population`.
        like: What a trained population of the same template has `traced`. It
            serves another number of members and another batch size.
        any_batch_size: Whether others will be made `like` this one that have
            other batch sizes; XLA then compiles only what serves them all, the
            optimizer's update.
        build_template: A function that builds the template on a few examples,
            if it is not built by calling it.
        prefix: The template's frozen layers, which are then computed once for
            all members; they must be shared by these.
        settings: The `MemberSettings` that the template computes with, or None.
        shapes: The shapes of the variables of `draw`, with None where those of
            other members have other sizes; or None if all are the template's.
            With open sizes, members are trained one after the other.

    Attributes:
        like: As given.
        seconds: How long `fit` has taken.
    """

    def __init__(
        self,
        template: keras.Model,
        size: int,
        draw: Callable[[], tuple[Columns, Slices | None]],
        jit_compile: JitCompile = "auto",
        device: str | None = None,
        like: Traced | None = None,
        any_batch_size: bool = False,
        build_template: Callable[[Batch], None] | None = None,
        prefix: FrozenPrefix | None = None,
        settings: Any = None,
        shapes: Shapes | None = None,
    ) -> None:
        check_jit_compile(jit_compile)
        self._template = template
        self._size = size
        self._draw: Callable[..., Any] | None = draw
        self._jit_compile: JitCompile = jit_compile
        self._device = device
        self.like = like
        self._any_batch_size = any_batch_size
        self._settings = settings
        self._shapes = shapes
        self._build_template = build_template or self._build_as_called
        self._prefix = prefix
        self._built: BuiltPopulation | None = None
        self._slices: Slices | None = None
        self._log: TrainingLog | None = None
        self._order: Orders | None = None
        self._done = np.zeros(size, bool)
        self._diverged = np.zeros(size, bool)
        self.seconds = 0.0

    def __len__(self) -> int:
        return self._size

    @property
    def members(self) -> np.ndarray:
        """The indices of the members that are still in the arrays."""
        if self._built is None:
            return np.arange(self._size)
        return self._built.state.rows.copy()

    @property
    def training(self) -> np.ndarray:
        """The indices of the members that `fit` would go on training."""
        return self.members[~self._done[self.members]]

    @property
    def diverged(self) -> np.ndarray:
        """Which members' loss has ceased to be finite."""
        return self._diverged.copy()

    @property
    def traced(self) -> Traced:
        """What was traced for it: no member's values are in it."""
        built = self._need_filled()
        return Traced(built.member, built.engine, self._size)

    @property
    def report(self) -> dict[str, Any]:
        """What was done, see `Population.report`."""
        built = self._built
        looped = sorted(built.engine.one_by_one) if built else []
        how = "vectorised with a loop" if looped else "vectorised"
        return {
            "how": how if self._shapes is None else "by one step",
            "one_by_one": looped,
            "xla": bool(built and built.loop.xla),
            "remarks": list(built.engine.remarks) if built else [],
            "pieces": built.loop.pieces if built else 1,
            "frozen": self._prefix.times if self._prefix else "",
            "members": self._size,
            "seconds": self.seconds,
        }

    def fit(
        self,
        x: Any,
        y: Any = None,
        *,
        epochs: int = 1,
        initial_epoch: int = 0,
        verbose: int = 0,
        shuffle: bool = True,
        early_stopping: int | keras.callbacks.EarlyStopping | None = None,
        keep_best: str | tuple[str, str] | None = None,
        before_training: Callable[[FirstBatch], None] | None = None,
        on_epoch_end: OnEpochEnd | None = None,
        hooks: Hooks | None = None,
        seed: int | None = None,
        steps_per_epoch: int | None = None,
        validation_freq: int | list[int] = 1,
        keep_unseen: bool = False,
        break_ties_by: Sequence[str] = (),
        resume_from: Snapshot | None = None,
        **data: Any,
    ) -> list[MemberHistory]:
        """Trains all members, see `Population.fit`.

        Args:
            x: The inputs.
            y: The targets.
            epochs: The epoch at which to end.
            initial_epoch: The epoch at which to begin.
            verbose: 1 prints a line per epoch.
            shuffle: Whether arrays are shuffled anew in each epoch.
            early_stopping: The patience, or a callback of Keras's.
            keep_best: Of which metric the best weights are kept.
            before_training: Called with what the members make of a mini-batch;
                they begin their training as if it had not been.
            on_epoch_end: Called with `(trainer, epoch, logs)`.
            hooks: What is called for each member.
            seed: Seed of the shuffling.
            steps_per_epoch: How many mini-batches an epoch has at most.
            validation_freq: After which epochs is evaluated.
            keep_unseen: Whether an epoch of which `keep_best` is not known
                counts as the best, as keras-tuner has it.
            break_ties_by: As for `BestTracker`, of `keep_best`.
            resume_from: What to go on from, in the place of the initial values.
            **data: Further arguments of `fit_data`.
        """
        start = time.perf_counter()
        with self._on_device():
            rng = generator(shuffle, seed)
            given = fit_data(
                self._size,
                x,
                y,
                rng=rng,
                steps_per_epoch=steps_per_epoch,
                **data,
            )
            first, read, validation = self._plan(given, epochs - initial_epoch)
            if before_training is not None:
                before_training(self._first_batch(first[0], validation))
            batches = _each_epoch(first, read)
            del first
            self._log = log = TrainingLog(
                self._template,
                self._size,
                epochs,
                keep_best,
                early_stopping,
                validation is not None,
                validation_freq,
                keep_unseen,
                break_ties_by,
            )
            self._order = order = Orders(rng, steps_per_epoch)
            if resume_from is not None:
                initial_epoch = self._restore(resume_from)
            if hooks is not None:
                steps = steps_per_epoch or self._need_filled().loop.steps
                hooks.begin(self, steps)
            for epoch in range(initial_epoch, epochs):
                if not len(self.training):
                    break
                if hooks is not None:
                    hooks.epoch_begins(self, epoch)
                some = next(batches)
                held_out = validation if log.validates(epoch) else None
                logs = self._epoch(
                    epoch, some, order(some), held_out, log, hooks
                )
                if verbose:
                    print_epoch(epoch, epochs, logs, self._size)
                if on_epoch_end is not None:
                    on_epoch_end(self, epoch, logs)
                log.note_stopped(epoch, self._stopped())
            self._finish(log)
            if hooks is not None:
                hooks.end(self)
        self.seconds += time.perf_counter() - start
        return log.histories

    def evaluate(
        self,
        x: Any,
        y: Any = None,
        batch_size: int | None = None,
        sample_weight: Any = None,
    ) -> list[dict[str, Any]]:
        """Returns the metrics of each member, a list of K dicts."""
        with self._on_device():
            batches = read(x, y, sample_weight, None, batch_size)()
            built = self._build(batches[0].head())
            self._fill()
            return built.evaluate(batches)

    def predict(self, x: Any, batch_size: int = 256, best: bool = False) -> Any:
        """Returns the outputs of all members, see `Population.predict`."""
        with self._on_device():
            return self._need_filled().predict(x, batch_size, best)

    def values(self, k: int, best: bool = False) -> list[np.ndarray]:
        """Returns the values of a member, see `Population.values`."""
        built = self._need_filled()
        return self._own(built.state.values(self._index(k), best), k)

    def _own(self, values: list[np.ndarray], k: int) -> list[np.ndarray]:
        """Returns the values of a member's own variables."""
        if self._slices is None:
            return values
        own: list[Any] = [
            # What is no member's own stands there itself.
            masks
            if i is None
            else values[i][np.ix_(*masks)]
            if masks
            else values[i]
            for i, masks in self._slices[k]
        ]
        return own

    def value(self, k: int, j: int) -> np.ndarray:
        """Returns one of the values of a member, by its number there."""
        i, masks = self._place(k, j)
        value = self._need_filled().state.value(self._index(k), i)
        return value[np.ix_(*masks)] if masks else value

    def count_values(self, k: int) -> int:
        """Returns how many values a member has."""
        if self._slices is None:
            return self._need_filled().state.saved_variables
        return len(self._slices[k])

    def write(self, changes: dict[int, dict[int, np.ndarray]]) -> None:
        """Gives members other values, for each a dict by their number."""
        if not changes:
            return
        whole: dict[int, dict[int, np.ndarray]] = {}
        for k, values in changes.items():
            whole[k] = {}
            for j, value in values.items():
                i, masks = self._place(k, j)
                if masks:
                    part, value = value, self._need_filled().state.value(k, i)
                    value[np.ix_(*masks)] = part
                whole[k][i] = value
        self._need_filled().state.write(whole)

    def inherit(
        self, sources: np.ndarray, changes: dict[int, dict[int, np.ndarray]]
    ) -> None:
        """Gives members all variables of others, and some values beside.

        One that has diverged goes on if the other has not.

        Args:
            sources: For each member whose variables it takes; its own number
                if it keeps what it has.
            changes: For members the values of variables, by their number among
                those of `draw`, that they have instead.
        """
        state = self._need_filled().state
        state.gather(sources)
        if self._prefix is not None:
            place = self._prefix.place
            changes = {
                k: {place(i): value for i, value in values.items()}
                for k, values in changes.items()
            }
        state.write(changes)
        self._done = self._done[sources]
        revived = np.flatnonzero(self._diverged & ~self._diverged[sources])
        self._diverged = self._diverged[sources]
        if self._log is not None:
            for k in revived.tolist():
                self._log.revive(k)

    def snapshot(self, epoch: int, extra: Any = None) -> Snapshot:
        """Returns what `fit` can go on from, in `on_epoch_end` of an epoch.

        Members must be trained on arrays, and none have left them.

        Args:
            epoch: The epoch that has ended.
            extra: What to keep beside, as JSON has it.
        """
        log, order = self._log, self._order
        if log is None or order is None:
            raise ValueError("There is no training to go on with.")
        arrays, best = self._need_filled().state.to_numpy()
        histories, marks = log.state()
        marks = marks | {"done": self._done, "diverged": self._diverged}
        return Snapshot(
            epoch + 1, arrays, best, marks, histories, order.state, extra
        )

    def _restore(self, snapshot: Snapshot) -> int:
        """Takes what is in a snapshot, and returns the epoch to go on with."""
        marks = dict(snapshot.marks)
        self._need_filled().state.restore(snapshot.arrays, snapshot.best)
        self._done = marks.pop("done")
        self._diverged = marks.pop("diverged")
        if self._log is not None and self._order is not None:
            self._log.restore(snapshot.histories, marks)
            self._order.restore(snapshot.order)
        return snapshot.epoch

    def _place(self, k: int, j: int) -> tuple[int, list[np.ndarray] | None]:
        return (j, None) if self._slices is None else self._slices[k][j]

    def stop(self, members: Iterable[int]) -> None:
        """Ends the training of members. They keep their present weights."""
        for k in members:
            self._done[self._index(k)] = True

    def keep(self, members: Iterable[int]) -> None:
        """Ends the training of all others, and takes them from the arrays."""
        state = self._need_filled().state
        stays = np.isin(state.rows, [self._index(k) for k in members])
        if not stays.any():
            raise ValueError("At least one member must be kept.")
        self._done[state.rows[~stays]] = True
        rows = np.flatnonzero(stays)
        state.keep(rows)
        if self._log is not None:
            self._log.take(rows)

    def _on_device(self) -> contextlib.AbstractContextManager[None]:
        if self._device is None:
            return contextlib.nullcontext()
        return keras.device(self._device)

    def _need_filled(self) -> BuiltPopulation:
        if self._built is None or self._built.state.arrays is None:
            raise ValueError("The population has no variables before `fit`.")
        return self._built

    def _build(self, head: Batch) -> BuiltPopulation:
        """Makes all but the members' values."""
        if self._built is None:
            self._build_template(head)
            if self._prefix is not None:
                build(self._prefix.rest, self._prefix.of_batch(head))
            self._built = build_population(
                self._template,
                self._size,
                self.like,
                self._jit_compile,
                self._any_batch_size,
                self._prefix,
                self._settings,
                self._shapes,
            )
        return self._built

    def _build_as_called(self, head: Batch) -> None:
        check_trains_as_keras_does(self._template)
        build(self._template, head)

    def _fill(self) -> None:
        """Gives the members their initial values, if they have none yet."""
        if self._built is not None and self._draw is not None:
            columns, slices = self._draw()
            if self._prefix is not None:
                columns, slices = self._prefix.without(columns, slices)
            self._slices = slices
            self._built.state.fill(columns)
            # Longer kept, the values of K models would be held twice.
            self._draw = None

    def _plan(
        self, data: FitData, epochs: int
    ) -> tuple[list[Batches], Reader, Reader | None]:
        """Makes the programs, and gives the members their values.

        Returns:
            The batches of the first epoch, and what gives those of the others,
            and of an evaluation.
        """
        reader = data.training()
        first = reader()
        built = self._build(first[0].head())
        validation = data.validation(built.examples_at_once)
        built.loop.plan(epochs, first, validation, self._fill)
        return first, reader, validation

    def _first_batch(
        self, batches: Batches, validation: Reader | None
    ) -> FirstBatch:
        """Returns what the members make of one mini-batch."""
        built = self._need_filled()
        size, held_out = batches.batch_size, None
        sample = batches.sample(size)
        # A dataset is not gone through once more than `fit` does.
        if isinstance(validation, ArrayReader):
            some = validation()[0]
            held_out = some.sample(min(size, len(some)))
        arrays, logs = built.loop.try_batch(
            sample.batches, held_out and held_out.batches
        )

        def values(of: Any, k: int) -> list[np.ndarray]:
            return self._own(built.state.values_in(of, k), k)

        return FirstBatch(
            sample,
            held_out,
            logs,
            functools.partial(values, built.state.arrays),
            functools.partial(values, arrays),
        )

    def _epoch(
        self,
        epoch: int,
        batches: list[Batches],
        orders: list[np.ndarray],
        validation: Reader | None,
        log: TrainingLog,
        hooks: Hooks | None,
    ) -> dict[str, np.ndarray]:
        """Trains an epoch, and returns its metrics, one value a row."""
        built = self._need_filled()
        state, going = built.state, ~self._done[built.state.rows]
        arrays, logs = built.loop.run(batches, orders, validation)
        losses = [logs[name] for name in LOSSES if name in logs]
        kept = going & np.all(np.isfinite(losses), axis=0)
        state.update(kept, arrays)
        halted = np.zeros(len(kept), bool)
        if hooks is not None:
            halted = hooks.epoch_ends(self, epoch, logs, kept)
        improved, stops = log.note(epoch, logs, state.rows, going, kept)
        if log.keeps_best:
            state.note_best(improved)
        if hooks is not None:
            late, noted = hooks.epoch_noted(self, epoch, kept)
            log.amend(noted)
            halted = halted | late
        self._diverged[state.rows[going & ~kept]] = True
        self._done[state.rows[(going & ~kept) | stops | halted]] = True
        return logs

    def _stopped(self) -> np.ndarray:
        return np.flatnonzero(self._done & ~self._diverged)

    def _finish(self, log: TrainingLog) -> None:
        built = self._need_filled()
        state = built.state
        if built.member.finishes:
            sound = ~self._diverged[state.rows]
            state.update(sound, built.engine.finish(state.arrays))
        if log.restores_best:
            state.restore_best()

    def _index(self, k: int) -> int:
        if not 0 <= k < self._size:
            raise ValueError(
                f"Members are numbered 0 to {self._size - 1}. Received: {k}"
            )
        return int(k)


def _each_epoch(
    first: list[Batches], reader: Reader
) -> Iterator[list[Batches]]:
    """Yields the batches of each epoch, of which the first are there already.

    A dataset's batches are not kept from epoch to epoch.
    """
    yield first
    del first
    while True:
        yield reader()
