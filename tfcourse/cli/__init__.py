"""The command line: starts fast, imports late, computes nothing."""

import contextlib
import sys
import traceback

import typer
import typer.core

from tfcourse import __version__
from tfcourse.cli import (
    environment,
    export,
    lecture,
    panda,
    predict,
    results,
    retest,
    run_v1,
    train,
    tune,
)
from tfcourse.cli.terminal.safe_stream import protect_terminal
from tfcourse.errors import InputError
from tfcourse.utils.machine.sentences import machine_error
from tfcourse.utils.streams import (
    flush_stderr,
    flush_stdout,
    open_closed_streams,
)
from tfcourse.utils.text import first_line

# As a shell has it for who writes to a pipe that nobody reads.
_READER_IS_GONE = 141
# These say themselves what is wrong with the machine, or need nothing of it.
_OF_ANY_MACHINE = ("data", "doctor")


class _Commands(typer.core.TyperGroup):
    def invoke(self, context):
        try:
            return super().invoke(context)
        except KeyboardInterrupt:
            print("\nStopped.", file=sys.stderr)
            raise typer.Exit(130) from None


app = typer.Typer(
    name="tfcourse",
    cls=_Commands,
    help=(
        "Andrew Ng's course on training and tuning networks, put into "
        "practice on Keras 3. Start with: tfcourse tune"
    ),
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.command("tune", epilog=tune.EPILOG)(tune.tune)
app.command("report", epilog=results.REPORT_EPILOG)(results.report)
app.command("best", epilog=results.BEST_EPILOG)(results.best)
app.command("trials", epilog=results.TRIALS_EPILOG)(results.trials)
app.command("compare", epilog=results.COMPARE_EPILOG)(results.compare)
app.command("retest", epilog=retest.EPILOG)(retest.retest)
app.command("train", epilog=train.EPILOG)(train.train)
app.add_typer(panda.app, name="panda")
app.command("predict", epilog=predict.PREDICT_EPILOG)(predict.predict)
app.command("evaluate", epilog=predict.EVALUATE_EPILOG)(predict.evaluate)
app.command("export", epilog=export.EXPORT_EPILOG)(export.export)
app.command("inspect", epilog=export.INSPECT_EPILOG)(export.inspect)
app.command(
    "lecture",
    epilog=lecture.EPILOG,
    context_settings=lecture.CONTEXT_SETTINGS,
)(lecture.lecture)
app.command(
    "run-v1", epilog=run_v1.EPILOG, context_settings=run_v1.CONTEXT_SETTINGS
)(run_v1.run_v1)
app.command("data", epilog=environment.DATA_EPILOG)(environment.data)
app.command("doctor", epilog=environment.DOCTOR_EPILOG)(environment.doctor)


def _print_version(wanted: bool) -> None:
    if wanted:
        print(f"tfcourse {__version__}")
        raise typer.Exit


@app.callback()
def _options(
    context: typer.Context,
    version: bool = typer.Option(
        False,
        "--version",
        callback=_print_version,
        is_eager=True,
        help="Print the version and exit.",
    ),
    verbose: bool = typer.Option(
        False, "--verbose", help="Print the traceback of an error."
    ),
) -> None:
    if context.invoked_subcommand not in _OF_ANY_MACHINE:
        environment.check_backend()


def main() -> None:
    """Runs the command line; what a user or a machine got wrong exits with 2.

    This is the one place where errors become sentences. With `--verbose` the
    traceback is before them.
    """
    open_closed_streams()
    protect_terminal()
    try:
        code = _run()
        flush_stdout()
    except BrokenPipeError:
        code = _READER_IS_GONE
    except Exception as error:
        code = _tell(error)
    flush_stderr()
    sys.exit(code)


def _run() -> int | str | None:
    try:
        app()
    except SystemExit as stop:
        return stop.code
    return 0


def _tell(error: Exception) -> int:
    """Prints an error as a sentence; returns what to exit with."""
    if "--verbose" in sys.argv:
        traceback.print_exception(error)
    if isinstance(error, InputError):
        sentence, code = str(error), 2
    elif found := machine_error(error):
        sentence, code = found, 2
    else:
        what = first_line(error)
        sentence = (
            f"{type(error).__name__}{': ' if what else ''}{what}. This error "
            "was not foreseen. `tfcourse --verbose COMMAND` shows where it "
            "comes from."
        )
        code = 1
    notes = getattr(error, "__notes__", ())
    if code == 2 and not isinstance(error, InputError):
        notes = notes or ["Then start the same command again."]
    # Plain text: brackets in a path or a value are no markup.
    with contextlib.suppress(OSError):
        print(f"Error: {' '.join([sentence, *notes])}", file=sys.stderr)
    return code
