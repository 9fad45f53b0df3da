"""The tree tells the architecture: layers, no cycles, folders of one idea."""

import ast
import collections
import graphlib
import pathlib
import re
import subprocess
import sys

import grimp
import pytest

ROOT = pathlib.Path(__file__).parents[1]
PACKAGE = ROOT / "tfcourse"
MODULES = sorted(PACKAGE.rglob("*.py"))
MOST_MODULES = 12
# One module a stand-in, and one a patch: their number is TensorFlow 1's.
MANY_OF_A_KIND = {
    PACKAGE / "tf1_runner/shims/contrib",
    PACKAGE / "tf1_runner/patches",
}
# What other libraries do not promise is named in one place for each of them.
PRIVATE_NAMES = {
    r"\bkeras\.src\b": PACKAGE / "utils/keras_private",
    r"\bkeras_tuner\.(engine|src)\b": PACKAGE / "tuning/_keras_tuner.py",
    r"\btensorflow\.(python|core)\b": PACKAGE / "utils/tensorflow_private.py",
}


# Named for the one rule that is in each, which has that word in its name.
ONE_WORD = {"tfcourse/schedules/inverse*"}


# What is shared, and what holds for many modules at once.
OF_NO_MODULE = [("helpers",), ("course",), ("contract",)]


def folders(top):
    found = collections.defaultdict(list)
    for path in sorted((ROOT / top).rglob("*.py")):
        if path.stem != "__init__":
            found[path.parent].append(path)
    return found


def relative(path):
    return str(path.relative_to(ROOT))


def test_imports_point_down():
    linter = pathlib.Path(sys.executable).with_name("lint-imports")
    done = subprocess.run(
        [linter, "--no-cache"], cwd=ROOT, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stdout


def test_no_module_imports_itself_by_others():
    graph = grimp.build_graph("tfcourse", cache_dir=None)
    imports = {
        m: graph.find_modules_directly_imported_by(m) for m in graph.modules
    }
    graphlib.TopologicalSorter(imports).prepare()


@pytest.mark.parametrize("top", ["tfcourse", "tests"])
def test_folders_are_small(top):
    large = {
        relative(folder): len(paths)
        for folder, paths in folders(top).items()
        if len(paths) > MOST_MODULES and folder not in MANY_OF_A_KIND
    }
    assert not large


@pytest.mark.parametrize("top", ["tfcourse", "tests"])
def test_no_prefix_stands_for_a_folder(top):
    shared = {}
    for folder, paths in folders(top).items():
        stems = [path.stem.removeprefix("test").strip("_") for path in paths]
        # `keras_1` and `keras_2` are two: a number tells them apart.
        firsts = collections.Counter(
            re.match(r"[^_]+(_\d+)?", stem)[0] for stem in stems
        )
        shared |= {
            f"{relative(folder)}/{first}*": number
            for first, number in firsts.items()
            if number > 1 and f"{relative(folder)}/{first}*" not in ONE_WORD
        }
    assert not shared


def test_tests_lie_where_their_modules_do():
    strays = []
    for folder in folders("tests"):
        inside = folder.relative_to(ROOT / "tests")
        own = inside.parts[:1] in [(), *OF_NO_MODULE]
        if not own and not (PACKAGE / inside).is_dir():
            strays.append(str(inside))
    assert not strays


@pytest.mark.parametrize("path", MODULES, ids=relative)
def test_private_names_stay_at_home(path):
    """None of another module's, and of other libraries' only in one place."""
    source = path.read_text(encoding="utf-8")
    borrowed = [
        f"{node.module}.{alias.name}"
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.ImportFrom)
        and (node.module or "").startswith("tfcourse")
        for alias in node.names
        if re.match(r"_[^_]", alias.name) and alias.name != "_keras_tuner"
    ]
    assert not borrowed

    # What the runner of old scripts is for is to change TensorFlow's insides.
    if PACKAGE / "tf1_runner" not in path.parents:
        for pattern, home in PRIVATE_NAMES.items():
            if home not in (path, *path.parents):
                assert not re.search(pattern, source)
