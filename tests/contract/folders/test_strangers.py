"""Folders that strangers have written: nothing acts, nothing is a traceback."""

import pathlib
import random

import pytest
from damaged.attacks import acts_in_a_page, acts_on_a_terminal, attacked
from damaged.changes import copied
from damaged.commands import call

FILES = {
    "search": (
        "run.json",
        "evaluation.json",
        "search/oracle.json",
        "search/groups.json",
        "search/trial_0/trial.json",
        "search/trial_0/history.json",
        "model/assets.extra/tfcourse.json",
    ),
    "training": (
        "run.json",
        "evaluation.json",
        "panda/panda.json",
        "panda/journal.jsonl",
    ),
}
COMMANDS = {
    "search": (
        ["best", "{0}"],
        ["best", "{0}", "--json"],
        ["trials", "{0}"],
        ["trials", "{0}", "--csv"],
        ["compare", "{0}", "{1}"],
        ["report", "{0}"],
        ["inspect", "{0}/model"],
    ),
    "training": (
        ["panda", "status", "{0}"],
        ["panda", "plot", "{0}"],
        ["panda", "set", "{0}", "learning_rate=0.1"],
    ),
}


@pytest.mark.parametrize(
    "seed, number",
    [
        (0, 25),
        *(pytest.param(n, 100, marks=pytest.mark.slow) for n in (1, 2, 3)),
    ],
)
def test_nothing_of_a_stranger_acts(whole, tmp_path, seed, number):
    rng = random.Random(seed)
    for _ in range(number):
        kind = rng.choice([*FILES])
        folder = copied(whole / kind, tmp_path / "theirs")
        path = folder / rng.choice(FILES[kind])
        lines = path.suffix == ".jsonl"
        path.write_text(attacked(path.read_text(), rng, lines=lines))
        words = rng.choice(COMMANDS[kind])

        code, out, err = call(*(w.format(folder, whole / kind) for w in words))

        told = f"{words} {path}: {code}\n{path.read_text()[:3000]}\n{err}"
        assert code in (0, 2), told
        assert "Traceback" not in err, told
        assert not acts_on_a_terminal(out + err), told
        assert code == 0 or "Error: " in err.splitlines()[-1], told
        for page in pathlib.Path(folder).rglob("*.html"):
            assert not acts_in_a_page(page.read_text()), told


def test_what_acts_would_be_seen():
    assert acts_in_a_page("a <script>alert(1)</script>")
    assert acts_on_a_terminal("a\x1b[2J")
    assert not acts_on_a_terminal("größe\t1\n")
