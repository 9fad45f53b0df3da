"""rich's console, for text that others have written."""

from collections.abc import Iterator
from typing import IO, Any

import rich.console
from rich.segment import Segment

from tfcourse.cli.terminal.safe_stream import SafeStream
from tfcourse.utils.text import printable


class Console(rich.console.Console):
    """rich's console, for which no text is markup and none is obeyed.

    Args:
        **kwargs: Passed to `rich.console.Console`.
    """

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(markup=False, emoji=False, **kwargs)

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
