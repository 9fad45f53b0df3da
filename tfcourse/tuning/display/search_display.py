"""One line that tells how far a search is, in place of keras-tuner's tables."""

import contextlib
import dataclasses
import html
import inspect
import sys
from collections.abc import Callable, Iterator
from typing import Any

import keras_tuner
from rich.console import Console

from tfcourse.tuning._keras_tuner import TrialStatus
from tfcourse.tuning.display.progress import TrialsProgress
from tfcourse.tuning.display.summary import best_trials_html
from tfcourse.utils.notebook import in_notebook

_UNFINISHED = (TrialStatus.RUNNING, TrialStatus.IDLE)
# What shows the search that runs.
_shown: list[Any] = []


class SearchInterrupted(KeyboardInterrupt):
    """A search that was interrupted in a notebook, which shows one line."""

    def _render_traceback_(self) -> list[str]:
        return [str(self)]


@dataclasses.dataclass(frozen=True)
class _Record:
    status: str
    score: float | None


@contextlib.contextmanager
def shown_search(
    tuner: keras_tuner.Tuner, kwargs: dict[str, Any]
) -> Iterator[dict[str, Any]]:
    """Shows how far a search is, while it lasts, unless it is to be silent.

    Args:
        tuner: The tuner that searches.
        kwargs: The arguments by name of its `search`. With `verbose=2`
            keras-tuner shows each trial, and Keras each epoch.

    Yields:
        The arguments for `fit`, which is silent if one line tells all.
    """
    oracle = tuner.oracle
    if kwargs.get("verbose", 1) not in (1, "auto"):
        with _interrupt_told(oracle):
            yield kwargs
        return
    before, oracle.verbose = oracle.verbose, 0
    progress = _progress(oracle)
    _shown.append((oracle, progress))
    try:
        with _interrupt_told(oracle), progress:
            yield _silent(tuner, kwargs)
    finally:
        _shown.pop()
        oracle.verbose = before
    if in_notebook():
        _display(best_trials_html(oracle))


@contextlib.contextmanager
def epochs_told(tell: Callable[[int, int, int], None]) -> Iterator[None]:
    """While it lasts, somebody else is told how far trials are.

    Args:
        tell: Called after an epoch with how many trials train together, the
            epoch, and how many there are.
    """
    _shown.append((None, _Told(tell)))
    try:
        yield
    finally:
        _shown.pop()


@dataclasses.dataclass(frozen=True)
class _Told:
    """What is shown elsewhere."""

    epoch: Callable[[int, int, int], None]


def show_trials() -> None:
    """Shows that trials have ended."""
    for oracle, progress in _shown[-1:]:
        if oracle is not None:
            progress.update(_records(oracle))


def showing_epochs(
    then: Callable | None, trials: int, epochs: int
) -> Callable | None:
    """Returns what a population calls after an epoch, which is shown.

    Args:
        then: What it would call otherwise.
        trials: How many trials it trains.
        epochs: For how long.
    """
    if not _shown:
        return then
    _, progress = _shown[-1]

    def on_epoch_end(population: Any, epoch: int, logs: Any) -> None:
        progress.epoch(trials, epoch + 1, epochs)
        if then is not None:
            then(population, epoch, logs)

    return on_epoch_end


def _progress(oracle: keras_tuner.Oracle) -> Any:
    of = oracle.max_trials, oracle.objective, _records(oracle)
    if in_notebook():
        return NotebookProgress(*of)
    return TrialsProgress(Console(file=sys.stdout), *of)


def _records(oracle: keras_tuner.Oracle) -> list[_Record]:
    return [
        _Record(
            "unfinished" if trial.status in _UNFINISHED else "ended",
            trial.score,
        )
        for trial in list(oracle.trials.values())
    ]


def _silent(tuner: Any, kwargs: dict[str, Any]) -> dict[str, Any]:
    """Returns arguments with which `fit` prints nothing, if it can be told."""
    if not type(tuner).run_trial.__module__.startswith("tfcourse."):
        return kwargs
    fit = getattr(tuner.hypermodel, "fit", None)
    taken = inspect.signature(fit).parameters.values() if fit else ()
    if not any(p.name == "verbose" or p.kind is p.VAR_KEYWORD for p in taken):
        return kwargs
    return {**kwargs, "verbose": 0}


@contextlib.contextmanager
def _interrupt_told(oracle: keras_tuner.Oracle) -> Iterator[None]:
    """Ends an interrupted search in a notebook with one line."""
    try:
        yield
    except KeyboardInterrupt as error:
        if not in_notebook():
            raise
        done = sum(r.status == "ended" for r in _records(oracle))
        raise SearchInterrupted(
            f"Interrupted: {done} of {oracle.max_trials or 'the'} trials are "
            "done and kept. Call `search` again to continue from there."
        ) from error


class NotebookProgress(TrialsProgress):
    """The line of `TrialsProgress`, in the output of a notebook's cell."""

    def __init__(self, *of: Any) -> None:
        super().__init__(Console(quiet=True), *of)
        self._handle: Any = None

    def __enter__(self) -> "NotebookProgress":
        self._handle = _display(self._html(), display_id=True)
        return self

    def __exit__(self, *_: Any) -> None:
        self._handle.update(_Html(self._html()))

    def _draw(self) -> None:
        self._handle.update(_Html(self._html()))

    def _html(self) -> str:
        said = html.escape("  ".join(filter(None, self.said)), quote=False)
        return (
            f'<progress max="{self.trials or 1}" value="{self.done}" '
            f'style="vertical-align: middle"></progress> '
            f"{self.done} of {self.trials or '?'} trials {said}"
        )


class _Html:
    def __init__(self, text: str) -> None:
        self._text = text

    def _repr_html_(self) -> str:
        return self._text

    def __repr__(self) -> str:
        return "a search"


def _display(text: str, **how: Any) -> Any:
    return sys.modules["IPython"].display.display(_Html(text), **how)
