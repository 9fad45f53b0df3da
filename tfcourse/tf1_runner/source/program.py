"""A script or a notebook as pieces of Python, each with the name it goes by."""

import ast
import dataclasses
import json
import pathlib
import tokenize

from tfcourse.errors import InputError
from tfcourse.tf1_runner.source.ipython_syntax import without_magics
from tfcourse.tf1_runner.source.python_2 import in_python_3


@dataclasses.dataclass(frozen=True)
class Piece:
    """A whole script, or one cell of a notebook.

    Args:
        name: What a traceback calls it: the path of the script, or the
            notebook's path and the number of the cell.
        source: Its Python, IPython's magics written as calls.
        is_cell: Whether the value of its last expression is shown.
        python_2: Whether it was written in Python 2.
        rounds_division: Whether 7 / 2 is 3.
    """

    name: str
    source: str
    is_cell: bool = False
    python_2: bool = False
    rounds_division: bool = False

    def parse(self):
        return ast.parse(self.source, self.name)


def read_program(path, convert=True):
    """Returns the pieces of a script, or of a notebook's code cells.

    Args:
        path: Of the script or notebook.
        convert: Whether Python 2 is to become Python 3.

    Raises:
        InputError: If there is no such file, it is no text, or it is called a
            notebook and is none.
    """
    path = pathlib.Path(path)
    if not path.exists():
        raise InputError(f"{path} does not exist. Give a .py or .ipynb file.")
    if path.is_dir():
        raise InputError(f"{path} is a folder. Give a .py or .ipynb file.")
    try:
        if path.suffix == ".ipynb":
            pieces = _cells(path)
            return _in_python_3(pieces) if convert else pieces
        with tokenize.open(path) as file:  # Heeds a coding line.
            # A notebook pasted or exported as a script keeps its magics.
            pieces = [Piece(str(path), without_magics(file.read()))]
            return _in_python_3(pieces) if convert else pieces
    except (UnicodeDecodeError, SyntaxError) as error:
        raise InputError(
            f"{path} cannot be read as Python: {error}. Save it as UTF-8."
        ) from None


def _in_python_3(pieces):
    name = pieces[0].name if pieces else ""
    sources = [piece.source for piece in pieces]
    sources, old, rounds = in_python_3(sources, name)
    return [
        dataclasses.replace(
            piece, source=source, python_2=old, rounds_division=rounds
        )
        for piece, source in zip(pieces, sources, strict=True)
    ]


def _cells(path):
    notebook = _read_notebook(path)
    cells = [cell for cell in notebook if cell.get("cell_type") == "code"]
    pieces = []
    for number, cell in enumerate(cells, start=1):
        source = cell.get("source", cell.get("input", ""))
        text = source if isinstance(source, str) else "".join(source)
        name = f"{path}, cell {number}"
        pieces.append(Piece(name, without_magics(text), is_cell=True))
    return pieces


def _read_notebook(path):
    """Returns the cells of a notebook, of format 4 or of the older 3."""
    try:
        notebook = json.loads(path.read_text(encoding="utf-8-sig"))
        if "worksheets" in notebook:
            return [
                c for sheet in notebook["worksheets"] for c in sheet["cells"]
            ]
        return list(notebook["cells"])
    except json.JSONDecodeError as error:
        raise InputError(
            f"{path} is not a notebook: not JSON ({error}). Save it again "
            "from Jupyter, or give a .py file."
        ) from None
    except (KeyError, TypeError):
        raise InputError(
            f"{path} is not a notebook: JSON without cells. Save it again "
            "from Jupyter, or give a .py file."
        ) from None
