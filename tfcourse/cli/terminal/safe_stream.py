"""Streams that show what files say of themselves, and obey none of it.

Labels, names of columns and messages come from files that others have written.
On a terminal an escape sequence in one of them would move the cursor, write to
the clipboard or put another text in place of this program's. Only rich, whose
colours are our own, writes past `SafeStream`; see `console`.
"""

import sys
from collections.abc import Iterable
from typing import Any, TextIO

from tfcourse.utils.text import printable


class SafeStream:
    """A text stream that writes control characters as `\\x1b` and the like.

    Args:
        stream: Where to write. Its other attributes are this one's too.
    """

    def __init__(self, stream: TextIO) -> None:
        # The name by which rich finds where it may write its colours.
        self.rich_proxied_file = stream

    def __getattr__(self, name: str) -> Any:
        return getattr(self.rich_proxied_file, name)

    def write(self, text: str) -> int:
        self.rich_proxied_file.write(printable(text))
        return len(text)

    def writelines(self, lines: Iterable[str]) -> None:
        for line in lines:
            self.write(line)


def protect_terminal() -> None:
    """Makes all that Python prints safe to show, from here on."""
    for name in ("stdout", "stderr"):
        stream = getattr(sys, name)
        # None, where it was closed before Python began.
        if stream is not None and not isinstance(stream, SafeStream):
            setattr(sys, name, SafeStream(stream))


def for_data() -> TextIO:
    """Returns where to print a table that a program may read.

    What leads to a file or a pipe gets the text as it is.
    """
    stream = sys.stdout
    raw = getattr(stream, "rich_proxied_file", stream)
    return stream if stream.isatty() else raw
