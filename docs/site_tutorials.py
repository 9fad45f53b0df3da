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
import json
import logging
import os
import re
import subprocess
import tempfile
import time
from pathlib import Path

_ROOT = Path(__file__).parents[1]
_CACHE = _ROOT / ".cache" / "tutorials"
_log = logging.getLogger("mkdocs.hooks.tutorials")

_spec = importlib.util.spec_from_file_location(
    "as_notebook", _ROOT / "tutorials" / "as_notebook.py"
)
assert _spec
assert _spec.loader
as_notebook = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(as_notebook)

SETUP = {
    "en": "First cell: style of the plots, and what some tutorials share",
    "zh": "第一个单元格：绘图样式，以及几篇教程共用的代码",
}
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
        run = functools.partial(_run, quick=how == "quick")
        found = list(pool.map(run, scripts()))
    return {p.stem: each for p, each in zip(scripts(), found, strict=True)}


def _run(path, quick):
    """Returns a script as a notebook with its output."""
    notebook = as_notebook.notebook(path, quick)
    version = (_ROOT / "tfcourse" / "__init__.py").read_text(encoding="utf-8")
    key = hashlib.sha256((json.dumps(notebook) + version).encode()).hexdigest()
    kept = _CACHE / f"{path.stem}-{key[:16]}.ipynb"
    if not kept.exists():
        began = time.perf_counter()
        notebook = _with_output(notebook)
        _log.info("%s: %.0f s", path.name, time.perf_counter() - began)
        _CACHE.mkdir(parents=True, exist_ok=True)
        part = kept.with_suffix(f".{os.getpid()}")
        part.write_text(json.dumps(notebook), encoding="utf-8")
        part.replace(kept)
    return json.loads(kept.read_text(encoding="utf-8"))


def _with_output(notebook):
    # Only for building the site; `TUTORIALS=none` does without.
    import nbclient
    import nbformat

    with tempfile.TemporaryDirectory() as empty:
        node = nbformat.reads(json.dumps(notebook), as_version=4)
        client = nbclient.NotebookClient(
            node, timeout=600, resources={"metadata": {"path": empty}}
        )
        return json.loads(
            nbformat.writes(client.execute(stderr=subprocess.DEVNULL))
        )


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
    parts, pictures = [], {}
    alt = iter(_plots(path))
    setup = True
    for cell in notebook["cells"]:
        source = "".join(cell["source"])
        if cell["cell_type"] == "markdown":
            parts.append(next(texts, source))
            if len(parts) == 1:
                parts.append(HEAD[language].format(name=path.stem))
        else:
            block = f"```python\n{_shown(source)}\n```"
            if setup:
                block = f'??? note "{SETUP[language]}"\n{_indented(block)}'
            setup = False
            parts.append(block)
            parts += _outputs(cell["outputs"], path.stem, alt, pictures)
    return "\n\n".join(parts) + "\n", pictures


def translated(path, language):
    """Returns the cells of prose of a script in another language, or None."""
    there = path.parent / language / f"{path.stem}.md"
    if not there.exists():
        return None
    text = there.read_text(encoding="utf-8")
    return [part.strip() for part in text.split("\n<!-- code -->\n")]


def _shown(source):
    """Returns code without the magic that only notebooks know."""
    return re.sub(r"^%.*\n", "", source, flags=re.M)


def _outputs(outputs, name, alt, pictures):
    """Yields the Markdown of a cell's outputs, and adds its pictures."""
    for text, picture in _joined(outputs):
        if picture:
            file = f"{name}-{len(pictures) + 1}.png"
            pictures[file] = base64.b64decode(picture)
            yield f"![{next(alt, name)}](images/{file}){{ .plot }}"
        elif text.strip():
            yield f"```{{ .text .output .no-copy }}\n{text.rstrip()}\n```"


def _joined(outputs):
    """Yields `(text, picture)`, what is printed in a row as one."""
    text = ""
    for output in outputs:
        data = output.get("data", {})
        if output["output_type"] == "stream" and output["name"] == "stdout":
            text += "".join(output["text"])
        elif "image/png" in data:
            yield text, None
            yield "", "".join(data["image/png"])
            text = ""
        elif "text/plain" in data:
            text += "".join(data["text/plain"]) + "\n"
    yield text, None


def _plots(path):
    """Returns what the plots of a script are called, in order."""
    saved = re.findall(
        r'common\.save\(\w+, "\d+_(\w+)"\)', path.read_text(encoding="utf-8")
    )
    return [f"Plot: {name.replace('_', ' ')}" for name in saved]


def _indented(block):
    return "\n".join(f"    {line}".rstrip() for line in block.splitlines())
