"""Phrases at which a native reader of English stumbles: do they come back?"""

import pathlib
import re

import pytest

ROOT = pathlib.Path(__file__).parents[2]
TEXTS = [
    *sorted(ROOT.glob("tfcourse/**/*.py")),
    *(p for p in sorted(ROOT.glob("docs/*.md")) if ".zh" not in p.name),
    ROOT / "README.md",
]
STUMBLES = (
    r"[Tt]ake it away",
    r"[Bb]ring (it|them) back",
    r"[Mm]end it",
    r"as often as you like",
    r"did not suffice",
    r"\b(it|path|which|file) is no (file|folder|list|number|text|JSON|search)",
    r"are no (probabilities|columns)\b",
    r"If (a number|one) is n(one|o number)",
    r"(line|row|order) an? (period|epoch|trial|example)",
    r"[Ii]ts units lies",
    r"a score is not another",
    r"are no features\b",
    r"(has|have) no heir",
    r"(it|that) was taken out",
    r"went round",
    r"[Ww]rite it anew",
    r"not come over",
    r"[Ww]hat is there for",
    r"a `?\w+`? after the other\.",
    r"of ours one in",
    r"wants a look",
    r"no such \w+ any more",
    r"not there any more",
)


@pytest.mark.parametrize("stumble", STUMBLES)
def test_no_text_makes_a_reader_stumble(stumble):
    pattern = re.compile(stumble.replace(" ", r"[\s\"']+"))
    found = [
        f"{path.relative_to(ROOT)}: {match.group()!r}"
        for path in TEXTS
        for match in pattern.finditer(path.read_text(encoding="utf-8"))
    ]
    assert not found
