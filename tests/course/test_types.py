"""The documents' code, as a type checker and an editor read it."""

import ast
import builtins
import importlib
import json
import pathlib
import re
import subprocess
import sys

import pytest

ROOT = pathlib.Path(__file__).parents[2]
# Their translations have the same code.
PAGES = [
    ROOT / "README.md",
    *(p for p in sorted((ROOT / "docs").glob("*.md")) if ".zh" not in p.name),
]
LAZY_PACKAGES = [
    "tfcourse",
    "tfcourse.graph_mode",
    "tfcourse.tuning",
    "tfcourse.tuning.panda",
]
# What a block may take from the text around it, in the order of need.
GIVEN = {
    "tfcourse": "import tfcourse",
    "keras": "import keras",
    "keras_tuner": "import keras_tuner",
    "tuning": "from tfcourse import tuning",
    "build": "def build(hp: keras_tuner.HyperParameters) -> keras.Model: ...",
    "model": "model = keras.Model()",
    "tuner": "tuner = tuning.Caviar(build)",
    **{
        name: f"import numpy\n{name} = numpy.zeros((8, 64))"
        for name in (
            *("x", "y", "x_train", "y_train", "x_dev", "y_dev"),
            *("x_test", "y_test"),
            *("words", "ages"),
        )
    },
}


def blocks(page):
    """Returns the blocks of Python in a page, those with prompts left out."""
    text = page.read_text(encoding="utf-8")
    found = re.findall(r"^```python\n(.*?)^```", text, re.M | re.S)
    return [block for block in found if not block.startswith(">>>")]


def with_what_is_given(block):
    """Returns a block with lines above it for the names that it takes."""
    return "\n".join([*_given(ast.parse(block)), block])


def _given(tree):
    """Returns the lines that make the names which a module does not bind."""
    names = [node for node in ast.walk(tree) if isinstance(node, ast.Name)]
    bound = {n.id for n in names if isinstance(n.ctx, ast.Store)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Import | ast.ImportFrom):
            bound |= {a.asname or a.name.split(".")[0] for a in node.names}
        elif isinstance(node, ast.FunctionDef):
            bound |= {node.name, *(arg.arg for arg in node.args.args)}
    free = {n.id for n in names} - bound - set(dir(builtins))
    lines = []
    for name in sorted(free, key=list(GIVEN).index):
        line = GIVEN[name]
        lines += [*_given(ast.parse(line)), line]
    return list(dict.fromkeys(lines))


def errors_of_pyright(folder):
    """Returns what pyright finds in the files of a folder."""
    settings = {
        "typeCheckingMode": "basic",
        "extraPaths": [str(ROOT)],
        # A last line that shows a value.
        "reportUnusedExpression": False,
    }
    (folder / "pyrightconfig.json").write_text(json.dumps(settings))
    command = [sys.executable, "-m", "pyright", "--outputjson"]
    done = subprocess.run(
        [*command, "--pythonpath", sys.executable, "--project", folder],
        capture_output=True,
        text=True,
    )
    report = json.loads(done.stdout)
    return [
        f"{pathlib.Path(found['file']).name}:"
        f"{found['range']['start']['line'] + 1}: {found['message']}"
        for found in report["generalDiagnostics"]
        if found["severity"] == "error"
    ]


@pytest.mark.slow
def test_code_of_the_documents_has_no_type_errors(tmp_path):
    count = 0
    for page in PAGES:
        for n, block in enumerate(blocks(page)):
            name = f"{page.stem.replace('-', '_')}_{n}.py"
            (tmp_path / name).write_text(with_what_is_given(block), "utf-8")
            count += 1

    assert count > 15
    assert errors_of_pyright(tmp_path) == []


@pytest.mark.slow
def test_an_editor_knows_the_names_of_lazy_packages_and_only_those(tmp_path):
    for package in LAZY_PACKAGES:
        names = importlib.import_module(package).__all__
        code = "".join(f"print({package}.{name})\n" for name in names)
        path = tmp_path / f"{package.replace('.', '_')}_names.py"
        path.write_text(f"import {package}\n{code}")
    wrong = "from tfcourse import tuning\ntuning.Caviare\ntuning.CaviarTuner\n"
    (tmp_path / "wrong.py").write_text(wrong)

    found = errors_of_pyright(tmp_path)
    assert [line[:11] for line in found] == ["wrong.py:2:", "wrong.py:3:"]
