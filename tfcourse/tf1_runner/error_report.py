"""An error of the script, shown by the script's own lines."""

import contextlib
import io
import os
import pathlib
import re
import sys
import sysconfig
import traceback

from tfcourse.tf1_runner.source.program import Source

_OURS = str(pathlib.Path(__file__).parent)
_PYTHON = sysconfig.get_path("stdlib")
# A line of a stack, as TensorFlow writes it into its messages.
_PLACE = re.compile(r'^ +File "(?P<file>.*)", line \d+, in ', re.M)
_AGAIN = "\nOriginal stack trace for "
_LEFT_OUT = (
    "(Lines of libraries are left out: `tfcourse --verbose run-v1` shows them.)"
)


class ErrorReport:
    """Says what went wrong in which lines of a script.

    Args:
        sources: The script, or the cells of a notebook.
        folder: Where it lies; the modules beside it are its own, too.
        full: Whether lines of libraries are shown as well.
    """

    def __init__(self, sources: list[Source], folder: str, full: bool = False):
        self._names = {source.name for source in sources}
        self._folder = f"{folder}{os.sep}"
        self._full = full

    def print(self, error: BaseException) -> None:
        """Prints it as Python does."""
        report = traceback.TracebackException.from_exception(error)
        links = list(_chain(report))
        for link in links:
            frames = [f for f in link.stack if not f.filename.startswith(_OURS)]
            link.stack = traceback.StackSummary.from_list(frames)
        before = _lines(report)
        for link in links:
            link.stack = self._shown(link.stack)
        if not self._full:
            self._leave_out_inner(report)
        text = "".join(report.format()).removesuffix("\n")
        text = self._without_foreign_places(text) + _meant(error, text)
        print(text, file=sys.stderr)
        if not self._full and _lines(report) < before:
            print(_LEFT_OUT, file=sys.stderr)

    def where(self, error: BaseException) -> str:
        """Returns " in FILE, line N", of the last line of the script's own."""
        frames = traceback.extract_tb(error.__traceback__)
        own = [frame for frame in frames if frame.filename in self._names]
        return f" in {own[-1].filename}, line {own[-1].lineno}" if own else ""

    def _shown(self, stack):
        own = [frame for frame in stack if self._is_own(frame.filename)]
        # What happened in none of its lines is told in those of others.
        shown = stack if self._full or not own else own
        return traceback.StackSummary.from_list(shown)

    def _is_own(self, file):
        if file in self._names or file.startswith("<"):
            return file in self._names
        path = str(pathlib.Path(file).absolute())
        foreign = "site-packages" in path or path.startswith((_OURS, _PYTHON))
        return path.startswith(self._folder) and not foreign

    def _leave_out_inner(self, report):
        """Drops errors that a library met, and raised as another."""
        while report:
            inner = report.__cause__ or report.__context__
            if inner and not any(self._is_own(f.filename) for f in inner.stack):
                report.__cause__ = report.__context__ = None
            report = inner

    def _without_foreign_places(self, text):
        """Returns a message of TensorFlow's without the lines of others."""
        if self._full:
            return text
        message, again, _ = text.partition(_AGAIN)
        if not again or not _PLACE.search(message):
            message = text
        places = ((_PLACE.match(line), line) for line in message.split("\n"))
        lines = [
            line
            for place, line in places
            if not place or self._is_own(place["file"])
        ]
        return "\n".join(lines).rstrip()


def _chain(report):
    while report:
        yield report
        report = report.__cause__ or report.__context__


def _lines(report):
    return sum(len(link.stack) for link in _chain(report))


def _meant(error, text):
    """Returns ". Did you mean: ...", which only Python's own hook may know."""
    printed = io.StringIO()
    with contextlib.redirect_stderr(printed):
        sys.__excepthook__(type(error), error, error.__traceback__)
    found = re.search(
        r"\. Did you mean: [^\n]*\?$", printed.getvalue().rstrip()
    )
    return "" if not found or text.endswith(found[0]) else found[0]
