"""A search by itself: alone in its folder, with what it was begun with."""

from __future__ import annotations

import collections.abc
import contextlib
import functools
import math
import pathlib
import shutil
from typing import Any

import filelock
import keras_tuner

from tfcourse.errors import InputError
from tfcourse.tuning._keras_tuner import (
    build_model,
    has_search,
    oracle_path,
)
from tfcourse.tuning.oracles.crash_safe import COMMIT
from tfcourse.tuning.results.fingerprint import check_unchanged
from tfcourse.tuning.tuners.argument_checks import UNKNOWN, check_search
from tfcourse.tuning.tuners.fingerprint import fingerprint_of
from tfcourse.utils import global_state
from tfcourse.utils.machine.disk import disk_error

_LOCK = ".search.lock"


@contextlib.contextmanager
def guarded_search(
    tuner: keras_tuner.Tuner,
    space: keras_tuner.HyperParameters,
    args: tuple,
    kwargs: dict,
    allow_changed_space: bool = False,
) -> collections.abc.Iterator[None]:
    """Surrounds a search, which is the only one in its project meanwhile.

    Random generators and Keras's settings are in the end as they were. What
    exists before is meanwhile not looked through for garbage.

    Args:
        tuner: The tuner.
        space: The hyperparameters that its oracle was made with.
        args: The positional arguments of the search.
        kwargs: The others.
        allow_changed_space: Whether the space may have grown since the search
            began.

    Raises:
        InputError: If another search runs in the project, an argument is
            wrong, or the project was begun with something else.
    """
    project = pathlib.Path(tuner.project_dir)
    with (
        _disk_errors_told(project),
        locked_project(project),
        _up_to_date(tuner),
        global_state.preserved(),
        global_state.only_new_garbage(),
    ):
        hp = space.copy()
        model = _first_model(tuner, hp)
        objective = tuner.oracle.objective
        # A `run_trial` of the user's may train anything on anything.
        if type(tuner).run_trial.__module__.startswith("tfcourse."):
            build = functools.partial(build_model, tuner)
            check_search(
                tuner.hypermodel, build, objective, hp, model, args, kwargs
            )
        now = fingerprint_of(
            tuner.hypermodel, objective, hp, model, args, kwargs
        )
        if tuner.oracle.trials:
            check_unchanged(project, now, allow_changed_space)
        now.write(project)
        if kwargs.get("verbose", 1):
            _print_progress(tuner.oracle)
        yield


def _first_model(
    tuner: keras_tuner.Tuner, hp: keras_tuner.HyperParameters
) -> Any:
    """Returns the model of the space's default point, or `UNKNOWN`.

    A space may have points that cannot be built, this one among them.
    """
    if tuner.hypermodel is None:
        return UNKNOWN
    global_state.clear_session()
    try:
        return build_model(tuner, hp)
    except Exception:
        return UNKNOWN


@contextlib.contextmanager
def _disk_errors_told(
    project: pathlib.Path,
) -> collections.abc.Iterator[None]:
    """Ends a search in one sentence when its folder cannot be written to."""
    try:
        yield
    except Exception as error:
        found = disk_error(error, project)
        if found is None:
            raise
        # A file that is known says more than the folder.
        file = getattr(error, "filename", None)
        where = file if isinstance(file, str) else project
        raise InputError(_cannot_write(where, found)) from error


def check_folder_is_there(tuner: keras_tuner.Tuner) -> None:
    """Raises an `InputError` if the folder of a search was taken away.

    It would be made again as files are written, without those before.
    """
    project = pathlib.Path(tuner.project_dir)
    if not (project / _LOCK).exists():
        raise InputError(_cannot_write(project, "it is gone"))


def _cannot_write(where: str | pathlib.Path, why: str) -> str:
    return (
        f"{where} cannot be read or written: {why}. Make room, or restore the "
        "folder, and search again: unfinished trials are run then."
    )


@contextlib.contextmanager
def locked_project(
    project: pathlib.Path,
) -> collections.abc.Iterator[None]:
    """Keeps other searches out of a project.

    Raises:
        InputError: If one is in it.
    """
    project.mkdir(parents=True, exist_ok=True)
    lock = filelock.FileLock(project / _LOCK, timeout=0)
    try:
        lock.acquire()
    except filelock.Timeout:
        raise InputError(
            f"{project} is in use by another search that is still running. "
            "Wait for it, stop it, or choose another `project_name`."
        ) from None
    try:
        yield
    finally:
        lock.release()


@contextlib.contextmanager
def _up_to_date(tuner: Any) -> collections.abc.Iterator[None]:
    """Lets a tuner know what another process has done since it looked.

    Between the tuner's making, or its last search, and the lock another one
    may have searched; its trials would be run again, over its files.
    """
    changed = tuner.state_on_disk != state_on_disk(tuner)
    if changed and has_search(tuner):
        tuner.reload()
    try:
        yield
    finally:
        tuner.state_on_disk = state_on_disk(tuner)


def state_on_disk(tuner: Any) -> tuple[int, ...] | None:
    """Returns what changes with each writing of the list of trials."""
    path = oracle_path(tuner.oracle)
    try:
        found = path.stat()
    except FileNotFoundError:
        return None
    # Or if one was broken off.
    begun = path.with_name(COMMIT).exists()
    return found.st_ino, found.st_mtime_ns, found.st_size, begun


def empty_project(project: pathlib.Path) -> None:
    """Deletes what is in a project, unless a search is at work there.

    Raises:
        InputError: If one is.
    """
    if not project.is_dir():
        return
    with locked_project(project):
        for path in project.iterdir():
            if path.name == _LOCK:
                continue
            if path.is_dir() and not path.is_symlink():
                shutil.rmtree(path)
            else:
                path.unlink()


def _print_progress(oracle: keras_tuner.Oracle) -> None:
    """Prints how far a search has come that was begun before."""
    done = len(oracle.end_order)
    if not done:
        return
    of = f" of {oracle.max_trials}" if oracle.max_trials else ""
    best = [
        f", best {oracle.objective.name} {trial.score:.6g} "
        f"(trial {trial.trial_id})"
        for trial in oracle.get_best_trials(1)
        if trial.score is not None and math.isfinite(trial.score)
    ]
    print(f"{done}{of} trials are done{''.join(best)}.")
