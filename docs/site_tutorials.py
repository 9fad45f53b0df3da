"""The tutorials, run as notebooks, as pages with what they print and draw.

mkdocs-jupyter would show notebooks in the style of JupyterLab, with formulas by
a script from another server, one language and one process. Here they become
Markdown, and so pages like all others.

`TUTORIALS=quick` runs their quick form, `TUTORIALS=none` leaves the output out.
What was run is kept in `.cache/tutorials/`, a file a notebook and version.
"""

import base64
import concurrent.futures
import functools
import hashlib
import importlib.util
import itertools
import json
import logging
import os
import re
import subprocess
import tempfile
import time
from pathlib import Path

_ROOT = Path(__file__).parents[1]
_LABELS = "tutorials/zh/labels.json"
_CACHE = _ROOT / ".cache" / "tutorials"
_log = logging.getLogger("mkdocs.hooks.tutorials")


def _module(name):
    """Returns a file beside the tutorials as a module."""
    spec = importlib.util.spec_from_file_location(
        name, _ROOT / "tutorials" / f"{name}.py"
    )
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


as_notebook, labels = _module("as_notebook"), _module("labels")

# Before all others: each plot is shown a second time, with Chinese labels.
CHINESE_TOO = """\
import sys

sys.path.insert(0, {folder!r})
import labels

sys.path.remove({folder!r})
labels.show_in("zh")
"""

SETUP = {
    "en": "First cell: style of the plots, and what some tutorials share",
    "zh": "第一个单元格：绘图样式，以及几篇教程共用的代码",
}
PLOT = {"en": "Plot: ", "zh": "图："}
TAILS = {"en": "", "zh": ".zh"}
HEAD = {
    "en": "Download: [notebook]({name}.ipynb) · [script]({name}.py), "
    "`python tutorials/{name}.py`",
    "zh": "下载：[笔记本]({name}.ipynb) · [脚本]({name}.py)，"
    "`python tutorials/{name}.py`",
}


def scripts():
    """Returns the tutorials in their order."""
    return sorted((_ROOT / "tutorials").glob("[0-9]*.py"))


@functools.cache
def executed():
    """Runs the tutorials, two at a time; returns notebooks by name."""
    how = os.environ.get("TUTORIALS", "full")
    if how == "none":
        return {p.stem: as_notebook.notebook(p) for p in scripts()}
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        if not labels.font("zh"):
            _log.info("%s The plots keep their English labels.", labels.NO_FONT)
        run = functools.partial(_run, quick=how == "quick")
        found = list(pool.map(run, scripts()))
    return {p.stem: each for p, each in zip(scripts(), found, strict=True)}


def _run(path, quick):
    """Returns a script as a notebook with its output."""
    notebook = as_notebook.notebook(path, quick)
    named = ("tfcourse/__init__.py", "tutorials/labels.py", _LABELS)
    texts = [(_ROOT / name).read_text(encoding="utf-8") for name in named]
    texts += [json.dumps(notebook), str(labels.font("zh"))]
    key = hashlib.sha256("".join(texts).encode()).hexdigest()
    kept = _CACHE / f"{path.stem}-{key[:16]}.ipynb"
    if not kept.exists():
        began = time.perf_counter()
        notebook = _with_output(notebook)
        _log.info("%s: %.0f s", path.name, time.perf_counter() - began)
        _CACHE.mkdir(parents=True, exist_ok=True)
        part = kept.with_suffix(f".{os.getpid()}")
        part.write_text(json.dumps(notebook), encoding="utf-8")
        part.replace(kept)
    found = json.loads(kept.read_text(encoding="utf-8"))
    for text in _unknown(found):
        _log.warning("%s: %r is not in %s", path.name, text, _LABELS)
    return found


def _unknown(notebook):
    """Returns the texts of plots that have no words in another language."""
    cells = [c for c in notebook["cells"] if c["cell_type"] == "code"]
    outputs = [output for cell in cells for output in cell["outputs"]]
    found = [o.get("metadata", {}).get("unknown", []) for o in outputs]
    return sorted(set(itertools.chain(*found)))


def _with_output(notebook):
    # Only for building the site; `TUTORIALS=none` does without.
    import nbclient
    import nbformat

    with tempfile.TemporaryDirectory() as empty:
        node = nbformat.reads(json.dumps(notebook), as_version=4)
        if labels.font("zh"):
            code = CHINESE_TOO.format(folder=str(_ROOT / "tutorials"))
            node.cells.insert(0, nbformat.v4.new_code_cell(code))
        client = nbclient.NotebookClient(
            node, timeout=600, resources={"metadata": {"path": empty}}
        )
        client.execute(stderr=subprocess.DEVNULL)
        node.cells = node.cells[-len(notebook["cells"]) :]
        return json.loads(nbformat.writes(node))


def pages(path, language="en"):
    """Returns the page of a tutorial and its pictures.

    Args:
        path: The script.
        language: `"en"`, or that of `tutorials/zh/`, whose texts stand in for
            the script's.

    Returns:
        Markdown, or `None` if the tutorial is not there in this language, and
        a dict from the names of pictures to their bytes.
    """
    notebook = executed()[path.stem]
    texts = iter([])
    if language != "en":
        found = translated(path, language)
        if found is None:
            return None, {}
        texts = iter(found)
    page = _Page(path.stem, language)
    for cell in notebook["cells"]:
        source = "".join(cell["source"])
        if cell["cell_type"] == "markdown":
            page.add_prose(next(texts, source))
        else:
            page.add_code(source)
            for shown in _outputs(cell["outputs"]):
                page.add_output(shown)
    return "\n\n".join(page.parts) + "\n", page.pictures


class _Page:
    """A page that grows cell by cell.

    Attributes:
        parts: Its paragraphs of Markdown.
        pictures: The plots in its language, a dict from names to bytes.
    """

    def __init__(self, name, language):
        self.parts, self.pictures = [], {}
        self._name, self._language = name, language
        self._heading, self._setup = "", True
        self._numbers = itertools.count(1)

    def add_prose(self, text):
        headings = re.findall(r"^#+ (?:\d+\. )?(.*)$", text, re.M)
        self._heading = headings[-1] if headings else self._heading
        self.parts.append(text)
        if len(self.parts) == 1:
            self.parts.append(HEAD[self._language].format(name=self._name))

    def add_code(self, source):
        # Without the magic that only notebooks know.
        source = re.sub(r"^%.*\n", "", source, flags=re.M)
        block = f"```python\n{source}\n```"
        if self._setup:
            title = SETUP[self._language]
            block = f'??? note "{title}"\n{_indented(block)}'
        self._setup = False
        self.parts.append(block)

    def add_output(self, shown):
        """Adds a text, or a plot as a dict from languages to base 64.

        The link is the same in all languages: the site puts a file `.zh.png`
        in the place of the one without.
        """
        if isinstance(shown, str):
            block = f"```{{ .text .output .no-copy }}\n{shown}\n```"
            self.parts.append(block)
            return
        plot = f"{self._name}-{next(self._numbers)}"
        title = f"{PLOT[self._language]}{self._heading}"
        self.parts.append(f"![{title}](images/{plot}.png){{ .plot }}")
        if self._language in shown:
            file = f"{plot}{TAILS[self._language]}.png"
            self.pictures[file] = base64.b64decode(shown[self._language])


def translated(path, language):
    """Returns the cells of prose of a script in another language, or None."""
    there = path.parent / language / f"{path.stem}.md"
    if not there.exists():
        return None
    text = there.read_text(encoding="utf-8")
    return [part.strip() for part in text.split("\n<!-- code -->\n")]


def _outputs(outputs):
    """Returns texts, and plots as dicts from languages to PNG in base 64.

    What is printed in a row is one text.
    """
    found = []
    for output in outputs:
        data = output.get("data", {})
        if "image/png" in data:
            language = output.get("metadata", {}).get("language", "en")
            if language == "en":
                found.append({})
            found[-1][language] = "".join(data["image/png"])
            continue
        text = "".join(data.get("text/plain", [])).rstrip()
        if output["output_type"] == "stream" and output["name"] == "stdout":
            text = "".join(output["text"]).rstrip()
        if found and isinstance(found[-1], str):
            text = f"{found.pop()}\n{text}".rstrip()
        if text:
            found.append(text)
    return found


def _indented(block):
    return "\n".join(f"    {line}".rstrip() for line in block.splitlines())
