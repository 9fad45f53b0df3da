"""`tfcourse doctor`."""

import sys
from typing import Annotated

import typer

EPILOG = "Example: tfcourse doctor"


def doctor(
    verbose: Annotated[
        bool, typer.Option("--verbose", help="Show TensorFlow's messages.")
    ] = False,
):
    """Say what this machine has, what is missing and what to do about it."""
    from rich.console import Console
    from rich.markup import escape
    from rich.table import Table

    from tfcourse.cli.terminal.quiet import silence_libraries

    silence_libraries(verbose)
    from tfcourse.utils.environment import examine

    table = Table(box=None, show_header=False)
    findings = examine()
    for finding in findings:
        mark = "[green]ok[/]" if finding.fine else "[red]missing[/]"
        if finding.fine and finding.advice:
            mark = "[yellow]note[/]"
        table.add_row(mark, finding.what, escape(finding.found))
        if finding.advice:
            table.add_row("", "", f"[dim]{escape(finding.advice)}[/]")
    Console().print(table)
    if not all(finding.fine for finding in findings):
        sys.exit(1)
