"""The tutorials as pages, and formulas as MathML, when the site is built."""

import json
import sys
from pathlib import Path

from mkdocs.structure.files import File

sys.path.insert(0, str(Path(__file__).parent))
import site_math
import site_plots
import site_tutorials

_ROOT = Path(__file__).parents[1]
_TUTORIALS = _ROOT / "tutorials"


def on_config(config):
    """Names a page for each tutorial in the navigation."""
    for section in config.nav:
        if "Tutorials" in section:
            section["Tutorials"] += [
                f"tutorials/{path.stem}.md" for path in site_tutorials.scripts()
            ]


def on_files(files, config):
    """Adds the tutorials with their output, plots and SECURITY.md."""

    def add(name, content):
        files.append(File.generated(config, name, content=content))

    for path in site_tutorials.scripts():
        page, pictures = site_tutorials.pages(path)
        add(f"tutorials/{path.stem}.md", page)
        notebook = site_tutorials.as_notebook.notebook(path)
        add(f"tutorials/{path.stem}.ipynb", json.dumps(notebook, indent=1))
        add(f"tutorials/{path.name}", path.read_text(encoding="utf-8"))
        for name, picture in pictures.items():
            add(f"tutorials/images/{name}", picture)
    for plot in site_plots.PLOTS:
        add(f"plots/{plot.__name__}.svg", site_plots.svg(plot))
    security = (_ROOT / "SECURITY.md").read_text(encoding="utf-8")
    security = security.replace("(docs/", "(")
    add("security.md", security)
    readme = (_TUTORIALS / "README.md").read_text(encoding="utf-8")
    readme = readme.replace(".py)", ".md)").replace("../docs/", "../")
    add("tutorials/index.md", readme)
    return files


def on_page_content(content, **_):
    """Turns LaTeX into MathML, which browsers show without a script."""
    return site_math.with_mathml(content)
