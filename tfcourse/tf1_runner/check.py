"""Lists the names of a program and how each will be served."""

import dataclasses
import pathlib

from tfcourse.tf1_runner.advice import missing_module
from tfcourse.tf1_runner.checking.arguments import refused
from tfcourse.tf1_runner.checking.command_line import asked, programs, wanted
from tfcourse.tf1_runner.checking.methods import put_back
from tfcourse.tf1_runner.checking.names import (
    LIBRARIES,
    OF_LIBRARIES,
    ROOTS,
    SHOWN,
    TENSORFLOW,
    is_there,
    lookup,
    names_by_star,
    served,
)
from tfcourse.tf1_runner.checking.network import (
    downloads,
    is_here,
    is_reachable,
    stand_in,
)
from tfcourse.tf1_runner.checking.notes import notes_on_text, notes_on_uses
from tfcourse.tf1_runner.checking.program import Program
from tfcourse.tf1_runner.checking.undefined import undefined
from tfcourse.tf1_runner.imports.module_names import PYTHON_2
from tfcourse.tf1_runner.patches import apply_patches
from tfcourse.tf1_runner.source.program import Source

_UNUSED = ": in a function that nothing calls"


@dataclasses.dataclass(frozen=True)
class _Row:
    where: str
    name: str
    kind: str
    remark: str = ""


def print_check(
    sources: list[Source],
    folder: pathlib.Path,
    tensorflow_1: bool,
    given: int = 0,
    stand_ins: tuple[str, ...] = (),
) -> int:
    """Prints a line for each name of a program; returns the exit code.

    Args:
        sources: The script, or the cells of a notebook.
        folder: Where it lies.
        tensorflow_1: Whether it is of TensorFlow 1.
        given: How many arguments the script is given.
        stand_ins: The data that are made up, `"mnist"` among them.
    """
    program = Program(sources, folder)
    if tensorflow_1:
        apply_patches()
        rows = [*_rows(program), *_rows_of_text(program)]
    else:
        print("Not a TensorFlow 1 script: it runs as it is.")
        rows = [*_rows_of_packages(program)]
    rows += [
        *_rows_of_notes(program),
        *_rows_of_downloads(program, stand_ins),
        *_rows_of_surroundings(program, given),
    ]
    _print_rows([*dict.fromkeys(rows)], tensorflow_1)
    return 1 if any(row.kind == "missing" for row in rows) else 0


def _print_rows(rows, tensorflow_1):
    counts = dict.fromkeys(("as is", "put back", "missing", "note"), 0)
    width = max((len(row.name) for row in rows), default=0)
    for row in rows:
        counts[row.kind] += 1
        print(f"{row.where}: {row.name:{width}} {row.kind}{row.remark}")
    if not counts["note"]:
        del counts["note"]
    if tensorflow_1 or rows:
        print(", ".join(f"{count} {kind}" for kind, count in counts.items()))


def _rows_of_packages(program):
    """Yields a row for each package that a script of today needs."""
    for source, use in program.uses:
        root = use.name.partition(".")[0]
        root = ROOTS.get(root, root)
        if not use.is_import or use.is_guarded or program.has(root):
            continue
        if not root:
            yield _relative(program, source, use)
        elif not is_there(root):
            yield _missing(program, source, use.line, root)


def _relative(program, source, use):
    remark = ": a script is in no package: import without the dot"
    return _missing(program, source, use.line, use.name, remark)


def _missing(program, source, line, name, remark=""):
    """Returns the row of what is not there; only a note if it is not used."""
    remark = remark or f": {missing_module(name, program.folder)}"
    if program.runs(source, line):
        return _Row(f"{source.name}:{line}", name, "missing", remark)
    remark = f"{_UNUSED}{remark.replace(':', ', missing:', 1)}"
    return _Row(f"{source.name}:{line}", name, "note", remark)


def _rows(program):
    """Yields a row for each name, where it first stands; those asked for."""
    seen = set()
    names = {use.name for _, use in program.uses}
    for source, use in program.uses:
        # `from tensorflow.contrib import rnn`: the second name says it all.
        whole = (
            use.is_import
            and f"{use.name}.".startswith(OF_LIBRARIES)
            and any(n.startswith(f"{use.name}.") for n in names)
        )
        own = program.has(use.name)
        rows_of = _rows_of_own if own else _rows_of_use
        if own or not whole:
            for row in rows_of(program, source, use):
                if (row.name, row.kind == "note") not in seen:
                    seen.add((row.name, row.kind == "note"))
                    yield row


def _rows_of_own(program, source, use):
    file = None if use.is_guarded else program.lacks(use.name)
    if file:
        remark = f": {file} has no such name"
        yield _missing(program, source, use.line, use.name, remark)


def _rows_of_use(program, source, use):
    where = f"{source.name}:{use.line}"
    root = use.name.partition(".")[0]
    if root in TENSORFLOW or root in LIBRARIES:
        kind, remark = served(use.name)
        hidden = kind == "as is" and root not in SHOWN
        if kind == "missing":
            if not use.is_guarded:
                yield _missing(program, source, use.line, use.name, remark)
        elif not hidden:
            yield _Row(where, use.name, kind, remark)
        yield from _rows_of_arguments(program, source, use)
    elif use.name.startswith("."):
        yield _relative(program, source, use)
    elif use.name in PYTHON_2:
        yield _Row(where, use.name, "put back", " (Python 2)")
    elif use.is_import and not use.is_guarded and not is_there(root):
        yield _missing(program, source, use.line, root)


def _rows_of_arguments(program, source, use):
    value = lookup(use.name) if use.keywords else None
    for argument in refused(value, use.keywords) if value else ():
        name = f"{use.name}({argument}=)"
        remark = ": this argument no longer exists"
        yield _missing(program, source, use.line, name, remark)


def _rows_of_text(program):
    seen = set()
    for source, _ in program.files:
        for line, name, note in notes_on_text(source):
            kind = "missing" if name == "syntax" else "note"
            if (name, note) not in seen:
                seen.add((name, note))
                yield _Row(f"{source.name}:{line}", name, kind, f": {note}")
        try:
            tree = source.parse()
        except SyntaxError:
            continue
        for line, name, whose in put_back(tree):
            if name not in seen:
                seen.add(name)
                where = f"{source.name}:{line}"
                yield _Row(where, name, "put back", f" ({whose})")


def _rows_of_notes(program):
    seen = set()
    for source, uses in program.files:
        for line, name, note in notes_on_uses(uses):
            if (name, note) not in seen:
                seen.add((name, note))
                yield _Row(f"{source.name}:{line}", name, "note", f": {note}")


def _rows_of_downloads(program, stand_ins):
    """Yields rows of what is loaded; missing if there is no network."""
    seen = set()
    for source, use in program.uses:
        if use.is_import or not use.is_call or not downloads(use.name):
            continue
        option = stand_in(use.name)
        here = is_here(use.name, source, program.start)
        if option in stand_ins or here or use.name in seen:
            continue
        seen.add(use.name)
        remark = ": needs the network, or what it once loaded"
        if option:
            flag = "--mnist digits" if option == "mnist" else ""
            flag = flag or f"--stand-in {option}"
            remark += f"; `{flag}` makes it up"
        if use.is_guarded or is_reachable():
            yield _Row(f"{source.name}:{use.line}", use.name, "note", remark)
        else:
            yield _missing(program, source, use.line, use.name, remark)


def _rows_of_surroundings(program, given):
    """Yields rows of names, files and arguments that a run would miss."""
    for source, line, name in undefined(program.sources, names_by_star):
        remark = ": no line before this one gives it a meaning"
        yield _missing(program, source, line, name, remark)
    for source, line, path, why in program.absent_files(given):
        yield _missing(program, source, line, path, f": {why}")
    for source in program.sources:
        for line, name, remark in wanted(program.trees[source.name], given):
            yield _missing(program, source, line, name, f": {remark}")
    for source, tree in program.parsed:
        for line, name, remark in programs(tree):
            yield _missing(program, source, line, name, f": {remark}")
        for line, name, remark in asked(tree):
            if program.runs(source, line):
                where = f"{source.name}:{line}"
                yield _Row(where, name, "note", f": {remark}")
