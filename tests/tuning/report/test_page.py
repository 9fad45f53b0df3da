"""The report: one page, opened in a browser, that says what was found."""

import base64
import html
import json
import pathlib
import re

import keras_tuner
import numpy as np
import pytest
from run_folders import (
    SPACE,
    draw,
    make_run,
    make_run_in_rounds,
    score_of,
)

from tfcourse.errors import InputError
from tfcourse.export.evaluation import classification_scores
from tfcourse.tuning.report.axes import layout, position, ticks
from tfcourse.tuning.report.matplotlib_figures import write_pictures
from tfcourse.tuning.report.page import figures_of, write_report
from tfcourse.tuning.report.slice_figure import slice_plot
from tfcourse.tuning.report.tensorboard import write_tensorboard
from tfcourse.tuning.results.axes import HyperparameterAxis
from tfcourse.tuning.results.importance import importances
from tfcourse.tuning.results.search_results import read_results


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    return make_run_in_rounds(tmp_path_factory.mktemp("runs") / "made")


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
    body = page.read_text().partition('<h2 id="leaderboard">')[2]
    body = body.partition("<h2")[0]
    rows = re.findall(r"<tr[^>]*><td>.*?</tr>", body)
    cells = [re.findall(r"<td[^>]*>(.*?)</td>", row) for row in rows]
    best = read_results(run).best

    link = '<a href="#curves-title" data-trial="{0}">{0}</a>'
    assert [row[0] for row in cells] == [link.format(r.trial) for r in best]
    assert "accuracy in training" in body
    assert [row[2] for row in cells] == [
        f"{r.curves['accuracy'][r.best_epoch - 1]:.4g}" for r in best
    ]
    # All in the file; a reader without JavaScript sees them as they come.
    assert "All 22 completed trials" in body


def test_page_has_a_table_of_contents(page):
    text = page.read_text()
    links = re.findall(r'<a href="#([\w-]+)">', text.partition("</nav>")[0])

    assert len(links) == len(set(links)) == text.count("<h2 id=")
    assert all(f'<h2 id="{link}">' in text for link in links)


def test_glossary_has_the_words_of_the_page(page):
    words = page.read_text().partition('<h2 id="glossary">')[2]
    terms = re.findall("<dt>(.*?)</dt>", words)

    assert {"trial", "learning_rate", "beta", "best epoch"} <= set(terms)
    assert {"keep_prob", "RMSE", "residual", "filters"}.isdisjoint(terms)


def test_curves_differ_by_more_than_colour(run):
    results = read_results(run)
    plots = figures_of(results, importances(run))

    best = [d for d in plots["curves"]["data"] if "marker" in d]
    assert len(best) == 5
    assert len({line["line"]["dash"] for line in best}) == 5
    assert len({line["marker"]["symbol"] for line in best}) == 5
    assert len({bar["marker"]["pattern"]["shape"] for bar in _bars(plots)}) == 2


def _bars(plots):
    return plots["seconds"]["data"]


def test_contour_ends_where_the_other_plots_do(tmp_path):
    """A trial that is far worse takes no share of the colours."""
    run = make_run(tmp_path / "a", trials=24)
    worst = min(read_results(run).best, key=lambda record: record.score)

    def score(values):
        own = score_of(values)
        return 0.01 if own == worst.score else own

    far = make_run(tmp_path / "b", trials=24, score=score)
    results = read_results(far)

    plots = figures_of(results, importances(far))

    heat = plots["contour"]["data"][0]["z"]
    heat = np.frombuffer(base64.b64decode(heat["bdata"]), heat["dtype"])
    second = sorted(record.score for record in results.best)[1]
    assert results.best[-1].score == 0.01
    assert np.nanmin(heat) == pytest.approx(second)


def test_page_asks_for_nothing(page):
    text = page.read_text()
    own = text.partition("<main>")[0] + text.partition("</main>")[2][:40]

    assert "default-src 'none'" in own
    assert not re.search(r"(src|href)=[\"']?(https?:)?//", own)
    assert not re.search(
        r"<(script|link|img|iframe)[^>]+(src|http)", text[:9000]
    )


def test_a_regression_shows_its_residuals(tmp_path):
    y, predicted = [3.0, 5.0, 8.0], [2.0, 5.5, 8.0]
    kept = {
        "examples": 3,
        "scores": {"r2": 0.9, "rmse": 0.6, "mae": 0.5},
        "intervals": {"r2": [0.8, 0.95], "rmse": [0.4, 0.9]},
        "y": y,
        "predicted": predicted,
    }
    run = make_run(
        tmp_path / "run",
        direction="min",
        evaluation={"train": kept, "dev": kept, "test": kept},
        data={"task": "regression", "classes": 0},
    )

    page = write_report(run)

    plot = plots_of(page)["residuals"]["data"][0]
    assert plot["x"] == predicted
    assert plot["y"] == [1.0, -0.5, 0.0]
    text = text_of(page)
    assert "test 3 0.9 (0.8 to 0.95) 0.6 (0.4 to 0.9) 0.5" in text
    # 1 − R² in each set, and nothing better is known.
    assert "training error 10.0% avoidable bias 0.0%" in text


def test_no_gap_is_less_than_nothing(tmp_path):
    def kept(r2):
        return {
            "examples": 90,
            "scores": {"r2": r2},
            "intervals": {"r2": [r2 - 0.01, r2 + 0.01]},
            "y": [1.0],
            "predicted": [1.0],
        }

    run = make_run(
        tmp_path / "run",
        direction="min",
        evaluation={"train": kept(0.7), "dev": kept(0.5), "test": kept(0.52)},
        data={"task": "regression", "classes": 0},
    )

    text = text_of(write_report(run))

    assert "lowest known 48.0% of the best model, on the test" in text
    assert "training error 30.0% no avoidable bias, 18.0% below" in text
    assert "development error 50.0% variance 20.0% , high" in text
    assert "test error 48.0% no overfit to dev, 2.0% below" in text
    assert (
        "bias is measured from the lowest error on unseen examples, the" in text
    )
    assert "50.0% on the development set; the lowest error known on" in text


def test_a_classifier_shows_a_row_a_class(tmp_path):
    found = classification_scores(
        ["a"] * 6 + ["b"] * 4, ["a"] * 5 + ["b"] * 5, ["a", "b"]
    )
    kept = {"scores": {"accuracy": found.pop("accuracy")}, **found}
    run = make_run(
        tmp_path / "run", evaluation=dict.fromkeys(("train", "test"), kept)
    )

    text = text_of(write_report(run))

    assert "test 10 0.9 (0.5958 to 0.9821)" in text
    assert "a 1.000 0.833 0.909 6 b 0.800 1.000 0.889 4" in text
    assert "a 5 1 b 4" in text
    assert "accuracy on the test set, 59.6% to 98.2%" in text


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

    assert "Best at the edge: widen The best trial has learning_rate" in text
    assert "--data digits --trials 2 --epochs 3 --seed 7 --space wide" in text


def test_page_of_a_search_of_one_point(tmp_path):
    space = [("Fixed", "x", {"value": 3})]
    run = make_run(
        tmp_path / "run", space=space, drawn=[{"x": 3}], score=lambda _: 0.5
    )

    assert "1 trial of up to 3 epochs searched 0 hyperparameters" in text_of(
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
    assert "No learning curves were kept" in text
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
