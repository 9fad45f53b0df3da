"""The page of a population: its tree, its winner's schedule, its words."""

import html
import re

import browser as chromium
import numpy as np
import pytest
from run_folders import SPACE, make_run

from tfcourse.tuning.evolution.ancestry import FILE, Ancestry, Generation
from tfcourse.tuning.report.evolution.figures import (
    ancestry_of,
    evolution_figures,
)
from tfcourse.tuning.report.page import write_report
from tfcourse.tuning.results.search_results import read_results
from tfcourse.utils.atomic_files import write_json

# The learning rate and beta; those that have no parents.
EVOLVING = [SPACE[2], (*SPACE[4][:2], {**SPACE[4][2], "conditions": []})]


@pytest.fixture
def run(tmp_path):
    drawn = [
        {"learning_rate": 10.0 ** -(k + 1) / 2, "1 - beta": 0.1}
        for k in range(4)
    ]
    folder = make_run(
        tmp_path / "r", space=EVOLVING, drawn=drawn, settings={"evolve": True}
    )
    results = read_results(folder)
    best = [r.trial for r in results.records].index(results.winner.trial)
    other = (best + 1) % 4
    sources = [*range(4)]
    sources[best] = other
    later = [dict(one) for one in drawn]
    later[best] = {"learning_rate": 0.03, "1 - beta": 0.01}
    Ancestry(
        [f"{k:02}" for k in range(4)],
        [Generation(0, [*range(4)], drawn), Generation(1, sources, later)],
    ).write(str(folder / "search"))
    return folder


def test_the_winners_schedule_is_drawn_beside_all_members(run):
    results = read_results(run)
    figures = evolution_figures(results)
    assert set(figures) == {"family", "schedule-0", "schedule-1"}

    dots, line = figures["schedule-1"]["data"]
    assert dots["y"].count(0.1) == 7
    # On the axis of beta there is 1 - beta.
    np.testing.assert_allclose(line["y"], [0.1, 0.01, 0.01])
    assert line["x"] == [0, 1, results.winner.best_epoch]
    assert "from epoch 2<br>beta 0.99" in line["text"][1]

    family = {one["name"]: one for one in figures["family"]["data"]}
    copies = family["a copy begins"]
    assert copies["x"] == [1]
    assert f"trial {results.winner.trial}" in copies["text"][0]
    assert "beta 0.99, was 0.9" in copies["text"][0]
    assert family["the winner's"]["x"][-1] == results.winner.best_epoch


def test_the_page_has_a_section_of_its_own(run):
    page = write_report(run).read_text()
    body = page.partition("<main>")[2].partition("</main>")[0]
    text = html.unescape(" ".join(re.sub("<[^>]*>", " ", body).split()))
    assert '<a href="#evolution">How the population evolved</a>' in body
    assert "4 members trained side by side. 1 time the worst of" in text
    assert "1 in all, with other hyperparameters" in text
    assert "from epoch learning_rate beta 1" in text
    # Commands begin such a search again, and none with one value of each.
    assert "tfcourse train" not in text
    assert "--trials" not in text


@pytest.mark.parametrize(
    "damage",
    [
        lambda path: path.unlink(),
        lambda path: path.write_bytes(path.read_bytes()[:-9]),
        lambda path: write_json(path, {"trials": ["9"], "generations": []}),
    ],
)
def test_without_its_file_a_search_is_like_others(run, damage):
    damage(run / "search" / FILE)
    assert ancestry_of(read_results(run)) is None
    assert 'id="evolution"' not in write_report(run).read_text()


@pytest.mark.slow
@pytest.mark.parametrize("width", [1200, 390])
def test_a_browser_draws_them(run, tmp_path, width):
    if chromium.NAME is None:
        pytest.skip("No Chromium is installed (Debian: apt install chromium).")
    page = write_report(run)
    with chromium.browser(tmp_path / "profile") as browser:
        browser.open(page, width=width, dark=False)
        assert browser.complaints() == []
        drawn = browser.value(
            """["family", "schedule-0", "schedule-1"].map(id =>
              document.querySelectorAll(`#${id} .js-line`).length)"""
        )
        # Lines with a gap between them are paths of their own.
        assert drawn[0] > 3
        assert drawn[1:] == [1, 1]
        wide = browser.value("document.documentElement.scrollWidth")
        assert wide == width
