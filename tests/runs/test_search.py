"""The main job in a folder: what it writes, and what it refuses."""

import csv
import pathlib

import keras
import keras_tuner
import numpy as np
import pytest
import tensorflow as tf
from sklearn.utils.class_weight import compute_class_weight

import tfcourse
from tfcourse import data
from tfcourse.errors import InputError
from tfcourse.export.predictor import predict_table
from tfcourse.runs.prepared_data import PreparedData
from tfcourse.runs.search import SearchRun
from tfcourse.runs.settings import Settings
from tfcourse.utils.atomic_files import read_json

SMALL = Settings(data="wine", trials=3, epochs=4, seed=1)


def rows(folder):
    with (folder / "trials.csv").open(newline="") as f:
        return list(csv.DictReader(f))


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    folder = tmp_path_factory.mktemp("runs") / "wine"
    run = SearchRun(SMALL, folder)
    seen = []
    run.search(lambda records: seen.append(len(rows(folder))))
    return run, run.finish(), seen


@pytest.mark.slow
def test_table_has_every_trial_that_has_ended(finished):
    run, result, seen = finished
    table = rows(run.folder)

    # Trials that train together end together.
    assert seen == sorted(seen)
    assert seen[-1] == 3
    assert [row["trial"] for row in table] == ["0", "1", "2"]
    assert {row["status"] for row in table} == {"completed"}
    # Of equal scores the loss decides.
    scores = {row["trial"]: float(row["score"]) for row in table}
    assert scores[result.best.trial] == max(scores.values())
    assert all(1 <= int(row["best_epoch"]) <= 4 for row in table)
    assert all(float(row["seconds"]) > 0 for row in table)
    for row in table:
        assert bool(row["beta"]) == (row["optimizer"] == "momentum")
        assert 50 <= int(row["units"]) <= 100
        assert 1e-4 <= float(row["learning_rate"]) <= 1


@pytest.mark.slow
def test_models_agree_with_the_reported_accuracy(finished):
    run, result, _ = finished
    dataset, split = run.data.dataset, run.data.split
    kept = keras.saving.load_model(run.folder / "model.keras")
    loaded = tf.saved_model.load(run.folder / "model")

    def accuracy(positions):
        probabilities = kept.predict(dataset.x[positions], verbose=0)
        return (probabilities.argmax(-1) == dataset.y[positions]).mean()

    assert accuracy(split.test) == pytest.approx(result.test["accuracy"])
    assert accuracy(split.dev) == pytest.approx(result.dev["accuracy"])
    # The best epoch's weights, not the last's.
    assert result.dev["accuracy"] == pytest.approx(result.best.score)
    labels = loaded.classify(tf.constant(dataset.x[split.test]))["label"]
    names = np.array([label.decode() for label in labels.numpy()])
    right = names == np.array(dataset.labels)[dataset.y[split.test]]
    assert right.mean() == pytest.approx(result.test["accuracy"])


@pytest.mark.slow
def test_examples_can_be_predicted(finished):
    run, *_ = finished
    table = predict_table(run.folder / "model", run.folder / "examples.csv")

    assert list(table.columns) == ["class", "predicted", "probability"]
    some = run.data.split.test[:20]
    dataset = run.data.dataset
    assert table["class"].tolist() == [
        dataset.labels[i] for i in dataset.y[some]
    ]
    kept = tfcourse.load_model(run.folder / "model.keras")
    probabilities = kept.predict(dataset.x[some], verbose=0)
    predicted = [dataset.labels[i] for i in probabilities.argmax(axis=-1)]
    assert table["predicted"].tolist() == predicted
    np.testing.assert_allclose(
        table["probability"], probabilities.max(axis=-1), atol=1e-5
    )


@pytest.mark.slow
def test_manifest_tells_how_it_was_made(finished):
    run, result, _ = finished
    manifest = read_json(run.folder / "run.json")

    assert manifest["settings"]["seed"] == 1
    assert manifest["data"]["fingerprint"] == data.load("wine").fingerprint()
    assert manifest["versions"]["keras"] == keras.__version__
    assert manifest["result"]["test"] == result.test


@pytest.mark.slow
def test_finished_run_can_be_extended_and_is_repeatable(finished, tmp_path):
    run, *_ = finished
    before = rows(run.folder)
    again = SearchRun(SMALL.resumed(trials=4), run.folder, resume=True)
    again.search()
    assert again.finish().completed == 4

    fresh = SearchRun(SMALL, tmp_path / "fresh")
    fresh.search()

    def timeless(table):
        return [{**row, "seconds": None} for row in table]

    assert timeless(rows(run.folder))[:3] == timeless(before)
    assert timeless(rows(fresh.folder)) == timeless(before)


@pytest.mark.slow
def test_row_lost_in_a_crash_is_written_again(finished):
    run, *_ = finished
    before = rows(run.folder)
    (run.folder / "trials.csv").unlink()

    run.finish()

    assert rows(run.folder) == before


def unusual(hp):
    """Loss and fit of the user's own, which Keras cannot find by name."""

    class Loss(keras.losses.SparseCategoricalCrossentropy):
        pass

    model = keras.Sequential(
        [keras.Input((2, 2, 1)), keras.layers.Flatten(), keras.layers.Dense(3)]
    )
    rate = hp.Float("learning_rate", 1e-3, 1e-1, sampling="log")
    model.compile(
        keras.optimizers.SGD(rate), Loss(from_logits=True), metrics=["accuracy"]
    )
    return model


class OwnFit(keras_tuner.HyperModel):
    def build(self, hp):
        return unusual(hp)

    def fit(self, hp, model, *args, **kwargs):
        history = model.fit(*args, **kwargs).history
        return {name: values[-1] for name, values in history.items()}


@pytest.mark.slow
@pytest.mark.parametrize("space", [unusual, OwnFit()])
def test_images_and_unusual_spaces_work(tmp_path, monkeypatch, rng, space):
    x = rng.normal(size=(60, 2, 2, 1))
    np.savez(tmp_path / "images.npz", x=x, y=np.array(list("abc") * 20))
    monkeypatch.setattr("tfcourse.runs.search.load_space", lambda *_: space)
    settings = Settings(data=str(tmp_path / "images.npz"), trials=2, epochs=1)
    run = SearchRun(settings, tmp_path / "run")
    run.search()
    assert run.finish().completed == 2

    table = predict_table(run.folder / "model", run.folder / "examples.npz")

    assert set(table["predicted"]) <= {"a", "b", "c"}
    assert len(table) == len(run.data.split.test)


def diverging(hp):
    """Half of its models blow up."""
    model = keras.Sequential([keras.Input((13,)), keras.layers.Dense(3)])
    scale = hp.Choice("scale", [1.0, 3e38])
    hp.Float("x", 0, 1)
    model.compile(
        keras.optimizers.SGD(scale),
        keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        metrics=["accuracy"],
    )
    return model


@pytest.mark.slow
def test_diverged_trials_fail_and_the_search_goes_on(tmp_path, monkeypatch):
    monkeypatch.setattr("tfcourse.runs.search.load_space", lambda *_: diverging)
    run = SearchRun(Settings(data="wine", trials=6, epochs=1), tmp_path / "run")
    run.search()
    result = run.finish()

    for row in rows(run.folder):
        if row["scale"] == "3e+38":
            assert row["status"] == "failed"
            assert row["message"].startswith("diverged: the loss was")
            assert row["score"] == row["best_epoch"] == ""
        else:
            assert row["status"] == "completed"
    assert result.failed >= 2
    assert result.best.hyperparameters["scale"] == 1.0
    page = (run.folder / "report.html").read_text()
    assert "Failed trials" in page


@pytest.mark.slow
def test_when_all_fail_it_says_why(tmp_path, monkeypatch):
    def hopeless(hp):
        hp.values["scale"] = 3e38
        return diverging(hp)

    monkeypatch.setattr("tfcourse.runs.search.load_space", lambda *_: hopeless)
    run = SearchRun(Settings(data="wine", trials=4, epochs=1), tmp_path / "run")
    run.search()

    with pytest.raises(InputError, match="None of the 4 .* diverged"):
        run.finish()


@pytest.mark.parametrize(
    "settings, message",
    [
        (Settings(data="wyne"), "Did you mean 'wine'"),
        (Settings(data="none.csv"), "no file"),
        (Settings(data="wine", target="class"), "--target"),
        (Settings(data="wine", space="coarse"), "search space 'coarse'"),
        (Settings(data="wine", objective="val_auk:max"), "objective 'val_auk'"),
        (Settings(data="wine", device="gpu"), "no GPU"),
    ],
)
def test_wrong_settings_leave_nothing_behind(
    tmp_path, monkeypatch, settings, message
):
    monkeypatch.setattr(keras.distribution, "list_devices", lambda kind: [])
    with pytest.raises(InputError, match=message):
        SearchRun(settings, tmp_path / "run")
    assert list(tmp_path.iterdir()) == []


class Remembers(keras_tuner.HyperModel):
    """Notes what it was fitted with."""

    def build(self, hp):
        model = keras.Sequential(
            [keras.Input((30,)), keras.layers.Dense(1, "sigmoid")]
        )
        model.compile("sgd", "binary_crossentropy", metrics=["accuracy"])
        hp.Float("x", 0, 1)
        return model

    def fit(self, hp, model, *args, **kwargs):
        self.kwargs = kwargs
        return {"val_accuracy": 0.5}


def test_what_decides_reaches_fit_and_the_oracle(tmp_path, monkeypatch):
    space = Remembers()
    monkeypatch.setattr("tfcourse.runs.search.load_space", lambda *_: space)
    settings = Settings(
        data="breast_cancer",
        trials=3,
        strategy="serial",
        class_weight="balanced",
        early_stopping=2,
        time_limit=1e6,
        target_score=0.5,
    )
    run = SearchRun(settings, tmp_path / "run")

    run.search()

    y = run.data.part("train")[1]
    expected = compute_class_weight("balanced", classes=np.unique(y), y=y)
    assert space.kwargs["class_weight"] == dict(enumerate(expected))
    (stop,) = [
        callback
        for callback in space.kwargs["callbacks"]
        if isinstance(callback, keras.callbacks.EarlyStopping)
    ]
    assert (stop.monitor, stop.patience) == ("val_accuracy", 2)
    # The first has reached the score.
    assert len(run.records()) == 1


class Equals(keras_tuner.HyperModel):
    """Its epochs have one accuracy, and losses of which the second is least."""

    def build(self, hp):
        hp.Float("learning_rate", 0.1, 0.2)
        model = keras.Sequential(
            [keras.Input((13,)), keras.layers.Dense(3, name="last")]
        )
        model.compile("sgd", "sparse_categorical_crossentropy")
        return model

    def fit(self, hp, model, x, y, callbacks=(), **kwargs):
        history = keras.callbacks.History()
        for callback in (history, *callbacks):
            callback.set_model(model)
            callback.on_train_begin()
        for epoch, loss in enumerate([0.3, 0.1, 0.2]):
            bias = np.full(3, epoch, "float32")
            model.get_layer("last").set_weights([np.zeros((13, 3)), bias])
            logs = {"loss": 1.0, "val_accuracy": 1.0, "val_loss": loss}
            for callback in (history, *callbacks):
                callback.on_epoch_end(epoch, logs)
        return history


def test_of_epochs_with_equal_scores_the_lower_loss_is_kept(
    tmp_path, monkeypatch
):
    monkeypatch.setattr("tfcourse.runs.search.load_space", lambda *_: Equals())
    monkeypatch.setattr("tfcourse.runs.search.probe", lambda *_: None)
    settings = Settings(data="wine", trials=1, strategy="serial")
    run = SearchRun(settings, tmp_path / "run")

    run.search()

    (record,) = run.records()
    assert (record.score, record.best_epoch) == (1.0, 2)
    kept = run._network(record).get_layer("last").get_weights()[1]
    assert kept.tolist() == [1, 1, 1]


def test_folder_in_use_is_refused(tmp_path):
    (tmp_path / "mine.txt").write_text("precious")

    with pytest.raises(InputError, match="is not empty.*--resume"):
        SearchRun(SMALL, tmp_path)
    with pytest.raises(InputError, match="no run in"):
        SearchRun(SMALL, tmp_path, resume=True)

    assert [p.name for p in tmp_path.iterdir()] == ["mine.txt"]


def test_folder_of_a_run_killed_at_its_start_counts_as_empty(tmp_path):
    for name in (".lock", ".partial-run.json"):
        (tmp_path / name).touch()

    assert SearchRun(SMALL, tmp_path).folder == tmp_path


def test_normalization_is_that_of_the_training_set():
    prepared = PreparedData.load(Settings())

    x, y = prepared.part("train")

    raw = prepared.dataset.x[prepared.split.train].astype("float64")
    varies = raw.std(axis=0) > 0
    assert not varies.all(), "digits have corners that are always white"
    np.testing.assert_allclose(x.mean(axis=0), 0, atol=1e-5)
    np.testing.assert_allclose(x.std(axis=0)[varies], 1, rtol=1e-4)
    # What never varied in training must not explode in the test set.
    assert np.abs(prepared.part("test")[0][:, ~varies]).max() < 17
    assert len(x) == len(y) == 1079


def test_second_process_is_kept_out(tmp_path):
    import filelock

    run = SearchRun(SMALL, tmp_path / "run")
    pathlib.Path(tmp_path / "run").mkdir()
    with (
        filelock.FileLock(tmp_path / "run" / ".lock"),
        pytest.raises(InputError, match="in use by another process"),
    ):
        run.search()
