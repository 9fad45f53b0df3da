"""The words of the plots in another language, after they have been drawn.

The tutorials write English. `zh/labels.json` has a line for each of their
labels, where `{}` stands for a number:

    python tutorials/07_weighted_averages.py --language zh
"""

import importlib.util
import json
import re
from pathlib import Path

import matplotlib.pyplot as plt
from matplotlib import font_manager
from matplotlib.text import Text

HERE = Path(__file__).parent
FONTS = {
    "zh": (
        "Noto Sans SC",
        "Noto Sans CJK SC",
        # The first of the five in one file, all that matplotlib reads of it.
        "Noto Sans CJK JP",
        "Source Han Sans SC",
        "PingFang SC",
        "Microsoft YaHei",
        "WenQuanYi Micro Hei",
        "SimHei",
    )
}
NO_FONT = (
    "No font with Chinese characters was found. Install one: "
    "python -m pip install pylopdf-fonts-zh-cn"
)
_NUMBER = r"(-?[\d.,]*\d(?:e[-+]\d+)?)"
# Two letters in a row, apart from formulas: a text that may need other words.
_WORD = re.compile(r"[A-Za-z]{2}")


def translate(figure, language):
    """Puts the texts of a figure into another language.

    Args:
        figure: The figure, drawn.
        language: A folder beside this file with a `labels.json`, as `"zh"`.

    Returns:
        The texts that have no words in it, and stay as they are.
    """
    say = _Labels(language)
    family = font(language)
    for axes in figure.axes:
        for axis in (axes.xaxis, axes.yaxis):
            ours = [text.get_text() for text in axis.get_majorticklabels()]
            theirs = [say(text) for text in ours]
            if theirs != ours:  # They are written anew whenever it is drawn.
                axis.set_ticks(axis.get_majorticklocs(), theirs)
    for text in figure.findobj(Text):
        text.set_text(say(text.get_text()))
        names = [*text.get_fontfamily(), family]
        # A formula takes the first, other texts each glyph where it is.
        text.set_fontfamily(names[::-1] if "$" in text.get_text() else names)
    return sorted(say.unknown)


def font(language):
    """Returns the name of a font with the characters of a language, or None.

    It is that of the package `pylopdf-fonts-zh-cn`, which holds nothing else,
    or one of this machine.
    """
    package = importlib.util.find_spec("pylopdf_fonts_zh_cn")
    if package and package.origin:
        there = Path(package.origin).with_name("NotoSansSC-Regular.otf")
        font_manager.fontManager.addfont(there)
    known = set(font_manager.get_font_names())
    return next((name for name in FONTS[language] if name in known), None)


def show_in(language):
    """Lets a notebook's `plt.show` show each plot once more in a language.

    The second is marked by `language` and `unknown` in its metadata.
    """
    from IPython.display import display

    def show():
        for figure in map(plt.figure, plt.get_fignums()):
            display(figure)
            unknown = translate(figure, language)
            display(figure, metadata={"language": language, "unknown": unknown})
        plt.close("all")

    plt.show = show


class _Labels:
    """The labels of a language, called with an English one."""

    def __init__(self, language):
        there = HERE / language / "labels.json"
        table = json.loads(there.read_text(encoding="utf-8"))
        self._table = {
            _NUMBER.join(map(re.escape, ours.split("{}"))): theirs
            for ours, theirs in table.items()
        }
        self.unknown, self._said = set(), set()

    def __call__(self, text):
        if text in self._said:  # A tick's, whose axis has been asked before.
            return text
        for pattern, theirs in self._table.items():
            if found := re.fullmatch(pattern, text):
                self._said.add(said := _filled(theirs, found.groups()))
                return said
        if _WORD.search(re.sub(r"\$.*?\$", "", text)):
            self.unknown.add(text)
        return text


def _filled(text, numbers):
    """Returns a text with its numbers: `{}` takes the next, `{1}` the second.

    `str.format` would take the braces of formulas, too.
    """
    following = iter(numbers)
    return re.sub(
        r"\{(\d?)\}",
        lambda m: numbers[int(m[1])] if m[1] else next(following),
        text,
    )
