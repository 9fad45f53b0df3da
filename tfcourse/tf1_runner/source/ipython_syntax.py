"""IPython's own syntax, written as calls that Python understands."""

import ast
import re

_SHELL = re.compile(r"^(\s*)(?:([\w, ]+?)\s*=\s*)?!!?(.*)$")
_MAGIC = re.compile(r"^(\s*)(?:([\w, ]+?)\s*=\s*)?% ?(\w.*)$")
_HELP = re.compile(r"^(\s*)(\?+\s*[\w.]+|[\w.]+\s*\?+)\s*$")


def without_magics(source: str) -> str:
    """Returns `source` with `%magic`, `!command` and `name?` as calls.

    Python's own parser says which lines are not Python, so that a `%` in a
    string or in the middle of an expression is left alone. Line numbers stay.
    """
    if source.lstrip().startswith("%%"):
        return _cell_magic(source)
    lines = _commands_on_one_line(source.split("\n"))
    for _ in lines:
        try:
            ast.parse("\n".join(lines))
        except SyntaxError as error:
            number = (error.lineno or 0) - 1
            called = _call(lines[number]) if 0 <= number < len(lines) else None
            if called is None:
                return _without_plain_magics(lines)
            lines[number] = called
        else:
            break
    return "\n".join(lines)


def _commands_on_one_line(lines):
    """Returns the lines with a command that goes on below on its first one."""
    joined = []
    for line in lines:
        first = next((i for i, text in enumerate(reversed(joined)) if text), 0)
        above = len(joined) - 1 - first
        if joined and re.match(r"\s*!.*\\$", joined[above]):
            joined[above] = f"{joined[above][:-1].rstrip()} {line.strip()}"
            joined.append("")
        else:
            joined.append(line)
    return joined


def _without_plain_magics(lines):
    """Returns what is not Python 3 elsewhere, less what must be a magic."""
    return "\n".join(
        _call(line) if re.match(r"% ?[a-z]|![a-z]", line) else line
        for line in lines
    )


def _call(line):
    """Returns the call that a line of IPython stands for, or None."""
    for pattern, method in [(_SHELL, "getoutput"), (_MAGIC, "magic")]:
        match = pattern.match(line)
        if match:
            indent, names, command = match.groups()
            if not names and method == "getoutput":
                method = "system"
            target = f"{names} = " if names else ""
            return f"{indent}{target}get_ipython().{method}({command!r})"
    match = _HELP.match(line)
    if match:
        name = match.group(2).strip("? ")
        return f"{match.group(1)}help({name})"
    return None


def _cell_magic(source):
    """Returns the cell under a `%%magic`, which must keep its line numbers."""
    blank, _, rest = source.partition("%%")
    head, _, body = rest.partition("\n")
    name, _, line = head.strip().partition(" ")
    if name in {"time", "timeit", "capture", "prun", "matplotlib"}:
        return f"{blank}\n{without_magics(body)}"
    return f"{blank}get_ipython().run_cell_magic({name!r}, {line!r}, {body!r})"
