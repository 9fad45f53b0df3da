"""The report: one page, opened in a browser, that says what was found."""

import html
import json
import pathlib
import re

import browser as chromium
import keras_tuner
import numpy as np
import pytest
from run_folders import SPACE, draw, make_run, score_of

from tfcourse.errors import InputError
from tfcourse.tuning.report.axes import layout, position, ticks
from tfcourse.tuning.report.matplotlib_figures import write_pictures
from tfcourse.tuning.report.page import figures_of, write_report
from tfcourse.tuning.report.slice_figure import slice_plot
from tfcourse.tuning.report.tensorboard import write_tensorboard
from tfcourse.tuning.results.axes import HyperparameterAxis
from tfcourse.tuning.results.importance import importances
from tfcourse.tuning.results.search_results import read_results


def regions(low, high, optimizers):
    return [
        {
            "name": "learning_rate",
            "axis": "log",
            "when": {},
            "low": low,
            "high": high,
        },
        {
            "name": "optimizer",
            "axis": "category",
            "when": {},
            "values": optimizers,
        },
        {
            "name": "beta",
            "axis": "one_minus_log",
            "when": {"optimizer": ["momentum"]},
            "low": 0.9,
            "high": 0.99,
        },
    ]


ROUNDS = [
    {
        "trials": [f"{n:02}" for n in range(12)],
        "regions": regions(1e-4, 1.0, ["momentum", "adam"]),
    },
    {
        "trials": [f"{n:02}" for n in range(12, 24)],
        "regions": regions(1e-3, 0.1, ["adam"]),
    },
]
GROUPS = [
    {
        "trials": [f"{n:02}" for n in range(20)],
        "members": 20,
        "how": "vectorised",
        "seconds": 4.0,
        "why": "",
    },
    {
        "trials": [f"{n:02}" for n in range(20, 24)],
        "members": 4,
        "how": "alone",
        "seconds": 6.0,
        "why": "it has a `train_step` of its own",
    },
]


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    return make_run(
        tmp_path_factory.mktemp("runs") / "made",
        trials=24,
        failed=[5],
        unfinished=[23],
        rounds=ROUNDS,
        groups=GROUPS,
    )


@pytest.fixture(scope="module")
def page(run):
    return write_report(run)


def text_of(page):
    """Returns what a reader sees of the page, its plots apart."""
    body = page.read_text().partition("<main>")[2].partition("</main>")[0]
    return html.unescape(" ".join(re.sub("<[^>]*>", " ", body).split()))


def plots_of(page):
    found = re.search(
        r'<script type="application/json" id="figures">(.*?)</script>',
        page.read_text(),
        re.DOTALL,
    )
    return json.loads(found.group(1))


def test_page_says_what_was_searched_and_found(run, page):
    text = text_of(page)
    best = read_results(run).best[0]

    assert page == run / "report.html"
    assert text.startswith("Search on digits 24 trials of up to 3 epochs")
    assert "5 hyperparameters on 1,079 training examples of digits" in text
    assert f"The best, trial {best.trial}, reached {best.score:.4g}" in text
    assert "gets 87.5% right" in text
    assert "What mattered most was learning_rate." in text
    assert "1 trial: diverged: the loss was nan" in text
    assert "vectorised 1 20 4 0.2" in text
    assert "alone 4 6 1.5 it has a `train_step` of its own" in text
    assert "seed 7" in text
    assert "tfcourse 0.1.0" in text


def test_leaderboard_has_the_best_first(run, page):
    body = page.read_text().partition("<h2>Leaderboard</h2>")[2]
    cells = re.findall(r"<tr[^>]*><td>(\d\d)</td>", body.partition("<h2>")[0])
    best = [record.trial for record in read_results(run).best]

    assert cells == best[:10] + best


def test_page_asks_for_nothing(page):
    text = page.read_text()
    own = text.partition("<main>")[0] + text.partition("</main>")[2][:40]

    assert "default-src 'none'" in own
    assert not re.search(r"(src|href)=[\"']?(https?:)?//", own)
    assert not re.search(
        r"<(script|link|img|iframe)[^>]+(src|http)", text[:9000]
    )


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


def test_slice_draws_the_region_of_each_round(run):
    results = read_results(run)
    by_name = {axis.name: axis for axis in results.axes}

    def bars(name):
        shapes = slice_plot(results, by_name[name])["layout"]["shapes"]
        thin = [s for s in shapes if s.get("ysizemode") == "pixel"]
        return [(s["x0"], s["x1"]) for s in thin]

    assert bars("learning_rate") == [(1e-4, 1.0), (1e-3, 0.1)]
    assert bars("optimizer") == [(-0.4, 0.4), (0.6, 1.4), (0.6, 1.4)]
    assert bars("beta") == [pytest.approx((0.1, 0.01))] * 2
    assert bars("units") == []


def test_slice_has_a_dot_a_trial_on_its_own_scale(run):
    results = read_results(run)
    beta = results.axes[-1]

    plot = slice_plot(results, beta)

    having = [r for r in results.records if "beta" in r.hyperparameters]
    done = [r for r in having if r.status == "completed"]
    assert 0 < len(done) < 22
    dots = plot["data"][0]
    np.testing.assert_allclose(
        dots["x"], [1 - r.hyperparameters["beta"] for r in done]
    )
    assert dots["y"] == [r.score for r in done]
    axis = plot["layout"]["xaxis"]
    assert axis["type"] == "log"
    # Ever closer to 1 to the right, and named by beta itself.
    assert axis["range"][0] > axis["range"][1]
    assert axis["ticktext"] == ["0.9", "0.99", "0.999"]
    np.testing.assert_allclose(axis["tickvals"], [0.1, 0.01, 0.001])


@pytest.mark.parametrize(
    "axis, values, positions",
    [
        (
            HyperparameterAxis("x", "linear", low=0.0, high=4.0),
            [0, 1, 4],
            [0, 0.25, 1],
        ),
        (
            HyperparameterAxis("x", "log", low=1e-4, high=1.0),
            [1e-4, 1e-2],
            [0, 0.5],
        ),
        (
            HyperparameterAxis("x", "one_minus_log", low=0.9, high=0.999),
            [0.9, 0.99, 0.999],
            [0, 0.5, 1],
        ),
        (
            HyperparameterAxis("x", "category", values=("a", 1, True)),
            ["a", 1],
            [0, 0.5],
        ),
        (HyperparameterAxis("x", "category", values=("a",)), ["a"], [0.5]),
        (
            HyperparameterAxis("x", "linear", low=3, high=3, integer=True),
            [3],
            [0.5],
        ),
    ],
)
def test_place_on_a_scale(axis, values, positions):
    np.testing.assert_allclose([position(axis, v) for v in values], positions)
    assert len(ticks(axis)) > 0
    assert "range" in layout(axis, values)


@pytest.mark.parametrize(
    "axis, expected",
    [
        (
            HyperparameterAxis("x", "log", low=1e-4, high=1.0),
            [1e-4, 1e-3, 0.01, 0.1, 1.0],
        ),
        (
            HyperparameterAxis("x", "log", low=0.01, high=0.1),
            [0.01, 0.02, 0.05, 0.1],
        ),
        (HyperparameterAxis("x", "log", low=0.031, high=0.032), [0.031, 0.032]),
        (
            HyperparameterAxis("x", "linear", low=2, high=4, integer=True),
            [2, 3, 4],
        ),
        (
            HyperparameterAxis("x", "linear", low=0.0, high=1.0),
            [0, 0.2, 0.4, 0.6, 0.8, 1],
        ),
        (
            HyperparameterAxis("x", "one_minus_log", low=0.9, high=0.99),
            [0.9, 0.95, 0.98, 0.99],
        ),
    ],
)
def test_ticks_are_round_numbers(axis, expected):
    assert ticks(axis) == pytest.approx(expected)


def test_hostile_names_are_shown_as_they_are(tmp_path):
    evil = "<script>alert('x')</script> <b>"
    space = [*SPACE, ("Choice", evil, {"values": ["</script>", "a&b"]})]
    rng = np.random.default_rng(0)
    drawn = [{**draw(rng), evil: "</script>"} for _ in range(12)]
    run = make_run(tmp_path / "run", space=space, drawn=drawn, name=evil)

    page = write_report(run)

    text = page.read_text()
    assert "<script>alert" not in text
    assert f"Search on {evil}" in html.unescape(text)
    assert "</script>" in text_of(page)
    plots = plots_of(page)
    assert plots["slice-5"]["layout"]["xaxis"]["title"]["text"] == (
        "&lt;script&gt;alert('x')&lt;/script&gt; &lt;b&gt;"
    )


def test_unfinished_search_can_be_looked_at(tmp_path):
    run = make_run(tmp_path / "run", trials=3, unfinished=[2], finished=False)

    text = text_of(write_report(run))

    assert "The search is not finished: 2 of 3 trials have completed." in text
    assert "too few to tell what mattered" in text
    assert "test set" not in text


def test_best_at_the_edge_is_told(tmp_path):
    drawn = [
        {"units": 75, "optimizer": "adam", "learning_rate": rate}
        for rate in (0.999, 0.01)
    ]
    run = make_run(
        tmp_path / "run", drawn=drawn, score=lambda v: v["learning_rate"]
    )

    text = text_of(write_report(run))

    assert "learning_rate lies at the edge of what was searched" in text


def test_page_of_a_search_of_one_point(tmp_path):
    space = [("Fixed", "x", {"value": 3})]
    run = make_run(
        tmp_path / "run", space=space, drawn=[{"x": 3}], score=lambda _: 0.5
    )

    assert "1 trial of up to 3 epochs searched 1 hyperparameter" in text_of(
        write_report(run)
    )


def test_no_page_before_a_trial_has_completed(tmp_path):
    run = make_run(tmp_path / "run", trials=2, failed=[0], unfinished=[1])

    with pytest.raises(InputError, match="No trial in .* has completed"):
        write_report(run)

    assert not (run / "report.html").exists()


class Parabola(keras_tuner.RandomSearch):
    """keras-tuner's own tuner, on a function: no curves, no times."""

    def run_trial(self, trial, *args, **kwargs):
        return {"loss": trial.hyperparameters.Float("x", -1, 1) ** 2}


def test_page_of_any_tuner(tmp_path):
    tuner = Parabola(
        objective=keras_tuner.Objective("loss", "min"),
        max_trials=12,
        directory=tmp_path,
        project_name="parabola",
    )
    tuner.search(verbose=0)

    page = write_report(tuner, tmp_path / "page.html")

    text = text_of(page)
    assert text.startswith("Search on parabola 12 trials searched 1 hyper")
    assert "for the lowest loss" in text
    assert "No curves were kept" in text
    assert {"curves", "seconds"}.isdisjoint(plots_of(page))


def test_losses_that_differ_by_orders_are_drawn_on_a_log_scale(tmp_path):
    run = make_run(
        tmp_path / "run",
        direction="min",
        score=lambda values: 10 ** (30 * (1 - score_of(values))),
    )
    results = read_results(run)

    plots = figures_of(results, importances(run))

    assert plots["slice-0"]["layout"]["yaxis"]["type"] == "log"
    lowest = min(record.score for record in results.records)
    assert results.best[0].score == lowest


@pytest.mark.slow
def test_pictures_are_written(run, tmp_path):
    paths = write_pictures(run, tmp_path / "png")

    assert {path.name for path in paths} == {
        "curves.png",
        "hyperparameters.png",
        "importance.png",
        "parallel.png",
        "progress.png",
    }
    from matplotlib.image import imread

    for path in paths:
        pixels = imread(path)
        assert min(pixels.shape[:2]) > 300
        assert len(np.unique(pixels.reshape(-1, pixels.shape[-1]), axis=0)) > 20


@pytest.mark.slow
def test_tensorboard_finds_curves_and_hyperparameters(run):
    from tensorboard.backend.event_processing import event_accumulator
    from tensorboard.plugins.hparams import plugin_data_pb2

    folder = write_tensorboard(run)

    def read(path):
        events = event_accumulator.EventAccumulator(str(path))
        return events.Reload()

    def hparams(path, tag):
        data = read(path).SummaryMetadata(tag).plugin_data.content
        return plugin_data_pb2.HParamsPluginData.FromString(data)

    experiment = hparams(folder, "_hparams_/experiment").experiment
    assert {info.name for info in experiment.hparam_infos} == {
        *("units", "batch_size", "learning_rate", "optimizer", "beta")
    }
    results = read_results(run)
    ended = [r for r in results.records if r.status != "unfinished"]
    assert {path.name for path in folder.glob("trial-*")} == {
        f"trial-{record.trial}" for record in ended
    }
    best = results.best[0]
    path = folder / f"trial-{best.trial}"
    start = hparams(path, "_hparams_/session_start_info").session_start_info
    rate = start.hparams["learning_rate"].number_value
    assert rate == best.hyperparameters["learning_rate"]
    curve = read(path).Tensors("val_accuracy")
    assert [event.step for event in curve] == [1, 2, 3]
    assert pathlib.Path(write_tensorboard(run)) == folder
