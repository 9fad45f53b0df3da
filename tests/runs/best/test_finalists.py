"""The best few trials again: by which seeds, and who wins?"""

import numpy as np
import pytest
import tensorflow as tf

from tests.helpers.run_folders import make_run, score_of
from tfcourse.runs.best import finalists
from tfcourse.runs.hyperparameter_values import best_of
from tfcourse.runs.search import SearchRun
from tfcourse.runs.settings import Settings, read_settings
from tfcourse.tuning import best_points, write_report
from tfcourse.tuning.results.search_results import read_results
from tfcourse.utils.atomic_files import read_json, write_json

SMALL = Settings(
    data="iris",
    trials=4,
    epochs=3,
    seeds=3,
    ensemble=2,
    fix=("optimizer=adam", "layers=1"),
)


def with_seeds(folder, scores):
    """Writes a run whose trials were trained again with these scores."""
    make_run(folder, 4)
    manifest = read_json(folder / "run.json")
    records = {r.trial: r for r in read_results(folder).records}
    manifest["result"]["replicates"] = [
        {
            "trial": trial,
            "hyperparameters": records[trial].hyperparameters,
            "scores": some,
            "mean": float(np.mean(some)),
            "deviation": float(np.std(some, ddof=1)),
            "interval": [0.0, 1.0],
        }
        for trial, some in scores.items()
    ]
    write_json(folder / "run.json", manifest)
    return read_results(folder)


def test_the_best_mean_is_what_everything_goes_on_with(tmp_path):
    names = [r.trial for r in with_seeds(tmp_path / "a", {}).best]
    first, second = names[:2]
    found = with_seeds(
        tmp_path / "b", {second: [0.9, 0.9], first: [0.95, 0.75]}
    )

    assert found.winner.trial == second
    # The ranking of the search stays what it was.
    assert [r.trial for r in found.best] == names
    assert best_of(tmp_path / "b")[1].trial == second
    points = best_points(tmp_path / "b", 2)
    rates = [point["learning_rate"] for point in points]
    by_name = {r.trial: r.hyperparameters["learning_rate"] for r in found.best}
    assert rates == [by_name[second], by_name[first]]
    page = write_report(tmp_path / "b").read_text()
    assert "with 2 seeds" in page
    assert "With other seeds" in page
    assert f"trial {second}, reached" in page


def test_without_seeds_the_best_trial_wins(tmp_path):
    found = with_seeds(tmp_path / "a", {})
    assert found.winner is found.best[0]
    assert found.winner.score == pytest.approx(
        max(score_of(r.registered) for r in found.records)
    )


def test_a_run_may_go_on_with_seeds():
    began = Settings(trials=4)
    assert began.resumed(seeds=5).seeds == 5
    assert began.resumed(trials=9, seeds=5).trials == 9


@pytest.mark.slow
def test_a_run_is_chosen_by_means_and_goes_on(tmp_path, monkeypatch):
    monkeypatch.setattr(finalists, "MOST", 2)
    run = SearchRun(SMALL, tmp_path / "r")
    run.search()
    run.replicate()
    result = run.finish()

    ranked = [one.trial for one in read_results(tmp_path / "r").best]
    assert {one.trial for one in result.replicates} == set(ranked[:2])
    means = [one.mean for one in result.replicates]
    assert means == sorted(means, reverse=True)
    assert all(len(one.scores) == 3 for one in result.replicates)
    assert result.best.trial == result.replicates[0].trial
    # The model is that of the best seed.
    assert result.dev["accuracy"] == pytest.approx(
        max(result.replicates[0].scores)
    )
    # The mean of the models of both, for examples as they are in the table.
    assert result.ensemble["trials"] == [r.trial for r in result.replicates]
    loaded = tf.saved_model.load(tmp_path / "r/ensemble")
    dataset, split = run.data.dataset, run.data.split
    answer = loaded.classify(tf.constant(dataset.x[split.test]))
    names = [label.decode() for label in answer["label"].numpy()]
    right = np.array(names) == np.array(dataset.labels)[dataset.y[split.test]]
    scores = result.ensemble["scores"]
    assert scores["test"]["accuracy"] == pytest.approx(right.mean())
    assert "test, ensemble of 2" in (tmp_path / "r/report.html").read_text()
    written = read_json(tmp_path / "r/run.json")["result"]
    assert written["best_trial"] == result.best.trial
    assert [one["mean"] for one in written["replicates"]] == means

    # Nothing is trained again, unless it is asked for with other seeds.
    settings = read_settings(tmp_path / "r")
    project = tmp_path / "r/seeds/search"
    before = (project / "trial_0/history.json").read_bytes()
    again = SearchRun(settings.resumed(), tmp_path / "r", resume=True)
    again.search()
    again.replicate()
    assert again.finish().replicates == result.replicates
    assert (project / "trial_0/history.json").read_bytes() == before
    more = SearchRun(settings.resumed(seeds=4), tmp_path / "r", resume=True)
    more.search()
    more.replicate()
    assert [len(one.scores) for one in more.finish().replicates] == [4, 4]
