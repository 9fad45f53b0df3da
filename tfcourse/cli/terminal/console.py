"""rich's console, for text that others have written."""

import io
from collections.abc import Iterator
from typing import IO, Any

import rich.console
from rich.segment import Segment
from rich.table import Table
from rich.text import Text

from tfcourse.cli.terminal.safe_stream import SafeStream
from tfcourse.utils.text import printable

_NO_LIMIT = 10_000


class Console(rich.console.Console):
    """rich's console, for which no text is markup and none is obeyed.

    Args:
        **kwargs: Passed to `rich.console.Console`.
    """

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(markup=False, emoji=False, **kwargs)

    def print(self, *objects: Any, **kwargs: Any) -> None:
        """Prints; tables plain where there is no terminal.

        A file or a pipe has no width to keep to, and needs no blanks at the
        ends of lines.
        """
        if self.is_terminal or not any(isinstance(o, Table) for o in objects):
            super().print(*objects, **kwargs)
            return
        written = io.StringIO()
        wide = rich.console.Console(
            file=written, width=_NO_LIMIT, markup=False, emoji=False
        )
        wide.print(*objects, **kwargs)
        lines = [line.rstrip() for line in written.getvalue().splitlines()]
        super().print(Text("\n".join(lines)), soft_wrap=True)

    @property
    def file(self) -> IO[str]:
        """Where rich writes: past `SafeStream`, its colours among it."""
        file = super().file
        # While it shows how far something is, rich has one around it.
        while isinstance(file, SafeStream):
            file = file.rich_proxied_file
        return file

    @file.setter
    def file(self, new_file: IO[str]) -> None:
        rich.console.Console.file.__set__(self, new_file)

    def render(
        self,
        renderable: rich.console.RenderableType,
        options: rich.console.ConsoleOptions | None = None,
    ) -> Iterator[Segment]:
        """Yields what to write; rich's own control codes stay."""
        for text, style, control in super().render(renderable, options):
            yield Segment(text if control else printable(text), style, control)
