"""Python 2, written as Python 3: `print "a"`, `d.has_key(k)`, `0777`.

Python's own converter does it; since Python 3.13 it is a package, `fissix`.
"""

import ast
import builtins
import functools
import importlib
import importlib.util
import re
import sys
import warnings

_INDENT = re.compile(r"^[ \t]+", re.M)
_DIVISION = re.compile(r"^from __future__ import .*\bdivision", re.M)
# They add lines, need modules that are gone, or take away what is asked for.
_LEFT_OUT = {"future", "reduce", "reload"}


def in_python_3(texts: list[str], name: str) -> tuple[list[str], bool, bool]:
    """Returns the parts of a program as Python 3 reads them.

    Args:
        texts: The parts; all are of Python 2 if one is. Their lines stay.
        name: Of the program, for messages.

    Returns:
        The parts, whether they were of Python 2, and whether their `/`
        rounds the quotient of whole numbers.
    """
    if _library() is None or all(map(_parses, texts)):
        return texts, False, False
    converted = [_converted(text, name) for text in texts]
    # What is neither, such as a cell that was not finished, tells nothing.
    if not any(
        _parses(new) and not _parses(old)
        for old, new in zip(texts, converted, strict=True)
    ):
        return texts, False, False
    return converted, True, not any(map(_DIVISION.search, texts))


def _parses(source):
    try:
        ast.parse(source)
    except (SyntaxError, ValueError):
        return False
    return True


def _converted(source, name):
    try:
        ast.parse(source)
    except TabError:  # A tab reached to the next eighth column.
        source = _INDENT.sub(lambda indent: indent[0].expandtabs(), source)
    except (SyntaxError, ValueError):
        pass
    try:
        return str(_converter().refactor_string(f"{source}\n", name))[:-1]
    except Exception:  # It is neither: Python tells when it runs.
        return source


@functools.cache
def _converter():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        refactor = importlib.import_module(f"{_library()}.refactor")
        fixes = refactor.get_fixers_from_package(f"{_library()}.fixes")
        kept = [f for f in fixes if f.rpartition("fix_")[2] not in _LEFT_OUT]
        return refactor.RefactoringTool(kept)


def _library():
    for name in ("fissix", "lib2to3"):
        if importlib.util.find_spec(name):
            return name
    return None


def restore_builtins() -> None:
    """Gives a script the builtins that have another name today."""
    for name, value in {
        "basestring": str,
        "long": int,
        "raw_input": input,
        "reduce": functools.reduce,
        "reload": importlib.reload,
        "unichr": chr,
        "unicode": str,
        "xrange": range,
    }.items():
        vars(builtins).setdefault(name, value)
    if not hasattr(sys, "maxint"):
        sys.maxint = sys.maxsize
        sys.setdefaultencoding = lambda encoding: None
