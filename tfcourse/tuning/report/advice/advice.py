"""A piece of advice, and the command that follows it."""

import dataclasses
import shlex
from typing import Any

from tfcourse.tuning.results.search_results import SearchResults

# What `tfcourse tune` does anyway; `Settings` has the same.
DEFAULTS = {
    "trials": 64,
    "rounds": 3,
    "seed": 0,
    "device": "auto",
    "strategy": "caviar",
}
_OF_EVOLUTION = {"population": 32, "interval": 1, "quantile": 0.25}
_FOLLOWS = ("trials", "rounds")
_MANY_EXAMPLES = 1000
_OBJECTIVES = {"classification": "val_accuracy", "regression": "val_mse"}


@dataclasses.dataclass(frozen=True)
class Advice:
    """What to do next.

    Attributes:
        title: In a few words.
        why: What in the search says so, in sentences.
        command: The words of the command to give, if one does it.
    """

    title: str
    why: str
    command: tuple[str, ...] = ()

    @property
    def command_text(self) -> str:
        """The command as a shell takes it."""
        return shlex.join(self.command)


def tune_command(results: SearchResults, **changes: Any) -> tuple[str, ...]:
    """Returns the command of a search like this one.

    Args:
        results: The `SearchResults`.
        **changes: Settings that are to be others.

    Returns:
        Its words, what is new last; none if the search was no run of
        `tfcourse tune`.
    """
    settings = results.manifest.get("settings")
    if not settings:
        return ()
    data = results.manifest["data"]
    task = data.get("task", "classification")
    usual = {**DEFAULTS, "objective": _OBJECTIVES[task]}
    # Of few examples, and of images, it depends on what they are.
    many = data.get("train", 0) >= _MANY_EXAMPLES
    if many and len(data.get("shape", ())) == 1:
        usual["space"] = "course"
    if settings.get("evolve"):
        # They follow from `population`.
        usual |= _OF_EVOLUTION | {n: settings.get(n) for n in _FOLLOWS}
    words = ["tfcourse", "tune"]
    first = {n: settings[n] for n in ("data", "target") if n in settings}
    rest = {n: value for n, value in settings.items() if n not in changes}
    for name, value in {**first, **rest, **changes}.items():
        if value != usual.get(name):
            words += _option(name, value)
    return tuple(words)


def _option(name, value):
    option = f"--{name.replace('_', '-')}"
    if value is None or value is False:
        return []
    if value is True:
        return [option]
    if isinstance(value, list | tuple):
        return [word for one in value for word in (option, str(one))]
    if isinstance(value, float):
        value = f"{value:.6g}"
    return [option, str(value)]
