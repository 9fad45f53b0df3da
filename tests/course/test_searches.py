"""The searches to copy: does each run as it stands, in an empty folder?"""

import ast
import pathlib
import subprocess
import sys

import pytest

ROOT = pathlib.Path(__file__).parents[2]
PROGRAMS = sorted((ROOT / "docs" / "searches").glob("*.py"))
PAGES = [ROOT / "docs" / f"searches{tail}" for tail in (".md", ".zh.md")]


def test_there_are_six():
    assert len(PROGRAMS) == 6


@pytest.mark.parametrize(
    "page", [p for p in PAGES if p.exists()], ids=lambda page: page.name
)
def test_the_page_shows_each_of_them(page):
    text = page.read_text(encoding="utf-8")
    for program in PROGRAMS:
        assert f'--8<-- "searches/{program.name}"' in text
        assert f"(searches/{program.name})" in text


@pytest.mark.parametrize("program", PROGRAMS, ids=lambda path: path.stem)
def test_a_program_says_what_it_is_and_needs_no_file(program):
    tree = ast.parse(program.read_text(encoding="utf-8"))
    assert ast.get_docstring(tree)
    names = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}
    assert not names & {"open", "__file__"}


@pytest.mark.slow
@pytest.mark.parametrize("program", PROGRAMS, ids=lambda path: path.stem)
def test_a_program_runs(program, tmp_path):
    done = subprocess.run(
        [sys.executable, program], cwd=tmp_path, capture_output=True, text=True
    )

    assert done.returncode == 0, done.stderr
    assert list(tmp_path.glob("searches/*/*/trial_*/trial.json"))
    assert done.stdout.splitlines()[0].startswith("trial ")
