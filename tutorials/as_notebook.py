"""A tutorial as a notebook that runs by itself.

    python tutorials/as_notebook.py tutorials/08_optimizers.py 08.ipynb

What the scripts share (`common`, `digits`, `graph_picture`) becomes the first
cell, so that the notebook needs nothing but tfcourse. The site offers these
notebooks, and runs them for what it shows.
"""

import argparse
import ast
import json
import re
from pathlib import Path

HERE = Path(__file__).parent
HELPERS = ("digits", "graph_picture")

SETUP = """\
# What it needs: python -m pip install tfcourse
import logging
import os

{quiet}

import matplotlib
from cycler import cycler

%config InlineBackend.figure_formats = ["retina"]
QUICK = {quick}  # True: less of everything, in seconds.

{style}
"""


def cells(path):
    """Returns the cells of a script, a list of `(kind, text)`.

    Args:
        path: The script, of percent cells.
    """
    found = []
    text = path.read_text(encoding="utf-8")
    for cell in re.split(r"^# %%", text, flags=re.M):
        first, _, body = cell.partition("\n")
        if "[markdown]" in first:
            prose = re.sub(r"^# ?", "", body, flags=re.M).strip()
            found.append(("markdown", prose))
        elif body.strip():
            found.append(("code", body.strip()))
    return found


def stand_alone_cells(path, quick=False):
    """Returns the cells of a script that need none of the other files.

    The first of code is what the scripts share.
    """
    found = cells(path)
    used = [name for name in HELPERS if _imports(path, name)]
    place = next(i for i, (kind, _) in enumerate(found) if kind == "code")
    setup = [_setup(quick), *map(_module_code, used)]
    found = [
        (kind, _without(text, ["common", *used]) if kind == "code" else text)
        for kind, text in found
    ]
    found.insert(place, ("code", "\n\n\n".join(setup).strip()))
    return found


def notebook(path, quick=False):
    """Returns a script as a notebook, in the form of its JSON."""
    return {
        "cells": [
            _cell(number, kind, text)
            for number, (kind, text) in enumerate(
                stand_alone_cells(path, quick)
            )
        ],
        "metadata": {
            "kernelspec": {
                "display_name": "Python 3",
                "language": "python",
                "name": "python3",
            },
            "language_info": {"name": "python"},
        },
        "nbformat": 4,
        "nbformat_minor": 5,
    }


def _cell(number, kind, text):
    cell = {
        "id": f"cell-{number}",
        "cell_type": kind,
        "metadata": {},
        "source": text.splitlines(keepends=True),
    }
    if kind == "code":
        cell |= {"execution_count": None, "outputs": []}
    return cell


def _setup(quick):
    source = (HERE / "common.py").read_text(encoding="utf-8")
    style = next(
        node
        for node in ast.parse(source).body
        if isinstance(node, ast.AugAssign)
    )
    text = ast.get_source_segment(source, style)
    # What keeps TensorFlow's messages off stands between comment and function.
    quiet = source[
        source.index("# TensorFlow") : source.index("\n\n\ndef save")
    ]
    quiet = quiet.replace("  # noqa: F401", "")
    return SETUP.format(quick=quick, style=text, quiet=quiet)


def _module_code(name):
    """Returns the code of a helper, without its docstring."""
    source = (HERE / f"{name}.py").read_text(encoding="utf-8")
    body = ast.parse(source).body
    return "\n".join(source.splitlines()[body[1].lineno - 1 :])


def _imports(path, name):
    text = path.read_text(encoding="utf-8")
    return re.search(rf"^import {name}$", text, re.M)


def _without(code, modules):
    names = "|".join(modules)
    code = re.sub(rf"^import ({names})\n", "", code, flags=re.M)
    code = re.sub(r"^common\.save\(\w+, .*\)$", "plt.show()", code, flags=re.M)
    return re.sub(rf"\b({names})\.(?=\w)", "", code)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("script", type=Path)
    parser.add_argument("notebook", type=Path)
    parser.add_argument("--quick", action="store_true")
    arguments = parser.parse_args()
    found = notebook(arguments.script, arguments.quick)
    arguments.notebook.write_text(json.dumps(found, indent=1), encoding="utf-8")


if __name__ == "__main__":
    main()
