"""Old scripts that write down what they have found."""

import json
import textwrap

import pytest

from tfcourse.tf1_runner import run_script


def results_of(script, folder):
    """Runs a script in a folder; returns what it wrote to its argument."""
    (folder / "old.py").write_text(textwrap.dedent(script))
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        code = run_script("old.py", ["results.json"], full_traceback=True)
    assert code == 0
    return json.loads((folder / "results.json").read_text())


def results_of_each(codes, head, folder):
    """Runs pieces of code in one script; returns what `run()` of each gives.

    Args:
        codes: Pieces that define a function `run`, by their names.
        head: What comes before all of them.
        folder: Where the script lies.

    Returns:
        For each name lists and numbers, or the text of an error.
    """
    parts = [head, _NOTE]
    for number, (name, code) in enumerate(codes.items()):
        body = textwrap.indent(textwrap.dedent(code), " " * 4)
        parts.append(f"def piece_{number}():\n{body}\n    return run()\n")
        parts.append(f"note({name!r}, piece_{number})\n")
    return results_of("\n".join([*parts, _WRITE]), folder)


_NOTE = """
def as_list(value):
    if isinstance(value, (list, tuple)):
        return [as_list(inner) for inner in value]
    return value.tolist() if hasattr(value, "tolist") else value


def note(name, function, notes={}):
    try:
        notes[name] = as_list(function())
    except Exception as error:
        notes[name] = str(error)
"""
_WRITE = """
import json, sys
with open(sys.argv[1], "w") as file:
    json.dump(note.__defaults__[0], file)
"""
