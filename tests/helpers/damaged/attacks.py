"""Files as a stranger may write them: text that acts, numbers that are none."""

import json
import re

from damaged.changes import changed, places

# What would act in a page, on a terminal or in a spreadsheet.
TEXTS = (
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "</script><script>alert(2)</script>",
    "\x1b[2J\x1b]0;own\x07",
    "\x9b31m",
    "\u202eevil",
    "[red]x[/red]",
    "[/x]",
    "=cmd|' /C calc'!A0",
    "a\nb\r\nc",
    "%s%n{}",
    "\ud800",
    "../../../etc/passwd",
    "x" * 100_000,
    "\0",
)
_ACTS = re.compile(r"<script>alert|<img src=x")
# Control characters but tab and line break, and what turns text around.
_CONTROLS = re.compile(
    r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]"
)


def attacked(text, rng, lines=False):
    """Returns JSON with up to three values that a stranger has changed.

    Args:
        text: As a program of ours wrote it.
        rng: A `random.Random`.
        lines: Whether each line is JSON; one of them is changed.
    """
    if lines:
        rows = text.splitlines()
        n = rng.randrange(len(rows))
        rows[n] = attacked(rows[n], rng)
        return "".join(f"{row}\n" for row in rows)
    content = json.loads(text)
    for _ in range(rng.choice([1, 1, 1, 2, 3])):
        place = rng.choice([*places(content)] or [()])
        if place:
            value = rng.choice(_instead_of(_at(content, place)))
            content = changed(content, place, value)
    return json.dumps(content)


def acts_in_a_page(text):
    """Whether a page has a program of a stranger's."""
    return _ACTS.search(text) is not None


def acts_on_a_terminal(text):
    """Whether text does more on a terminal than to be seen."""
    return _CONTROLS.search(text) is not None


def _at(content, place):
    for key in place:
        content = content[key]
    return content


def _instead_of(old):
    if isinstance(old, bool) or old is None:
        return TEXTS
    if isinstance(old, (int, float)):
        texts = str(old), "1e5", " 3 ", "0x10"
        return *TEXTS, *texts, [old], {"a": old}, -old, 2**63, -(2**70), 1e308
    if isinstance(old, str):
        return *TEXTS, 0, 3.5, [old], {old: old}, None, f"{old}\x1b[1m", ""
    if isinstance(old, list):
        return (
            *TEXTS,
            old * 2,
            old[::-1],
            old * 50,
            [None],
            dict(enumerate(old)),
        )
    more = {"\x1b[31mk": 1}, {"<script>alert(3)</script>": 0.5}, {"": ""}
    return *TEXTS, *({**old, **one} for one in more), [*old], {}
