"""`tfcourse report`."""

import pathlib
from typing import Annotated

import typer

EPILOG = "Example: tfcourse report runs/NAME --png pictures"


def report(
    out: Annotated[
        pathlib.Path, typer.Argument(help="The run's folder.", metavar="OUT")
    ],
    png: Annotated[
        pathlib.Path | None,
        typer.Option(help="Also write the main plots as PNG to this folder."),
    ] = None,
    tensorboard: Annotated[
        bool,
        typer.Option(
            "--tensorboard",
            help="Also write curves and hyperparameters for TensorBoard.",
        ),
    ] = False,
    verbose: Annotated[
        bool, typer.Option("--verbose", help="Show TensorFlow's messages.")
    ] = False,
):
    """Write the page that shows what a search found, also while it runs."""
    from tfcourse.cli.terminal.quiet import silence_libraries

    silence_libraries(verbose)
    from tfcourse.tuning.report.page import write_report

    print(f"Wrote {write_report(out)}")
    if png:
        from tfcourse.tuning.report.matplotlib_figures import write_pictures

        for path in write_pictures(out, png):
            print(f"Wrote {path}")
    if tensorboard:
        from tfcourse.tuning.report.tensorboard import write_tensorboard

        folder = write_tensorboard(out)
        print(f"Wrote {folder}\n\nLook at it:\n  tensorboard --logdir {folder}")
