"""Pages of what others have written: shown as text, none of it run."""

import html.parser
import json

import browser as chromium
import numpy as np
import pytest
from run_folders import SPACE, draw, make_run, write

from tfcourse.tuning.panda.control.run_folder import publish
from tfcourse.tuning.panda.journal.plots import draw_plots
from tfcourse.tuning.report.matplotlib_figures import write_pictures
from tfcourse.tuning.report.page import write_report

EVIL = (
    """</script><img src=x onerror="document.title='run'"><svg onload=run>"""
    """'"><a href="javascript:run">$x^$ {{%s}} $$title <!--"""
)
# What plotly's own small language of tags may say for us.
_OURS = {"b", "br", "sup"}


class _Tags(html.parser.HTMLParser):
    """The tags of a page with the names of their attributes, and its data."""

    def __init__(self, text):
        super().__init__()
        self.found, self.data, self._data = set(), [], None
        self.feed(text)
        self.close()

    def handle_starttag(self, tag, attrs):
        self.found.add((tag, tuple(sorted(name for name, _ in attrs))))
        if ("type", "application/json") in attrs:
            self._data = ""

    def handle_data(self, data):
        if self._data is not None:
            self._data += data

    def handle_endtag(self, tag):
        if self._data is not None:
            self.data.append(json.loads(self._data))
            self._data = None


def tags(page):
    return _Tags(page.read_text()).found


def strings(value):
    """Yields every string in a value of JSON, keys of its dicts included."""
    if isinstance(value, dict):
        for key, inner in value.items():
            yield key
            yield from strings(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from strings(inner)
    elif isinstance(value, str):
        yield value


def tags_for_plotly(page):
    """Returns the tags in what plotly is given to draw."""
    curves_by_trial = 1  # Of the report's data: no text that plotly is given.
    data = _Tags(page.read_text()).data[:curves_by_trial]
    return {tag for text in strings(data) for tag, _ in _Tags(text).found}


def evaluation(word):
    row = {"precision": 1.0, "recall": 1.0, "f1-score": 1.0, "support": 3}
    scores = {"accuracy": 0.9, word: 0.5}
    test = {
        "examples": 3,
        "scores": scores,
        "intervals": {"accuracy": [0.8, 1.0]},
        "labels": [word, "b"],
        "classes": {word: row, "b": row},
        "confusion": [[2, 1], [0, 3]],
    }
    return {"train": test, "dev": test, "test": test}


def hostile_run(folder, word):
    """Writes a search in which all that is text is `word`."""
    space = [*SPACE, ("Choice", word, {"values": [word, "b"]})]
    rng = np.random.default_rng(0)
    drawn = [{**draw(rng), word: word} for _ in range(12)]
    group = {
        **{"trials": ["00"], "members": 1, "how": word, "seconds": 1.0},
        **{"why": word, "advice": word},
    }
    run = make_run(
        folder,
        space=space,
        drawn=drawn,
        failed=[3],
        name=word,
        groups=[group],
        settings={"space": word, "device": word, word: word},
        data={"source": word, "fingerprint": word},
        evaluation=evaluation(word),
    )
    content = json.loads((run / "run.json").read_text())
    content |= {"written": word, "versions": {"tfcourse": "0.1.0", word: word}}
    content["result"]["baselines"] = {word: {"test": {word: 0.5}}}
    write(run / "run.json", content)
    for path in run.glob("search/trial_*/trial.json"):
        trial = {**json.loads(path.read_text()), "trial_id": word}
        trial["message"] = trial["message"] and word
        write(path, trial)
    # A name of a file cannot have everything that a text can.
    (run / "search" / "trial_00").rename(
        run / "search" / f"trial_{word.replace('/', '')[:200]}"
    )
    return run


def test_a_hostile_search_adds_no_tag_to_its_report(tmp_path):
    plain = write_report(hostile_run(tmp_path / "plain", "word"))

    page = write_report(hostile_run(tmp_path / "hostile", EVIL))

    assert tags(page) == tags(plain)
    assert tags_for_plotly(page) <= _OURS
    assert html.escape(EVIL) in page.read_text()


def test_a_dollar_in_a_name_begins_no_formula(tmp_path):
    run = hostile_run(tmp_path / "run", r"$\frac{$ a$b")

    assert len(write_pictures(run, tmp_path / "pictures")) >= 4


def panda_run(folder, word):
    folder.mkdir()
    publish(folder, {"state": word})
    about = {"step": 1, "epoch": 1, "batch": 0, "seconds": 1.0, "time": 0.0}
    period = {
        **about,
        **{"kind": "period", "metrics": {word: 1.0}},
        "hyperparameters": {word: 1.0},
    }
    event = {
        **{"kind": "event", "event": "nudge", "who": word, "why": word},
        **{**about, "before": {word: 1.0}, "after": {word: 2.0}},
    }
    lines = [period, event, {**period, "hyperparameters": {word: 2.0}}]
    text = "".join(json.dumps(line) + "\n" for line in lines)
    (folder / "journal.jsonl").write_text(text)
    return folder


def test_a_hostile_journal_adds_no_tag_to_its_page(tmp_path):
    _, plain = draw_plots(panda_run(tmp_path / "plain", "word"))

    _, page = draw_plots(panda_run(tmp_path / "<img src=x> $x^$ {$", EVIL))

    assert tags(page) == tags(plain)
    assert tags_for_plotly(page) <= _OURS


@pytest.mark.slow
def test_a_browser_runs_nothing_of_a_hostile_file(tmp_path):
    if chromium.NAME is None:
        pytest.skip("No Chromium is installed (Debian: apt install chromium).")
    report = write_report(hostile_run(tmp_path / "run", EVIL))
    _, journal = draw_plots(panda_run(tmp_path / "panda", EVIL))
    with chromium.browser(tmp_path / "profile") as opened:
        for page in (report, journal):
            opened.open(page)

            asked = opened.requests()
            assert [url for url in asked if not url.startswith("data:")] == [
                page.as_uri()
            ]
            assert opened.complaints() == []
            assert opened.value("document.title") != "run"
            assert opened.value("document.images.length") == 0
            assert (
                opened.value(
                    "document.querySelectorAll('[href^=javascript]').length"
                )
                == 0
            )
            assert EVIL in opened.value("document.body.textContent")


@pytest.mark.slow
def test_a_browser_runs_no_script_that_the_page_does_not_know(tmp_path):
    if chromium.NAME is None:
        pytest.skip("No Chromium is installed (Debian: apt install chromium).")
    page = write_report(make_run(tmp_path / "run"))
    for injected in (
        "<script>document.title='run'</script>",
        """<img src=x onerror="document.title='run'">""",
    ):
        text = page.read_text().replace("<main>", f"<main>{injected}")
        hurt = tmp_path / "hurt.html"
        hurt.write_text(text)
        with chromium.browser(tmp_path / "profile") as opened:
            opened.open(hurt)
            assert opened.value("document.title").startswith("Search on")
