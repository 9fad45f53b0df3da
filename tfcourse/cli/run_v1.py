"""`tfcourse run-v1`."""

import enum
import pathlib
from typing import Annotated

import typer

EPILOG = (
    "Example: tfcourse run-v1 course.ipynb\n\nTo see first what it uses: "
    "tfcourse run-v1 --check course.ipynb"
)
# As with `python SCRIPT`: what stands after the script is the script's.
CONTEXT_SETTINGS = {"allow_interspersed_args": False}


class Mnist(enum.StrEnum):
    """Where MNIST comes from."""

    FILES = "files"
    DIGITS = "digits"


class StandIn(enum.StrEnum):
    """Data that are made up."""

    CIFAR = "cifar"
    TEXT = "text"
    HOUSING = "housing"


def run_v1(
    context: typer.Context,
    script: Annotated[
        pathlib.Path,
        typer.Argument(
            help="A TensorFlow 1 script or notebook.",
            metavar="SCRIPT.py|NOTEBOOK.ipynb",
            show_default=False,
        ),
    ],
    arguments: Annotated[
        list[str] | None,
        typer.Argument(
            help="The script's sys.argv: everything after the script.",
            metavar="[ARGS]...",
            show_default=False,
        ),
    ] = None,
    check: Annotated[
        bool,
        typer.Option(
            "--check",
            help="Do not run it: list each TensorFlow 1 name that it uses and "
            "how tfcourse provides it.",
        ),
    ] = False,
    mnist: Annotated[
        Mnist,
        typer.Option(
            help="What input_data.read_data_sets reads: MNIST's files, or "
            "scikit-learn's digits in their place."
        ),
    ] = Mnist.FILES,
    stand_in: Annotated[
        list[StandIn] | None,
        typer.Option(
            help="Data sets of Keras and scikit-learn to replace with "
            "something small and made up, to see whether a script runs; "
            "may be repeated.",
            show_default=False,
        ),
    ] = None,
    figures: Annotated[
        pathlib.Path | None,
        typer.Option(
            help="The folder for figures when there is no screen.",
            show_default="SCRIPT-figures, next to the script",
        ),
    ] = None,
) -> None:
    """Run a TensorFlow 1 script or notebook, unmodified, on TensorFlow 2.

    In a process of its own, where `import tensorflow` yields version 1 with
    what it has lost put back. Exits with the script's own code. An error shows
    the script's lines: those of libraries, too, by `tfcourse --verbose run-v1`.
    """
    from tfcourse.tf1_runner import check_script, run_script

    data = {
        "mnist": mnist.value,
        "stand_ins": [name.value for name in stand_in or ()],
    }
    if check:
        raise typer.Exit(check_script(script, arguments or (), **data))
    code = run_script(
        script,
        arguments or (),
        **data,
        figures=figures,
        full_traceback=context.parent.params["verbose"],
    )
    raise typer.Exit(code)
