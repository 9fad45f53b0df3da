"""`tfcourse lecture`."""

import pathlib
from typing import Annotated

import typer

from tfcourse.cli.terminal import quiet
from tfcourse.cli.terminal.options import Verbose

EPILOG = "Example: tfcourse lecture --coefficients 1,-20,100 --optimizer adam"

# A negative coefficient, given as a word of its own, looks like an option.
CONTEXT_SETTINGS = {"allow_extra_args": True, "ignore_unknown_options": True}


def lecture(
    context: typer.Context,
    coefficients: Annotated[
        str,
        typer.Option(
            metavar="A,B,C",
            help="a, b, c of the cost a w² + b w + c, with a > 0.",
        ),
    ] = "1,-10,25",
    optimizer: Annotated[
        str,
        typer.Option(
            help="gradient_descent, momentum, rmsprop or adam, or a class of "
            "tf.compat.v1.train, e.g. AdamOptimizer."
        ),
    ] = "gradient_descent",
    learning_rate: Annotated[
        float, typer.Option(help="The learning rate α, above 0.")
    ] = 0.01,
    steps: Annotated[int, typer.Option(min=1, help="How many steps.")] = 1000,
    device: Annotated[
        str | None,
        typer.Option(help="Where to compute, e.g. cpu:0.", show_default="any"),
    ] = None,
    fast: Annotated[
        bool,
        typer.Option("--fast", help="Run the whole loop inside the graph."),
    ] = False,
    plot: Annotated[
        pathlib.Path | None,
        typer.Option(help="Draw w and the cost into this .png or .svg file."),
    ] = None,
    tensorboard: Annotated[
        pathlib.Path | None,
        typer.Option(help="Write graph and curves for TensorBoard here."),
    ] = None,
    verbose: Verbose = False,
) -> None:
    """Run the lecture's TensorFlow program: find the minimum of a parabola.

    Prints w before, after one step and at the end, and the computation graph.
    """
    numbers = _numbers(coefficients, context)
    from tfcourse.cli.terminal.quiet import silence_libraries

    silence_libraries(verbose)
    from tfcourse.graph_mode.graph_text import describe_graph
    from tfcourse.graph_mode.lecture_program import lecture_program, six_digits

    quiet.silence_libraries(verbose)
    from tfcourse.graph_mode.plots import check_file, plot_path
    from tfcourse.graph_mode.quadratic import minimize_quadratic

    if plot is not None:
        check_file(plot)
    path = minimize_quadratic(
        numbers,
        optimizer=optimizer,
        learning_rate=learning_rate,
        steps=steps,
        device=device,
        fast=fast,
        tensorboard=tensorboard,
        verbose=False,
    )
    for t in sorted({0, 1, steps}):
        after = "before" if t == 0 else f"after {t:,} step{'s' * (t > 1)}"
        print(f"{six_digits(path.w[t]):12}{after}")
    program = lecture_program(
        numbers, optimizer=optimizer, learning_rate=learning_rate
    )
    print(f"\nComputation graph:\n{describe_graph(program.cost)}")
    if plot is not None:
        minimum = -numbers[1] / (2 * numbers[0])
        plot_path(path, plot, _title(numbers, optimizer), minimum)
        print(f"\nWrote {plot}")
    if tensorboard is not None:
        print(f"\nLook at it with:\n  tensorboard --logdir {tensorboard}")


def _numbers(coefficients, context):
    """Returns the coefficients, given as `1,-10,25` or as three words."""
    words = [*coefficients.replace(",", " ").split(), *context.args]
    given = context.get_parameter_source("coefficients").name == "COMMANDLINE"
    try:
        if context.args and not given:
            raise ValueError
        return [float(word.rstrip(",")) for word in words]
    except ValueError:
        odd = context.args[0] if context.args else coefficients
        context.fail(
            f"There is no option or argument {odd!r}. Coefficients are three "
            "numbers: --coefficients 1,-10,25"
        )


def _title(numbers, optimizer):
    a, b, c = (f"{number:g}".replace("-", "−") for number in numbers)
    cost = f"{a} w² + {b} w + {c}".replace("+ −", "− ").replace("1 w²", "w²", 1)
    return f"{cost}, {optimizer}"
