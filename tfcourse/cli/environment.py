"""`tfcourse data` and `tfcourse doctor`: the data sets, and the machine."""

import importlib.util
import os
import sys
from typing import Annotated

import typer

from tfcourse.cli.terminal import quiet
from tfcourse.cli.terminal.options import Ray, Verbose
from tfcourse.errors import InputError

_BACKENDS = ("tensorflow", "jax")

DATA_EPILOG = "Example: tfcourse data"
DOCTOR_EPILOG = "Example: tfcourse doctor"


def check_backend() -> None:
    """Raises unless Keras's backend is one that can be loaded.

    Raises:
        InputError: If it is not; Keras itself is not imported.
    """
    name = os.environ.get("KERAS_BACKEND")
    if not name or name == "tensorflow":
        return
    if name not in _BACKENDS:
        raise InputError(
            f"KERAS_BACKEND is {name!r}, on which tfcourse does not run. "
            f"Unset it, or set it to {' or '.join(_BACKENDS)}."
        )
    if importlib.util.find_spec(name) is None:
        raise InputError(
            f"KERAS_BACKEND is {name!r}, which is not installed. Unset it, or "
            f"install the package: pip install {name}"
        )


def data() -> None:
    """List the data sets that come with tfcourse."""
    from rich.table import Table

    from tfcourse.cli.terminal.console import Console
    from tfcourse.data.bundled import describe

    table = Table(title="Bundled data sets", title_justify="left", box=None)
    for column, justify in {
        "name": "left",
        "examples": "right",
        "shape": "right",
        "classes": "right",
        "source": "left",
    }.items():
        table.add_column(column, justify=justify, no_wrap=column != "source")
    for row in describe():
        shape = " × ".join(map(str, row["shape"]))
        table.add_row(
            row["name"],
            f"{row['examples']:,}",
            shape,
            str(row["classes"]),
            row["source"],
        )
    console = Console()
    console.print(table)
    console.print(
        "\nUse one with `tfcourse tune --data NAME`, or a file of your own "
        "with `tfcourse tune --data FILE.csv --target COLUMN`.",
        highlight=False,
    )


def doctor(
    ray: Ray = None,
    space: Annotated[
        str | None,
        typer.Option(
            help="With --ray: let each node build a model of module.py:build.",
            metavar="MODULE:NAME",
        ),
    ] = None,
    verbose: Verbose = False,
) -> None:
    """Say what this machine has, what is missing and what to do about it.

    With --ray: the same of each node of a cluster.
    """
    if ray is not None:
        quiet.silence_libraries(verbose)
        sys.exit(_tell_of_cluster(ray, space))
    if space is not None:
        raise InputError(
            "--space is for the nodes of a cluster: give --ray, too."
        )
    from rich.table import Table
    from rich.text import Text

    from tfcourse.cli.terminal.console import Console

    quiet.silence_libraries(verbose)
    from tfcourse.utils.environment import check_environment

    table = Table(box=None, show_header=False)
    checks = check_environment()
    for check in checks:
        mark = Text("missing", "red")
        if check.fine:
            mark = (
                Text("note", "yellow") if check.advice else Text("ok", "green")
            )
        table.add_row(mark, check.what, check.found)
        if check.advice:
            table.add_row("", "", Text(check.advice, "dim"))
    Console().print(table)
    if not all(check.fine for check in checks):
        sys.exit(1)


def _tell_of_cluster(address: str, spec: str | None) -> int:
    """Prints what the nodes of a cluster have; returns what to exit with."""
    from rich.table import Table
    from rich.text import Text

    from tfcourse.cli.terminal.console import Console
    from tfcourse.tuning.caviar.executors.on_ray.probe import probe

    space = None
    if spec is not None:
        from tfcourse.runs.spaces import load_space

        if ":" not in spec:
            raise InputError(
                f"--space {spec} comes with tfcourse, which every node has. "
                "Give one of your own, as module.py:build."
            )
        space = load_space(spec, (1,), 1)
    nodes = probe(None if address == "local" else address, space)
    table = Table(box=None, show_header=False)
    for node in nodes:
        mark = Text("wrong", "red") if node.wrong else Text("ok", "green")
        table.add_row(mark, node.node, node.found)
        if node.wrong:
            table.add_row("", "", Text(node.wrong, "dim"))
    Console().print(table)
    return int(any(node.wrong for node in nodes))
