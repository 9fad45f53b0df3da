"""The command line: starts fast, imports late, computes nothing."""

import sys

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
    run_v1,
    train,
    tune,
)
from tfcourse.cli.terminal.safe_stream import protect_terminal
from tfcourse.errors import InputError
from tfcourse.utils.disk import disk_error


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
        "Andrew Ng's course on training and tuning networks, made real on "
        "Keras 3. Start with: tfcourse tune"
    ),
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.command("tune", epilog=tune.EPILOG)(tune.tune)
app.command("report", epilog=results.REPORT_EPILOG)(results.report)
app.command("best", epilog=results.BEST_EPILOG)(results.best)
app.command("trials", epilog=results.TRIALS_EPILOG)(results.trials)
app.command("compare", epilog=results.COMPARE_EPILOG)(results.compare)
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
    version: bool = typer.Option(
        False,
        "--version",
        callback=_print_version,
        is_eager=True,
        help="Print the version and exit.",
    ),
) -> None:
    pass


def main() -> None:
    """Runs the command line; what a user got wrong exits with 2."""
    protect_terminal()
    try:
        app()
    except InputError as error:
        # Plain text: brackets in a path or a value are no markup.
        print(f"Error: {error}", file=sys.stderr)
        sys.exit(2)
    except OSError as error:
        if error.filename is None and disk_error(error) is None:
            raise
        print(
            f"Error: {error.filename or 'A file'} cannot be read or written: "
            f"{error.strerror}. Choose another folder, or make room.",
            file=sys.stderr,
        )
        sys.exit(2)
