"""`tfcourse retest`."""

import shlex
from typing import Annotated

import typer

from tfcourse.cli.terminal import quiet
from tfcourse.cli.terminal.options import RunFolder, Verbose

EPILOG = (
    "Example: tfcourse retest runs/NAME --data new.csv\n\nExits with 0 if the "
    "old choice still holds, with 3 if it does not, with 2 if something is "
    "wrong with what was given."
)
_DOES_NOT_HOLD = 3


def retest(
    out: RunFolder,
    data: Annotated[
        str, typer.Option(help="The new data, of the kind of the old ones.")
    ],
    seeds: Annotated[
        int,
        typer.Option(
            help="With how many seeds each point is trained, each on another "
            "part of the data; more find smaller gains.",
            min=5,
        ),
    ] = 10,
    draws: Annotated[
        int, typer.Option(help="How many points to draw at random.", min=0)
    ] = 4,
    seed: Annotated[
        int, typer.Option(help="Of draws, parts and initial weights.", min=0)
    ] = 0,
    json: Annotated[
        bool, typer.Option("--json", help="Print what was found as JSON only.")
    ] = False,
    verbose: Verbose = False,
) -> None:
    """Test on new data whether the choice of an old search still holds.

    Nothing of the old run is changed.
    """
    quiet.silence_libraries(verbose)
    from tfcourse.cli.terminal.console import Console

    console = Console(stderr=True, quiet=json)
    with console.status("Loading Keras and the data"):
        from tfcourse.runs.best.retest import RetestRun

        run = RetestRun(out, data, seeds)
    with console.status(f"Training each point with {seeds} seeds"):
        found = run.retest(draws, seed)
    command = "" if found.holds else shlex.join(run.search_command(found))
    if json:
        _print_json(found, command)
    else:
        _print(run, found, command)
    if not found.holds:
        raise typer.Exit(_DOES_NOT_HOLD)


def _print_json(found, command):
    import json

    print(json.dumps({**found.to_json(), "command": command or None}, indent=1))


def _print(run, found, command):
    from tfcourse.cli.terminal.console import Console
    from tfcourse.cli.terminal.tables import key_value_table

    Console().print(key_value_table(_rows(found)))
    print(f"\n{_drifted(run, found)}\n{_verdict(found)}")
    if command:
        print(f"  {command}")


def _rows(found):
    """Returns a row for each point: what, mean, and gain with interval."""
    from tfcourse.cli.terminal.tables import hyperparameters_text

    old = found.old.point.values
    yield ("", found.objective, "gain", "")
    for one in found.tried:
        point = one.point
        changed = {
            name: value
            for name, value in point.values.items()
            if point.role == "old" or old.get(name) != value
        }
        mean = gain = "failed"
        if one.scores:
            mean = f"{sum(one.scores) / len(one.scores):.4f}"
            gain = ""
        if one.comparison:
            low, high = one.comparison.interval
            gain = f"{one.comparison.gain:+.4f} ({low:+.4f} to {high:+.4f})"
        yield (point.role, mean, gain, hyperparameters_text(changed))


def _drifted(run, found):
    """Returns the sentence on the features."""
    if found.drifts is None:
        return (
            "Whether the features have drifted is not known: the old data "
            f"{run.results.name} are gone, or have changed."
        )
    if not found.drifted:
        return "No feature has drifted."
    names = [
        f"{one.feature} ({one.test} {one.size:.2f}, p {one.p:.1g})"
        for one in found.drifted[:5]
    ]
    more = len(found.drifted) - len(names)
    return f"Drifted: {', '.join(names)}{f' and {more} more' if more else ''}."


def _verdict(found):
    """Returns the sentence on the old choice."""
    from tfcourse.utils.text import format_value

    if found.holds:
        return "The old choice still holds: nothing tried is better than it."
    if not found.better:
        return "The old choice does not hold: it failed, like all else."
    if not found.old.scores:
        return "The old choice does not hold: it failed. Search again:"
    best = found.better[0]
    low, high = best.comparison.interval
    gains = (
        f"{found.objective} gains {best.comparison.gain:.4f} "
        f"({low:.4f} to {high:.4f})"
    )
    if not found.moved:
        return (
            f"The old choice does not hold: by the {best.point.role} point "
            f"{gains}. Search again from there:"
        )
    old = found.old.point.values
    moved = ", ".join(
        f"{name} from {format_value(old[name])} towards {format_value(value)}"
        for name, value in found.moved.items()
    )
    return (
        f"The old choice does not hold: {moved}; by the best point tried "
        f"{gains}. Search again from there:"
    )
