"""The report in a browser: drawn, sorted, filtered, printed."""

import re

import browser as chromium
import pytest
from run_folders import make_run_in_rounds

from tfcourse.tuning.report.page import write_report
from tfcourse.tuning.results.search_results import read_results


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    return make_run_in_rounds(tmp_path_factory.mktemp("runs") / "made")


@pytest.fixture(scope="module")
def page(run):
    return write_report(run)


SLICES = 5
PLOTS = {
    "progress",
    "curves",
    *(f"slice-{n}" for n in range(SLICES)),
    "parallel",
    "importance",
    "contour",
    "seconds",
}


@pytest.fixture(scope="module")
def browser(tmp_path_factory):
    if chromium.NAME is None:
        pytest.skip("No Chromium is installed (Debian: apt install chromium).")
    with chromium.browser(tmp_path_factory.mktemp("profile")) as opened:
        yield opened


@pytest.mark.slow
@pytest.mark.parametrize(
    "width, dark",
    [(1200, False), (1200, True), (390, False)],
    ids=["light", "dark", "phone"],
)
def test_browser_draws_every_plot(browser, page, width, dark):
    browser.open(page, width=width, dark=dark)

    assert browser.complaints() == []
    asked = [url for url in browser.requests() if not url.startswith("data:")]
    assert asked == [page.as_uri()]
    drawn = browser.value(
        """Object.fromEntries([...document.querySelectorAll(".plot")].map(
          plot => [plot.id, plot.querySelectorAll(
            ".point path, path.point, .js-line, .hm image, .contourlevel path"
          ).length]))"""
    )
    assert set(drawn) == PLOTS
    assert min(drawn.values()) > 0, drawn
    # All scales have their names, and all bars their colour.
    assert browser.value(
        """[...document.querySelectorAll("#parallel .xtick text")]
          .every(name => getComputedStyle(name).display != "none")"""
    )
    # Nothing but what is meant to scroll is wider than the screen.
    assert browser.value("document.documentElement.scrollWidth") == width
    colors = browser.value(
        "[getComputedStyle(document.body).backgroundColor, "
        "getComputedStyle(document.querySelector('#curves .xtick text')).fill]"
    )
    page_color, ink = (
        sum(map(int, re.findall(r"\d+", color)[:3])) for color in colors
    )
    assert (ink > page_color) == dark


@pytest.mark.slow
def test_browser_follows_a_change_to_dark(browser, page):
    browser.open(page)
    line = "document.querySelector('#curves .js-line').style.stroke"
    before = browser.value(line)

    browser.emulate(dark=True)

    assert browser.value(
        f"""new Promise(done => {{
          const look = left => {line} !== '{before}' ? done(true)
            : left ? setTimeout(look, 20, left - 1) : done(false);
          look(500);
        }})"""
    )
    assert browser.complaints() == []


def shown_trials(browser):
    """Returns the ids in the leaderboard that a reader sees, in order."""
    return browser.value(
        """[...document.querySelectorAll("#trials tbody tr")]
          .filter(row => row.offsetParent).map(row => row.cells[0].textContent)
        """
    )


@pytest.mark.slow
def test_browser_sorts_and_filters_the_leaderboard(browser, page, run):
    browser.open(page)
    best = read_results(run).best
    assert shown_trials(browser) == [r.trial for r in best[:10]]

    browser.value("document.querySelector('button.all').click()")
    assert shown_trials(browser) == [r.trial for r in best]

    def head(name):
        return browser.value(
            f"""[...document.querySelectorAll("#trials th")]
              .find(th => th.textContent === "{name}")
              .querySelector("button").click()"""
        )

    head("units")
    assert shown_trials(browser) == [
        r.trial for r in sorted(best, key=lambda r: r.hyperparameters["units"])
    ]
    head("val_accuracy")
    head("val_accuracy")
    assert shown_trials(browser) == [r.trial for r in best]

    for typed, fits in {
        "units > 70 and adam": lambda v: (
            v["units"] > 70 and v["optimizer"] == "adam"
        ),
        "batch_size = 64": lambda v: v["batch_size"] == 64,
        "beta < 0.99": lambda v: v.get("beta", 1) < 0.99,
    }.items():
        browser.value(
            f"""filter.value = "{typed}";
              filter.dispatchEvent(new Event("input"))"""
        )
        wanted = [r.trial for r in best if fits(r.hyperparameters)]
        assert 0 < len(wanted) < len(best)
        assert shown_trials(browser) == wanted
    assert browser.complaints() == []


@pytest.mark.slow
def test_browser_draws_the_curve_of_a_trial_that_is_picked(browser, page, run):
    browser.open(page)
    last = read_results(run).best[-1]

    for _ in range(2):
        browser.value(
            f"""document.querySelector("[data-trial='{last.trial}']").click()"""
        )

    names = browser.value(
        "document.getElementById('curves').data.map(line => line.name)"
    )
    assert names.count(f"trial {last.trial}, picked") == 1
    assert browser.value(
        "document.getElementById('curves').data.at(-1).y"
    ) == pytest.approx(last.curves["val_accuracy"])
    assert browser.complaints() == []


@pytest.mark.slow
def test_browser_prints_on_white(browser, page):
    browser.open(page, dark=True)
    color = "getComputedStyle(document.body).backgroundColor"
    ink = "document.querySelector('#curves .xtick text').style.fill"
    dark = browser.value(color), browser.value(ink)

    browser.value("dispatchEvent(new Event('beforeprint'))")
    white = browser.value(color), browser.value(ink)
    width = browser.value(
        "document.querySelector('#progress .main-svg').clientWidth"
    )
    browser.value("dispatchEvent(new Event('afterprint'))")

    assert white == ("rgb(255, 255, 255)", "rgb(27, 34, 44)")
    assert 500 < width < 660  # Of a page, where the window has 1200.
    assert (browser.value(color), browser.value(ink)) == dark != white
