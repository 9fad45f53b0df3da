"""What a program does that means another thing today, or needs the network."""

from collections.abc import Iterator

from tfcourse.tf1_runner.source.program import Source
from tfcourse.tf1_runner.source.used_names import Use

_BYTES = ("np.int8", "np.uint8", "np.int16", "np.uint16")


def notes_on_uses(uses: list[Use]) -> Iterator[tuple[int, str, str]]:
    """Yields a line, a name and what is to be known of it."""
    for use in uses:
        if use.name in _BYTES and use.is_call:
            yield (
                use.line,
                use.name,
                "a number that does not fit is an error (NumPy 2); it used to "
                "wrap around",
            )


def notes_on_text(source: Source) -> Iterator[tuple[int, str, str]]:
    """Yields a line, what stands there and what is to be known of it."""
    if source.rounds_division:
        yield 1, "/", "is of Python 2: `/` of whole numbers rounds down"
    try:
        source.parse()
    except SyntaxError as error:
        line = error.lineno or 1
        yield line, "syntax", f"Python cannot read it: {error.msg}"
