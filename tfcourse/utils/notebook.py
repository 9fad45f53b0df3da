"""Objects as a prompt and a notebook show them."""

import html
import sys
from collections.abc import Iterable, Sequence
from typing import Any


def in_notebook() -> bool:
    """Whether this process is the kernel of a notebook."""
    ipython = sys.modules.get("IPython")
    shell = ipython and ipython.get_ipython()
    return bool(shell) and "IPKernelApp" in shell.config


def html_table(
    header: Sequence[object],
    rows: Iterable[Sequence[object]],
    caption: str = "",
) -> str:
    """Returns a table whose cells are text, not HTML."""
    lines = ["<table>"]
    if caption:
        lines.append(f"<caption>{html.escape(caption)}</caption>")
    lines += [
        f"<thead>{_row('th', header)}</thead>",
        "<tbody>",
        *(_row("td", row) for row in rows),
        "</tbody></table>",
    ]
    return "\n".join(lines)


def _row(tag: str, cells: Sequence[object]) -> str:
    inside = "".join(
        f"<{tag}>{html.escape(str(cell), quote=False)}</{tag}>"
        for cell in cells
    )
    return f"<tr>{inside}</tr>"


class Shown:
    """Shows an object at a prompt as `print` does, in a notebook as a table."""

    def _as_table(self) -> tuple[Sequence[Any], Iterable[Any], str] | None:
        """Returns a table's header, rows and what is said beneath it."""
        return None

    def __repr__(self) -> str:
        return str(self)

    def _repr_html_(self) -> str:
        table = self._as_table()
        if table is None:
            return f"<pre>{html.escape(str(self), quote=False)}</pre>"
        header, rows, beneath = table
        said = "".join(
            f"<p>{html.escape(line, quote=False)}</p>"
            for line in beneath.splitlines()
        )
        return html_table(header, rows) + said
