"""`tfcourse data` and `tfcourse doctor`: the data sets, and the machine."""

import sys

from tfcourse.cli.terminal import quiet
from tfcourse.cli.terminal.options import Verbose

DATA_EPILOG = "Example: tfcourse data"
DOCTOR_EPILOG = "Example: tfcourse doctor"


def data() -> None:
    """List the data sets that come with tfcourse."""
    from rich.console import Console
    from rich.table import Table

    from tfcourse.data.bundled import describe

    table = Table(title="Bundled data sets", title_justify="left", box=None)
    for column, justify in {
        "name": "left",
        "examples": "right",
        "shape": "right",
        "classes": "right",
        "source": "left",
    }.items():
        table.add_column(column, justify=justify, no_wrap=column == "name")
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
    verbose: Verbose = False,
) -> None:
    """Say what this machine has, what is missing and what to do about it."""
    from rich.console import Console
    from rich.markup import escape
    from rich.table import Table

    quiet.silence_libraries(verbose)
    from tfcourse.utils.environment import check_environment

    table = Table(box=None, show_header=False)
    checks = check_environment()
    for check in checks:
        mark = "[green]ok[/]" if check.fine else "[red]missing[/]"
        if check.fine and check.advice:
            mark = "[yellow]note[/]"
        table.add_row(mark, check.what, escape(check.found))
        if check.advice:
            table.add_row("", "", f"[dim]{escape(check.advice)}[/]")
    Console().print(table)
    if not all(check.fine for check in checks):
        sys.exit(1)
