"""What `tfcourse tune --evolve` goes with, and what it does not."""

from collections.abc import Iterable
from typing import Any

from tfcourse.errors import InputError

# What holds where nothing is said.
USUAL = {"population": 32, "interval": 1, "quantile": 0.25}
# For each option why not.
_REFUSED = {
    "trials": "--population says how many members there are",
    "rounds": "members change while they train, instead of from round to round",
    "folds": "members are compared by the development set",
    "seeds": "what a member was trained with is a schedule, not one point",
    "early_stopping": "a member that is no better is replaced",
    "time_limit": "all members end together",
    "target_score": "all members end together",
}


def refuse_with_evolve(names: Iterable[str]) -> None:
    """Raises for the first of some settings that do not go with `--evolve`.

    Args:
        names: Those that were given.

    Raises:
        InputError: If there is one.
    """
    for name in names:
        if name in _REFUSED:
            option = f"--{name.replace('_', '-')}"
            raise InputError(
                f"--evolve takes no {option}: {_REFUSED[name]}. Leave out "
                f"{option}, or --evolve."
            )


def check_evolution(settings: Any) -> None:
    """Raises an `InputError` for `Settings` that contradict `--evolve`."""
    if not settings.evolve:
        for name in ("interval", "quantile"):
            if getattr(settings, name) is not None:
                raise InputError(
                    f"--{name} says how a population evolves: add --evolve, or "
                    f"leave out --{name}."
                )
        return
    if settings.strategy != "caviar":
        raise InputError(
            "--evolve trains all members as one program: leave out --evolve, "
            f"or --strategy {settings.strategy}."
        )
    # Of trials and rounds it is not seen here whether they were given.
    refuse_with_evolve(
        name
        for name in _REFUSED
        if name not in ("trials", "rounds")
        and getattr(settings, name) is not None
    )
    if settings.population is not None and settings.population < 2:
        raise InputError(
            "--evolve needs two members at least. Received: --population "
            f"{settings.population}"
        )
    if settings.quantile is not None and not 0 < settings.quantile <= 0.5:
        raise InputError(
            "--quantile must be more than 0 and at most 0.5. Received: "
            f"{settings.quantile}"
        )


def completed(settings: Any) -> dict[str, Any]:
    """Returns what of `Settings` follows from `--evolve`."""
    if not settings.evolve:
        return {}
    found = {
        name: usual
        if getattr(settings, name) is None
        else getattr(settings, name)
        for name, usual in USUAL.items()
    }
    return {**found, "trials": found["population"], "rounds": 1}
