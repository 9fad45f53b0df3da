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
