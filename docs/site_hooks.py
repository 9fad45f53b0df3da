"""What the site is made of: the pages of `docs/`, and those that are generated.

The plugin for languages takes files from a folder only, so that all of them are
put into one, `.cache/site`, before it looks.
"""

import json
import re
import shutil
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
import site_math
import site_plots
import site_tutorials

_ROOT = Path(__file__).parents[1]
_STAGE = _ROOT / ".cache" / "site"
_CHINESE = "[\u3000-\u303f\u4e00-\u9fff\uff00-\uffef]"
# Lines of a list are indented; a mark such as 。 is wide enough by itself.
_BREAK = re.compile(
    rf"(?<={_CHINESE})\n *(?={_CHINESE})|(?<=[，。、；：！？（）])\n *(?=\S)"
)
_LANGUAGES = {"en": "", "zh": ".zh"}


def on_config(config):
    """Puts all files together, and names the tutorials in the navigation."""
    _write(_STAGE, {**_written(), **_generated()})
    config.docs_dir = str(_STAGE)
    for section in config.nav:
        if "Tutorials" in section:
            section["Tutorials"] = ["tutorials/index.md"] + [
                f"tutorials/{path.stem}.md" for path in site_tutorials.scripts()
            ]


def on_page_content(content, **_):
    """Turns LaTeX into MathML, which browsers show without a script."""
    return _joined(site_math.with_mathml(content))


def on_post_page(output, page, **_):
    """Lets the two home pages link to each other wherever the site lies.

    The plugin gives these links alone from the root of a server.
    """
    here = page.url.strip("./")
    if here not in ("", "zh"):
        return output
    root = "../" if here else "./"
    return re.sub(r'href="/(zh/)?"', rf'href="{root}\1"', output)


def _joined(page):
    """Returns a page without line breaks between Chinese characters.

    Browsers show them as blanks, which Chinese does not have.
    """
    parts = re.split(r"(<pre.*?</pre>)", page, flags=re.S)
    parts[::2] = [_BREAK.sub("", part) for part in parts[::2]]
    return "".join(parts)


def _written():
    """Returns the files of `docs/`, by their names on the site."""
    docs = _ROOT / "docs"
    return {
        path.relative_to(docs).as_posix(): path.read_bytes()
        for path in docs.rglob("*")
        if path.is_file()
        and "__pycache__" not in path.parts
        and not path.name.startswith("site_")
    }


def _generated():
    """Returns tutorials with their output, plots, and pages from elsewhere."""
    files = {}
    for path in site_tutorials.scripts():
        notebook = site_tutorials.as_notebook.notebook(path)
        files[f"tutorials/{path.stem}.ipynb"] = json.dumps(notebook, indent=1)
        files[f"tutorials/{path.name}"] = path.read_text(encoding="utf-8")
        for language, tail in _LANGUAGES.items():
            page, pictures = site_tutorials.pages(path, language)
            if page:
                files[f"tutorials/{path.stem}{tail}.md"] = page
            files |= {f"tutorials/images/{n}": p for n, p in pictures.items()}
    for plot in site_plots.PLOTS:
        for language, tail in _LANGUAGES.items():
            drawn = site_plots.svg(plot, chinese=language == "zh")
            files[f"plots/{plot.__name__}{tail}.svg"] = drawn
    security = (_ROOT / "SECURITY.md").read_text(encoding="utf-8")
    files["security.md"] = security.replace("(docs/", "(")
    for tail in _LANGUAGES.values():
        readme = _ROOT / "tutorials" / f"README{tail}.md"
        if readme.exists():
            text = readme.read_text(encoding="utf-8")
            text = text.replace(".py)", ".md)").replace("../docs/", "../")
            files[f"tutorials/index{tail}.md"] = text
    return {
        name: content if isinstance(content, bytes) else content.encode()
        for name, content in files.items()
    }


def _write(folder, files):
    """Makes a folder have these files, and touches none that has not changed.

    Else `mkdocs serve`, which watches it, would never come to rest.
    """
    for path in list(folder.rglob("*")):
        if path.is_file() and path.relative_to(folder).as_posix() not in files:
            path.unlink()
    for name, content in files.items():
        path = folder / name
        if not path.exists() or path.read_bytes() != content:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
    for path in sorted(folder.rglob("*"), reverse=True):
        if path.is_dir() and not any(path.iterdir()):
            shutil.rmtree(path)
