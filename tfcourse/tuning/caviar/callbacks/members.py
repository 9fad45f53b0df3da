"""Calls the callbacks of each member of a population."""

import copy
import dataclasses
from collections.abc import Callable, Iterable
from typing import Any

import numpy as np
from keras.callbacks import Callback, CSVLogger

from tfcourse.errors import CannotVectorize
from tfcourse.tuning.caviar.callbacks.files import WaitingFiles
from tfcourse.tuning.caviar.callbacks.view import MemberModel, keeps_parts
from tfcourse.tuning.population.history import python_value
from tfcourse.tuning.population.hooks import Hooks
from tfcourse.tuning.population.trainer import PopulationTrainer

Logs = dict[str, Any]
_ALL = slice(None)


@dataclasses.dataclass
class _Member:
    """A member with callbacks.

    Attributes:
        number: Its number in the population.
        model: What stands for its model.
        callbacks: Its own copies.
        early: How many of them are called before its weights are kept.
        files: What they write.
        epochs: What was told of each epoch, for those that only write it down.
    """

    number: int
    model: MemberModel
    callbacks: list[Callback]
    early: int
    files: WaitingFiles = dataclasses.field(default_factory=WaitingFiles)
    epochs: list[tuple[int, Logs]] = dataclasses.field(default_factory=list)

    def live(self, which: slice = _ALL) -> list[Callback]:
        return [c for c in self.callbacks[which] if type(c) is not CSVLogger]


class MemberCallbacks(Hooks):
    """The callbacks of some members, each with copies of its own.

    Args:
        originals: The callbacks of each member, the first member's first:
            those that are called before its weights are kept, and others.
        models: What stands for the model of each.
        params: What `set_params` is given, but for the steps of an epoch.

    Raises:
        CannotVectorize: If a callback cannot be copied.
    """

    def __init__(
        self,
        originals: list[tuple[list[Callback], list[Callback]]],
        models: list[MemberModel],
        params: dict[str, Any],
    ) -> None:
        self._params = params
        self._members = {}
        try:
            for k, (some, model) in enumerate(
                zip(originals, models, strict=True)
            ):
                # As keras-tuner does for each trial.
                early, late = copy.deepcopy(some)
                own = [*early, *late]
                self._members[k] = _Member(k, model, own, len(early))
        except Exception as error:
            raise CannotVectorize(
                f"a callback cannot be copied: {type(error).__name__}: {error}"
            ) from error

    def begin(self, trainer: PopulationTrainer, steps: int) -> None:
        def begin(member: _Member, callback: Callback) -> None:
            member.files.redirect(callback)
            callback.set_params(self._params | {"steps": steps})
            callback.set_model(member.model)

        self._call(trainer, self._members, begin)
        self._call(
            trainer, self._members, lambda member, c: c.on_train_begin({})
        )
        self._refuse_stops(self._members)

    def epoch_begins(self, trainer: PopulationTrainer, epoch: int) -> None:
        going = [k for k in trainer.training.tolist() if k in self._members]
        self._call(
            trainer, going, lambda member, c: c.on_epoch_begin(epoch, {})
        )
        self._refuse_stops(going)

    def epoch_ends(
        self,
        trainer: PopulationTrainer,
        epoch: int,
        logs: dict[str, np.ndarray],
        kept: np.ndarray,
    ) -> np.ndarray:
        members = trainer.members
        told = {
            int(members[row]): {
                name: python_value(logs[name][row]) for name in sorted(logs)
            }
            for row in np.flatnonzero(kept)
            # Others only fill the program up.
            if int(members[row]) in self._members
        }
        self._call(
            trainer,
            told,
            lambda member, c: c.on_epoch_end(epoch, told[member.number]),
            lambda member: slice(member.early),
        )
        for k, some in told.items():
            self._members[k].epochs.append((epoch, some))
        _take_over(told, logs, members)
        return self._stopped(trainer, kept)

    def epoch_noted(
        self, trainer: PopulationTrainer, epoch: int, kept: np.ndarray
    ) -> tuple[np.ndarray, dict[int, Logs]]:
        late = {
            k: self._members[k].epochs[-1][1]
            for k in trainer.members[kept].tolist()
            if k in self._members
            and self._members[k].early < len(self._members[k].callbacks)
        }
        before = {k: dict(logs) for k, logs in late.items()}
        self._call(
            trainer,
            late,
            lambda member, c: c.on_epoch_end(epoch, late[member.number]),
            lambda member: slice(member.early, None),
        )
        noted = {
            k: {
                name: value
                for name, value in logs.items()
                if name not in before[k] or value is not before[k][name]
            }
            for k, logs in late.items()
        }
        return self._stopped(trainer, kept), noted

    def _stopped(
        self, trainer: PopulationTrainer, kept: np.ndarray
    ) -> np.ndarray:
        stopped = [k for k, m in self._members.items() if m.model.stop_training]
        return kept & np.isin(trainer.members, stopped)

    def end(self, trainer: PopulationTrainer) -> None:
        def end(member: _Member, callback: Callback) -> None:
            told = member.epochs[-1][1] if member.epochs else {}
            callback.on_train_end(told)

        self._call(trainer, self._members, end)

    def release(self, numbers: Iterable[int]) -> None:
        """Writes the files of members, one after the other."""
        for k in numbers:
            member = self._members[k]
            member.files.release()
            for callback in member.callbacks:
                if type(callback) is CSVLogger:
                    _write_down(callback, member.epochs)

    def close(self) -> None:
        """Deletes the files that have not been released."""
        for member in self._members.values():
            member.files.remove()

    def _call(
        self,
        trainer: PopulationTrainer,
        numbers: Iterable[int],
        method: Callable[[_Member, Callback], None],
        which: Callable[[_Member], slice] = lambda member: _ALL,
    ) -> None:
        """Calls a method of the callbacks, and writes what they set."""
        changes = {}
        for k in numbers:
            member = self._members[k]
            member.model.begin(trainer)
            for callback in member.live(which(member)):
                method(member, callback)
                if keeps_parts(callback):
                    raise CannotVectorize(
                        f"the callback {type(callback).__name__} keeps a part "
                        "of its model"
                    )
            changed = member.model.end()
            if changed:
                changes[k] = changed
        trainer.write(changes)

    def _refuse_stops(self, numbers: Iterable[int]) -> None:
        if any(self._members[k].model.stop_training for k in numbers):
            raise CannotVectorize("a callback stops training before an epoch")


def _take_over(
    told: dict[int, Logs], logs: dict[str, np.ndarray], members: np.ndarray
) -> None:
    """Takes over what callbacks have written into the logs.

    What is in the logs of some members only is masked for the others.
    """
    row_of = {int(k): row for row, k in enumerate(members)}
    for name in sorted({name for some in told.values() for name in some}):
        having = {k: some[name] for k, some in told.items() if name in some}
        if any(np.ndim(value) for value in having.values()):
            # A value a class.
            continue
        if name in logs:
            column = np.array(logs[name], float)
        else:
            column = np.ma.masked_all(len(members))
            column.data[:] = np.nan
        for k, value in having.items():
            column[row_of[k]] = value
        logs[name] = column


def _write_down(callback: CSVLogger, epochs: list[tuple[int, Logs]]) -> None:
    """Lets a callback that only writes do so, as if it was trained now."""
    callback.on_train_begin()
    for epoch, logs in epochs:
        callback.on_epoch_begin(epoch)
        callback.on_epoch_end(epoch, logs)
    callback.on_train_end()
