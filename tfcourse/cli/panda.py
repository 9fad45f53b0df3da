"""`tfcourse panda`: watch and steer a run from another terminal."""

import pathlib
from typing import Annotated

import typer

EPILOG = "Example: tfcourse panda set runs/digits learning_rate=3e-4 beta=0.95"

app = typer.Typer(
    help="Watch and steer a run under Panda while it trains.",
    epilog=EPILOG,
    no_args_is_help=True,
)


def _watched(run: pathlib.Path) -> pathlib.Path:
    """Returns the folder, unless it has a run that Panda does not watch."""
    from tfcourse.errors import InputError
    from tfcourse.tuning.panda.journal.journal import FILE as JOURNAL
    from tfcourse.tuning.results.manifest import (
        PANDA_FILE,
        kind_of,
        refuse_other_kind,
    )

    refuse_other_kind(run, "training", "panda")
    folder = run / "panda"
    begun = any((folder / name).exists() for name in (PANDA_FILE, JOURNAL))
    if kind_of(run) == "training" and not begun:
        raise InputError(
            f"The training in {run} has not begun yet: start it with "
            f"`tfcourse train --out {run}`."
        )
    return run


Run = Annotated[
    pathlib.Path,
    typer.Argument(
        help="The folder given to Panda, or to `train --out`.",
        callback=_watched,
    ),
]
Why = Annotated[str | None, typer.Option(help="A note for the journal.")]
Timeout = Annotated[
    float, typer.Option(help="Seconds to wait for the run to answer.")
]
Changes = Annotated[
    list[str], typer.Argument(help="NAME=VALUE, as many as you like.")
]


@app.command(epilog="Example: tfcourse panda status runs/digits")
def status(
    run: Run,
    once: Annotated[
        bool, typer.Option("--once", help="Print the status once and exit.")
    ] = False,
) -> None:
    """Show how the run is: a live table with the course of the loss."""
    import time

    from rich.live import Live

    from tfcourse.cli.terminal.console import Console
    from tfcourse.cli.terminal.panda_table import table_of
    from tfcourse.tuning.panda import read_status

    console = Console()
    if once or not console.is_terminal:
        console.print(table_of(read_status(run)))
        return
    try:
        with Live(table_of(read_status(run)), console=console) as live:
            while (now := read_status(run)).alive:
                live.update(table_of(now))
                time.sleep(0.5)
            live.update(table_of(now))
    except KeyboardInterrupt:
        pass


@app.command(
    "set",
    epilog="Example: tfcourse panda set runs/digits learning_rate=3e-4",
)
def set_(
    run: Run, changes: Changes, why: Why = None, timeout: Timeout = 60
) -> None:
    """Set hyperparameters: all those named, or none."""
    print(_remote(run, timeout).set(_parsed(changes), why=why))


@app.command(
    epilog="Example: tfcourse panda rollback runs/digits --to 7 "
    "--set learning_rate=1e-3"
)
def rollback(
    run: Run,
    to: Annotated[
        int | None,
        typer.Option(
            help="The epoch to return to, as a number of finished epochs.",
            show_default="the newest",
        ),
    ] = None,
    step: Annotated[
        int | None,
        typer.Option(help="The step to return to, instead of an epoch."),
    ] = None,
    changes: Annotated[
        list[str] | None,
        typer.Option(
            "--set", help="NAME=VALUE to set afterwards; may be repeated."
        ),
    ] = None,
    why: Why = None,
    timeout: Timeout = 60,
) -> None:
    """Go back to a checkpoint that is kept, and go on from there."""
    remote = _remote(run, timeout)
    changes = _parsed(changes or [])
    print(remote.rollback(to, step=step, changes=changes, why=why))


@app.command(epilog="Example: tfcourse panda pause runs/digits")
def pause(run: Run, why: Why = None, timeout: Timeout = 60) -> None:
    """Hold the run between two batches."""
    print(_remote(run, timeout).pause(why))


@app.command(epilog="Example: tfcourse panda resume runs/digits")
def resume(run: Run, why: Why = None, timeout: Timeout = 60) -> None:
    """Let a paused run go on."""
    print(_remote(run, timeout).resume(why))


@app.command(epilog="Example: tfcourse panda stop runs/digits")
def stop(run: Run, why: Why = None, timeout: Timeout = 60) -> None:
    """End the run after a checkpoint; its script goes on from there."""
    print(_remote(run, timeout).stop(why))


@app.command(epilog="Example: tfcourse panda plot runs/digits")
def plot(
    run: Run,
    out: Annotated[
        pathlib.Path | None,
        typer.Option(help="The folder to write to.", show_default="the run's"),
    ] = None,
) -> None:
    """Draw the loss with every nudge and rollback: a PNG and a web page."""
    from tfcourse.tuning.panda import draw_plots

    for path in draw_plots(run, out):
        print(path)


def _remote(run, timeout):
    from tfcourse.tuning.panda import Remote

    return Remote(run, timeout=timeout)


def _parsed(changes):
    from tfcourse.errors import InputError

    values = {}
    for change in changes:
        name, equals, value = change.partition("=")
        try:
            values[name.strip()] = float(value)
        except ValueError:
            equals = ""
        if not equals or not name.strip():
            raise InputError(
                f"{change!r} is not NAME=VALUE, as in learning_rate=3e-4."
            )
    return values
