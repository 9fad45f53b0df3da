"""LaTeX as MathML, which browsers show without a script."""

import html
import re

from latex2mathml.converter import convert

_MARKED = re.compile(
    r'<(span|div) class="arithmatex">\s*\\[(\[](.*?)\\[)\]]\s*</\1>', re.S
)


def mathml(latex, display="inline"):
    """Returns a formula as MathML."""
    latex = latex.replace(":=", r"\coloneqq ")
    # Letter by letter otherwise, with gaps.
    latex = latex.replace(r"\mathrm", r"\text")
    # What LaTeX escapes within words is left as it is.
    return convert(latex, display=display).replace(r"\_", "_")


def with_mathml(page):
    """Returns HTML with the formulas that Markdown has marked as MathML."""

    def formula(match):
        display = "block" if match[1] == "div" else "inline"
        return mathml(html.unescape(match[2]), display)

    return _MARKED.sub(formula, page)
