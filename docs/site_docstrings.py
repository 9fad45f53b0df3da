"""Docstrings as the site's parser reads them."""

import re
import textwrap

import griffe

# Sections that are a paragraph, and no list of names.
_PARAGRAPH = re.compile(
    r"^(Returns|Reference|References):\n((?:[ ]{4}.*\n?|\n)+)", re.MULTILINE
)
# A doctest goes on to the next empty line.
_DOCTEST = re.compile(r"^(>>> .*(?:\n.+)*)", re.MULTILINE)


class Docstrings(griffe.Extension):
    """Fences the doctests, and tells the parser what it has no name for."""

    def on_object(self, *, obj, **kwargs):
        if obj.docstring:
            obj.docstring.value = readable(obj.docstring.value)


def readable(docstring):
    """Returns a docstring with its examples as fenced code."""
    docstring = docstring.replace(
        "\nCall arguments:\n", "\nArgs: Call arguments\n"
    )
    docstring = docstring.replace("\nExample:\n", "\n**Example:**\n")
    docstring = _PARAGRAPH.sub(_paragraph, docstring)
    return _DOCTEST.sub(r"```pycon\n\1\n```", docstring)


def _paragraph(match):
    return f"**{match[1]}:** {textwrap.dedent(match[2])}\n"
