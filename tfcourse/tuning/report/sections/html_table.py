"""Tables, as HTML."""

import html
from collections.abc import Sequence

from tfcourse.utils.text import format_value


class Html(str):
    """Text that is HTML already."""


def table(
    head: Sequence[str] | None,
    rows: Sequence[Sequence[object]],
    *,
    first_is_best: bool = False,
    text: bool = False,
    sortable: bool = False,
) -> str:
    """Returns a table; columns with words go to the left.

    Args:
        head: Names of the columns, or `None`.
        rows: A list of lists; `Html` is shown as it is.
        first_is_best: Whether to mark the first row.
        text: Whether all columns have words.
        sortable: Whether a click on a head sorts by that column.
    """
    words = [
        text or any(map(_is_word, column)) for column in zip(*rows, strict=True)
    ]

    def line(values, tag):
        return "".join(
            f"<{tag}{' class=text' if is_word else ''}>{_shown(value)}</{tag}>"
            for value, is_word in zip(values, words, strict=True)
        )

    body = [
        f"<tr{' class=best' if first_is_best and n == 0 else ''}>"
        f"{line(row, 'td')}</tr>"
        for n, row in enumerate(rows)
    ]
    if sortable and head:
        head = [
            Html(f'<button type="button">{html.escape(name)}</button>')
            for name in head
        ]
    top = f"<thead><tr>{line(head, 'th')}</tr></thead>" if head else ""
    opening = '<table class="sortable">' if sortable else "<table>"
    return f"{opening}{top}<tbody>{''.join(body)}</tbody></table>"


def count(number: int, what: str) -> str:
    """Returns a number of things, as `"1 trial"` or `"2 trials"`."""
    return f"{number:,} {what}{'' if number == 1 else 's'}"


def _shown(value):
    return (
        value if isinstance(value, Html) else html.escape(format_value(value))
    )


def _is_word(value):
    return (
        isinstance(value, str) and not isinstance(value, Html) and " " in value
    )
