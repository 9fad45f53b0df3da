"""A script or a notebook as sources of Python, each with its name."""

import ast
import dataclasses
import json
import os
import pathlib
import tokenize

from tfcourse.errors import InputError
from tfcourse.tf1_runner.source.ipython_syntax import without_magics
from tfcourse.tf1_runner.source.python_2 import in_python_3


@dataclasses.dataclass(frozen=True)
class Source:
    """A whole script, or one cell of a notebook.

    Args:
        name: What a traceback calls it: the path of the script, or the
            notebook's path and the number of the cell.
        text: Its Python, IPython's magics written as calls.
        is_cell: Whether the value of its last expression is shown.
        python_2: Whether it was written in Python 2.
        rounds_division: Whether 7 / 2 is 3.
        failed: The error with which it once ended, as its output tells.
    """

    name: str
    text: str
    is_cell: bool = False
    python_2: bool = False
    rounds_division: bool = False
    failed: str = ""

    def parse(self) -> ast.Module:
        return ast.parse(self.text, self.name)


def read_sources(path: str | os.PathLike, convert: bool = True) -> list[Source]:
    """Returns the sources of a script, or of a notebook's code cells.

    Args:
        path: Of the script or notebook.
        convert: Whether Python 2 is to become Python 3.

    Raises:
        InputError: If there is no such file, it is not text, or it is called a
            notebook and is none.
    """
    path = pathlib.Path(path)
    if not path.exists():
        raise InputError(f"{path} does not exist. Give a .py or .ipynb file.")
    if path.is_dir():
        raise InputError(f"{path} is a folder. Give a .py or .ipynb file.")
    try:
        if path.suffix == ".ipynb":
            sources, python_2 = _cells(path)
            return _in_python_3(sources, python_2) if convert else sources
        with tokenize.open(path) as file:  # Heeds a coding line.
            # A notebook pasted or exported as a script keeps its magics.
            sources = [Source(str(path), without_magics(file.read()))]
            return _in_python_3(sources) if convert else sources
    except (UnicodeDecodeError, SyntaxError) as error:
        raise InputError(
            f"{path} cannot be read as Python: {error}. Save it as UTF-8."
        ) from None


def _in_python_3(sources, python_2=False):
    name = sources[0].name if sources else ""
    texts = [source.text for source in sources]
    texts, old, rounds = in_python_3(texts, name, python_2)
    return [
        dataclasses.replace(
            source, text=text, python_2=old, rounds_division=rounds
        )
        for source, text in zip(sources, texts, strict=True)
    ]


def _cells(path):
    """Returns the sources of a notebook, and whether its kernel is Python 2."""
    notebook, python_2 = _read_notebook(path)
    cells = [cell for cell in notebook if cell.get("cell_type") == "code"]
    sources = []
    for number, cell in enumerate(cells, start=1):
        lines = cell.get("source", cell.get("input", ""))
        text = lines if isinstance(lines, str) else "".join(lines)
        name = f"{path}, cell {number}"
        source = Source(name, without_magics(text), is_cell=True)
        sources.append(dataclasses.replace(source, failed=_failure(cell)))
    return sources, python_2


def _failure(cell):
    """Returns the name of the error that a cell's stored output ends with."""
    for output in cell.get("outputs", ()):
        if output.get("output_type") in {"error", "pyerr"}:
            return output.get("ename", "")
    return ""


def _read_notebook(path):
    """Returns the cells of a notebook, of format 4 or of the older 3.

    And whether it says that they are of Python 2.
    """
    try:
        notebook = json.loads(path.read_text(encoding="utf-8-sig"))
        python_2 = _is_of_python_2(notebook.get("metadata", {}))
        if "worksheets" in notebook:
            sheets = notebook["worksheets"]
            return [c for sheet in sheets for c in sheet["cells"]], python_2
        return list(notebook["cells"]), python_2
    except json.JSONDecodeError as error:
        raise InputError(
            f"{path} is not a notebook: not JSON ({error}). Save it again "
            "from Jupyter, or give a .py file."
        ) from None
    except (AttributeError, KeyError, TypeError):
        raise InputError(
            f"{path} is not a notebook: JSON without cells. Save it again "
            "from Jupyter, or give a .py file."
        ) from None


def _is_of_python_2(metadata):
    language = metadata.get("language_info", {})
    kernel = metadata.get("kernelspec", {})
    version = str(language.get("version", ""))
    return version.startswith("2.") or kernel.get("name") == "python2"
