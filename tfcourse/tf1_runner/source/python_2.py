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

from tfcourse.tf1_runner.source.used_names import is_for_names

_INDENT = re.compile(r"^[ \t]+", re.M)
_DIVISION = re.compile(r"^from __future__ import .*\bdivision", re.M)
# They add lines, need modules that are gone, or take away what is asked for.
_LEFT_OUT = {"future", "reduce", "reload"}
# They are gone, or stand where a script of Python 3 would not look.
_MODULES = ("cPickle", "cStringIO", "ConfigParser", "Queue", "urllib2")


def in_python_3(
    texts: list[str], name: str, python_2: bool = False
) -> tuple[list[str], bool, bool]:
    """Returns the parts of a program as Python 3 reads them.

    Args:
        texts: The parts; all are of Python 2 if one is. Their lines stay.
        name: Of the program, for messages.
        python_2: Whether it is known to be of Python 2, though it may parse.

    Returns:
        The parts, whether they were of Python 2, and whether their `/`
        rounds the quotient of whole numbers.
    """
    if _library() is None:
        return texts, False, False
    if all(map(_parses, texts)) and not python_2:
        python_2 = uses_python_2("\n".join(texts))
        if not python_2:
            return texts, False, False
    converted = [_converted(text, name) for text in texts]
    # What is neither, such as a cell that was not finished, tells nothing.
    if not python_2 and not any(
        _parses(new) and not _parses(old)
        for old, new in zip(texts, converted, strict=True)
    ):
        return texts, False, False
    return converted, True, not any(map(_DIVISION.search, texts))


# What no program of Python 3 calls, if it defines none of them itself.
_NAMES = {"basestring", "raw_input", "unichr", "unicode", "xrange"}
_METHODS = {"has_key", "iteritems", "iterkeys", "itervalues"}


def uses_python_2(text: str) -> bool:
    """Returns whether a text that Python 3 parses would only run in Python 2.

    A program that runs in both has its names of Python 2 in a `try`, behind a
    look at the version, or from `six`.

    Args:
        text: Of a program.
    """
    if re.search(r"\bsix\b|version_info|sys\.version|python_version", text):
        return False
    try:
        tree = ast.parse(text)
    except (SyntaxError, ValueError):
        return False
    found, own = set(), set()
    waiting = [tree]
    while waiting:
        node = waiting.pop()
        if isinstance(node, ast.Try) and any(map(is_for_names, node.handlers)):
            own |= {n.id for n in ast.walk(node) if isinstance(n, ast.Name)}
            continue
        waiting += ast.iter_child_nodes(node)
        own |= set(_names_made(node))
        match node:
            case ast.Name(name, ast.Load()) if name in _NAMES:
                found.add(name)
            case ast.Call(ast.Attribute(_, name)) if name in _METHODS:
                found.add(name)
            case ast.Import(names):
                found |= {alias.name for alias in names} & {*_MODULES}
            case ast.ImportFrom(module) if module in _MODULES:
                found.add(module)
    return bool(found - own)


def _names_made(node):
    match node:
        case ast.Name(name, ast.Store()) | ast.arg(name):
            yield name
        case ast.FunctionDef(name) | ast.ClassDef(name):
            yield name
        case ast.ImportFrom(_, names):
            yield from (alias.asname or alias.name for alias in names)


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
