"""The tutorials as pages, and formulas as MathML, when the site is built."""

import html
import re
from pathlib import Path

from latex2mathml.converter import convert
from mkdocs.structure.files import File

_ROOT = Path(__file__).parents[1]
_TUTORIALS = _ROOT / "tutorials"
_MATH = re.compile(
    r'<(span|div) class="arithmatex">\s*\\[(\[](.*?)\\[)\]]\s*</\1>', re.S
)


def on_config(config):
    """Names a page for each tutorial in the navigation."""
    for section in config.nav:
        if "Tutorials" in section:
            section["Tutorials"] += [
                f"tutorials/{path.stem}.md" for path in _scripts()
            ]


def on_files(files, config):
    """Adds the tutorials, what plots of theirs there are, and SECURITY.md."""

    def add(name, **content):
        files.append(File.generated(config, f"tutorials/{name}", **content))

    plots = sorted((_TUTORIALS / "output").glob("*.png"))
    for path in plots:
        add(f"output/{path.name}", abs_src_path=str(path))
    drawn = {path.stem for path in plots}
    for path in _scripts():
        add(f"{path.stem}.md", content=as_markdown(path, drawn))
    security = (_ROOT / "SECURITY.md").read_text(encoding="utf-8")
    security = security.replace("(docs/", "(")
    files.append(File.generated(config, "security.md", content=security))
    readme = (_TUTORIALS / "README.md").read_text(encoding="utf-8")
    readme = readme.replace(".py)", ".md)").replace("../docs/", "../")
    add("index.md", content=readme)
    return files


def on_page_content(content, **_):
    """Turns LaTeX into MathML, which browsers show without a script."""
    return _MATH.sub(_mathml, content)


def as_markdown(path, drawn):
    """Returns a script of percent cells as Markdown.

    Args:
        path: The script.
        drawn: Names of the plots that there are.
    """
    parts = []
    for cell in re.split(
        r"^# %%", path.read_text(encoding="utf-8"), flags=re.M
    ):
        kind, _, body = cell.partition("\n")
        if "[markdown]" in kind:
            parts.append(re.sub(r"^# ?", "", body, flags=re.M).strip())
        elif body.strip():
            parts.append(f"```python\n{body.strip()}\n```")
            parts += [
                f"![{name}](output/{name}.png)"
                for name in re.findall(r'common\.save\(\w+, "(\w+)"\)', body)
                if name in drawn
            ]
    parts.insert(1, f"`python tutorials/{path.name}`")
    return "\n\n".join(parts)


def _scripts():
    return sorted(_TUTORIALS.glob("[0-9]*.py"))


def _mathml(match):
    latex = html.unescape(match[2]).replace(":=", r"\coloneqq ")
    # Letter by letter otherwise, with gaps.
    latex = latex.replace(r"\mathrm", r"\text")
    display = "block" if match[1] == "div" else "inline"
    return convert(latex, display=display)
