"""Tables that fit a terminal without breaking a word."""

from collections.abc import Iterable, Mapping, Sequence

from rich.cells import cell_len
from rich.table import Table
from rich.text import Text

from tfcourse.utils.text import printable

_GAP = 2
# As narrow as a column of sentences may be.
_SENTENCES = 24


def fitting_table(
    cells: Mapping[str, Sequence[str]],
    width: int | None,
    numbers: Iterable[str] = (),
    last: Iterable[str] = (),
    wraps: str = "",
) -> tuple[Table, list[str]]:
    """Returns a table, without the columns for which there is no room.

    Args:
        cells: The cells of each column, from its name.
        width: Of the terminal; `None` for a file or a pipe, which has none.
        numbers: The columns that stand at the right.
        last: The columns that are left out first, in this order; then those
            at the right.
        wraps: A column of sentences, whose lines may be broken.

    Returns:
        The table, and the names of the columns that are left out.
    """
    shown = {name: [printable(cell) for cell in c] for name, c in cells.items()}
    widths = {
        name: max(map(cell_len, [printable(name), *column]))
        for name, column in shown.items()
    }
    if wraps in widths:
        widths[wraps] = min(widths[wraps], _SENTENCES)
    left_out: list[str] = []
    if width is not None:
        left_out = _too_many(widths, width, [n for n in last if n in widths])
    kept = [name for name in shown if name not in left_out]
    table = Table(box=None, pad_edge=False)
    for name in kept:
        table.add_column(
            Text(printable(name)),
            justify="right" if name in numbers else "left",
            no_wrap=name != wraps,
        )
    for row in zip(*(shown[name] for name in kept), strict=True):
        table.add_row(*map(Text, row))
    return table, left_out


def _too_many(
    widths: Mapping[str, int], width: int, last: Sequence[str]
) -> list[str]:
    """Returns the columns to leave out, so that the others fit."""
    left = dict(widths)
    # The first column says what a row is of.
    others = [name for name in reversed([*widths][1:]) if name not in last]
    found = []
    for name in [*last, *others]:
        if sum(left.values()) + _GAP * (len(left) - 1) <= width:
            break
        del left[name]
        found.append(name)
    return found
