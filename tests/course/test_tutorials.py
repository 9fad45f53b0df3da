"""The tutorials as notebooks and pages: do they stand by themselves?"""

import ast
import builtins
import importlib.util
import json
import pathlib
import re
import runpy
import sys
import types

import matplotlib.pyplot as plt
import pytest
from matplotlib.text import Text

ROOT = pathlib.Path(__file__).parents[2]
SCRIPTS = sorted((ROOT / "tutorials").glob("[0-9]*.py"))
PAGES = sorted((ROOT / "docs").glob("*.md"))
MATH = re.compile(r"\$\$(.+?)\$\$|(?<![\\$])\$(?!\s)([^$]+?)(?<!\s)\$", re.S)


def module(path):
    """Returns a file beside the package as a module."""
    spec = importlib.util.spec_from_file_location(path.stem, path)
    found = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(found)
    return found


as_notebook = module(ROOT / "tutorials" / "as_notebook.py")


def code_of(notebook):
    """Returns the code of a notebook, without the magics."""
    code = "\n".join(
        "".join(cell["source"])
        for cell in notebook["cells"]
        if cell["cell_type"] == "code"
    )
    return re.sub(r"^%.*$", "", code, flags=re.M)


def unbound_names(code):
    """Returns the names that code uses and never binds."""
    nodes = list(ast.walk(ast.parse(code)))
    bound = {arg.arg for arg in nodes if isinstance(arg, ast.arg)}
    used = set()
    for node in nodes:
        if isinstance(node, ast.Name):
            kind = isinstance(node.ctx, ast.Load)
            (used if kind else bound).add(node.id)
        elif isinstance(
            node, ast.FunctionDef | ast.ClassDef | ast.ExceptHandler
        ):
            bound.add(node.name)
        elif isinstance(node, ast.Import | ast.ImportFrom):
            bound |= {a.asname or a.name.split(".")[0] for a in node.names}
    return used - bound - set(dir(builtins))


def test_there_are_tutorials():
    assert len(SCRIPTS) >= 19


@pytest.mark.parametrize("path", SCRIPTS, ids=lambda path: path.stem)
def test_a_notebook_needs_none_of_the_files_beside_it(path):
    beside = {each.stem for each in (ROOT / "tutorials").glob("*.py")}
    code = code_of(as_notebook.notebook(path))

    imported = set(re.findall(r"^(?:import|from) (\w+)", code, re.M))
    assert not imported & beside
    assert not unbound_names(code)
    assert len(re.findall(r"^plt\.show\(\)$", code, re.M)) == len(
        re.findall(r"^common\.save\(", path.read_text(encoding="utf-8"), re.M)
    )


@pytest.mark.parametrize("path", SCRIPTS, ids=lambda path: path.stem)
def test_a_plot_is_begun_and_shown_in_one_cell(path):
    # A notebook shows it, as far as it is, at the end of the cell.
    for _, text in as_notebook.cells(path):
        begun = text.count("plt.subplots(") + text.count("graph_picture.draw(")
        assert begun == text.count("common.save(figure, ")


def test_a_name_that_nothing_binds_is_found():
    code = "import numpy as np\nx = np.ones(size)\nprint(common.QUICK)"
    assert unbound_names(code) == {"size", "common"}


def test_a_variable_may_have_the_name_of_a_helper():
    (path,) = (each for each in SCRIPTS if each.stem.startswith("18_"))
    assert "import digits" not in path.read_text(encoding="utf-8")
    assert "x, y = digits.x / 16" in code_of(as_notebook.notebook(path))


def test_a_quick_notebook_says_so():
    code = {
        quick: code_of(as_notebook.notebook(SCRIPTS[6], quick))
        for quick in (True, False)
    }
    assert "QUICK = True" in code[True]
    assert "QUICK = False" in code[False]


@pytest.mark.parametrize("path", SCRIPTS, ids=lambda path: path.stem)
def test_formulas_of_a_tutorial_are_mathematics(path):
    for kind, text in as_notebook.cells(path):
        if kind == "markdown":
            assert not re.search(r"^    \S", text, re.M), (
                "a block of plain text"
            )
            require_mathml(text)


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.stem)
def test_formulas_of_a_page_are_mathematics(path):
    text = re.sub(
        r"^```.*?^```", "", path.read_text("utf-8"), flags=re.M | re.S
    )
    require_mathml(re.sub(r"`[^`]*`", "", text))


def require_mathml(text):
    """Fails where LaTeX would be shown as it is."""
    pytest.importorskip("latex2mathml")
    site_math = module(ROOT / "docs" / "site_math.py")

    for display, inline in MATH.findall(text):
        made = site_math.mathml(display or inline)
        assert "\\" not in made, display or inline


def test_a_formula_that_is_not_known_is_found():
    with pytest.raises(AssertionError, match="gibtsnicht"):
        require_mathml(r"so $\gibtsnicht x$")


@pytest.fixture
def site_tutorials():
    return module(ROOT / "docs" / "site_tutorials.py")


def test_a_page_shows_prose_code_and_what_came_of_it(
    site_tutorials, monkeypatch
):
    path = SCRIPTS[6]
    notebook = as_notebook.notebook(path)
    code = [c for c in notebook["cells"] if c["cell_type"] == "code"]
    printed = {"output_type": "stream", "name": "stdout", "text": ["day 1\n"]}
    noise = {"output_type": "stream", "name": "stderr", "text": ["no GPU\n"]}
    drawn = {"output_type": "display_data", "data": {"image/png": "UE5H"}}
    again = {**drawn, "data": {"image/png": "WkhP"}}
    again["metadata"] = {"language": "zh", "unknown": []}
    code[2]["outputs"] = [printed, noise, printed, drawn, again, printed]
    run = {path.stem: notebook}
    monkeypatch.setattr(site_tutorials, "executed", lambda: run)

    page, pictures = site_tutorials.pages(path)

    assert page.startswith("# 7. Exponentially weighted averages\n")
    assert "[notebook](07_weighted_averages.ipynb)" in page
    assert "day 1\nday 1\n```" in page
    assert "no GPU" not in page
    assert pictures == {"07_weighted_averages-1.png": b"PNG"}
    plot = "(images/07_weighted_averages-1.png){ .plot }\n\n```"
    assert f"![Plot: One update at a time]{plot}" in page
    assert "import common" not in page
    assert "%config" not in page

    texts = ["# 七", *["译文"] * 4]
    monkeypatch.setattr(site_tutorials, "translated", lambda *_: texts)
    page, pictures = site_tutorials.pages(path, "zh")
    assert page.startswith("# 七\n")
    assert pictures == {"07_weighted_averages-1.zh.png": b"ZHO"}
    assert f"![图：七]{plot}" in page
    assert "[笔记本](07_weighted_averages.ipynb)" in page
    assert "day 1\nday 1\n```" in page


@pytest.fixture
def labels():
    return module(ROOT / "tutorials" / "labels.py")


def test_each_label_of_a_plot_has_chinese_words(labels, monkeypatch):
    # The others are looked at while the site is built.
    found = {}

    def save(figure, name):
        found[name] = labels.translate(figure, "zh")
        said = [text.get_text() for text in figure.findobj(Text)]
        assert "气温（°F）" in said
        assert "β = 0.98，约 50 天" in said or "未修正，$v_t$" in said

    common = types.SimpleNamespace(QUICK=True, save=save)
    monkeypatch.setitem(sys.modules, "common", common)
    monkeypatch.setattr(labels, "font", lambda language: "DejaVu Sans")
    runpy.run_path(str(SCRIPTS[6]))

    assert found == {"07_beta": [], "07_bias_correction": []}


@pytest.mark.filterwarnings("ignore:Glyph .* missing")
def test_a_label_without_chinese_words_is_found(labels, monkeypatch):
    monkeypatch.setattr(labels, "font", lambda language: "DejaVu Sans")
    figure, axes = plt.subplots()
    axes.set(xlim=(0, 1), ylim=(0, 1))
    axes.set_yticks([0, 0.5, 1], ["malignant", "dW2 doubled", "unheard of"])
    axes.set(xlabel="Learning rate α", title="$x_{norm}$ = 1.5e-3 × 10")
    axes.text(0, 0, "2 of 30 wrong")

    unknown = labels.translate(figure, "zh")
    figure.canvas.draw()

    assert unknown == ["unheard of"]
    said = {text.get_text() for text in figure.findobj(Text)}
    assert {
        "恶性",
        "dW2 多乘了 2",
        "学习率 α",
        "30 个中错了 2 个",
        "unheard of",
    } <= said
    plt.close(figure)


@pytest.mark.slow
def test_a_notebook_runs_in_an_empty_folder(tmp_path):
    nbclient = pytest.importorskip("nbclient")
    nbformat = pytest.importorskip("nbformat")
    made = json.dumps(as_notebook.notebook(SCRIPTS[6], quick=True))
    node = nbformat.reads(made, as_version=4)

    nbclient.NotebookClient(
        node, resources={"metadata": {"path": str(tmp_path)}}
    ).execute()

    outputs = [out for cell in node.cells for out in cell.get("outputs", [])]
    assert any("image/png" in out.get("data", {}) for out in outputs)
    assert any("day  temperature" in out.get("text", "") for out in outputs)
    assert "tutorials" not in "".join(sys.path)
