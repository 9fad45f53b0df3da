"""The documents: do the tests, names and files exist that they name?"""

import doctest
import importlib
import pathlib
import re

import pytest

ROOT = pathlib.Path(__file__).parents[2]
FORMULAS = (ROOT / "docs" / "course-to-keras.md").read_text(encoding="utf-8")
IDEAS = re.split(r"^### ", FORMULAS, flags=re.MULTILINE)[1:]
PAGES = [
    ROOT / "README.md",
    *sorted((ROOT / "docs").glob("*.md")),
    *sorted((ROOT / "docs" / "api").glob("*.md")),
]
DOTTED = re.compile(r"\btfcourse(?:\.[A-Za-z]\w*)+")
IMPORT = re.compile(
    r"^from (tfcourse[\w.]*) import (?:\(([^)]*)\)|(.*))$", re.MULTILINE
)


@pytest.mark.parametrize("idea", IDEAS, ids=lambda idea: idea.split("\n")[0])
def test_every_idea_has_an_example_links_and_tests_that_exist(idea):
    assert idea.count("<div markdown>\n**") == 3
    assert "```pycon\n>>> " in idea
    assert re.search(r"\]\(tutorials/\d\d_\w+\.md\)", idea)
    # Of an older section, a heading may follow.
    proof = idea.partition("proved")[2].partition("\n\n")[0]
    named = re.findall(r"`(tests/[\w/]+\.py)?::(\w+)`", proof)
    assert named

    file = None
    for path, name in named:
        file = path or file
        source = (ROOT / file).read_text(encoding="utf-8")
        assert f"def {name}(" in source, f"{file} has no {name}"


def test_the_examples_of_the_formulas_show_what_they_give():
    assert len(IDEAS) >= 29
    blocks = re.findall(r"^```pycon\n(.*?)^```", FORMULAS, re.M | re.S)
    examples = doctest.DocTestParser().get_doctest(
        "\n".join(blocks), {}, "course-to-keras.md", None, None
    )
    runner = doctest.DocTestRunner(verbose=False)
    said = []
    runner.run(examples, out=said.append)
    assert runner.summarize(verbose=False).failed == 0, "".join(said)


def page_name(page):
    return str(page.relative_to(ROOT))


def names_in(text):
    """Returns the full names of what a page takes from tfcourse."""
    found = set(DOTTED.findall(text))
    for module, wrapped, plain in IMPORT.findall(text):
        names = re.findall(r"\w+", wrapped or plain)
        found.update(f"{module}.{name}" for name in names)
    return sorted(found)


def require_public(path):
    """Fails unless every part of a name is in the `__all__` before it."""
    first, *rest = path.split(".")
    value = importlib.import_module(first)
    for name in rest:
        public = getattr(value, "__all__", None)
        assert public is None or name in public, f"{path}: {name} is private"
        assert not name.startswith("_"), path
        value = getattr(value, name)


@pytest.mark.parametrize("page", PAGES, ids=page_name)
def test_every_name_in_the_documents_is_public(page):
    for path in names_in(page.read_text(encoding="utf-8")):
        require_public(path)


@pytest.mark.parametrize(
    "path",
    ["tfcourse.tuning.caviar", "tfcourse.tuning.panda.Guard", "tfcourse.utils"],
)
def test_names_of_modules_inside_are_not_public(path):
    with pytest.raises(AssertionError, match="is private"):
        require_public(path)


@pytest.mark.parametrize("page", ["ARCHITECTURE.md", "CONTRIBUTING.md"])
def test_the_map_names_files_and_calls_that_exist(page):
    text = (ROOT / page).read_text(encoding="utf-8")
    files = [*ROOT.glob("t*/**/*.py"), *ROOT.glob("t*/**/*.pyi")]
    for name in re.findall(r"`([\w/]+\.pyi?)`", text):
        assert any(f"/{path}".endswith(f"/{name}") for path in files), name

    sources = "\n".join(path.read_text(encoding="utf-8") for path in files)
    # A call stands behind the file that has it.
    for name in re.findall(r"\.py`\s+`([\w.]+)[`(]", text):
        for part in name.split("."):
            assert re.search(rf"^\s*(def|class) {part}\b", sources, re.M), name


def test_names_are_found_in_prose_and_in_imports():
    text = (
        "See `tfcourse.layers.Hardmax`.\nfrom tfcourse.tuning import (\n a,\n)"
    )
    assert names_in(text) == [
        "tfcourse.layers.Hardmax",
        "tfcourse.tuning",
        "tfcourse.tuning.a",
    ]


@pytest.mark.parametrize("page", PAGES, ids=page_name)
def test_every_entry_of_the_api_is_made_from_a_docstring(page):
    for path in re.findall(r"^::: (\S+)", page.read_text("utf-8"), re.M):
        module, _, name = path.rpartition(".")
        assert getattr(importlib.import_module(module), name).__doc__, path
