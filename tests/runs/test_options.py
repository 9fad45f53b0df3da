"""Searches by folds, by Optuna's samplers, of part of a space, of images."""

import dataclasses
import importlib.util

import numpy as np
import pytest
import tensorflow as tf
from PIL import Image
from sklearn.datasets import load_digits

from tfcourse.errors import InputError
from tfcourse.export.predictor import Predictor, predict_table
from tfcourse.runs.prepared_data import PreparedData
from tfcourse.runs.search import SearchRun
from tfcourse.runs.settings import Settings
from tfcourse.tuning.oracles.choice import choose_oracle
from tfcourse.tuning.oracles.optuna import OptunaOracle
from tfcourse.utils.atomic_files import read_json

FOLDS = Settings(
    data="iris",
    trials=3,
    epochs=3,
    folds=3,
    sampler="qmc",
    fix=("units=60", "batch_size=64"),
)


def test_too_many_folds_are_refused_with_the_class():
    data = PreparedData.load(Settings(data="iris")).with_dev_in_training()

    data.check_folds(40)
    with pytest.raises(InputError, match="--folds 41 .* class 'setosa' has 40"):
        data.check_folds(41)


def test_too_many_folds_for_amounts(tmp_path):
    rows = "".join(f"{n % 7},{n}.5\n" for n in range(10))
    (tmp_path / "t.csv").write_text(f"a,y\n{rows}")
    settings = Settings(data=str(tmp_path / "t.csv"), target="y")
    data = PreparedData.load(settings).with_dev_in_training()

    data.check_folds(8)
    with pytest.raises(InputError, match="the training set has 8"):
        data.check_folds(9)


def test_a_package_that_is_missing_is_named(monkeypatch):
    find = importlib.util.find_spec
    monkeypatch.setattr(
        "importlib.util.find_spec",
        lambda name: None if name == "cmaes" else find(name),
    )

    with pytest.raises(InputError, match="--sampler cmaes.*`pip install cmaes"):
        choose_oracle("val_loss", 3, 0, sampler="cmaes")


def test_the_sampler_is_optunas():
    oracle = choose_oracle("val_loss", 3, 7, sampler="tpe", target=0.1)

    assert isinstance(oracle, OptunaOracle)
    assert (oracle.sampler, oracle.seed, oracle.target) == ("tpe", 7, 0.1)


@pytest.mark.slow
def test_folds_score_trials_on_training_and_development_set(tmp_path):
    run = SearchRun(FOLDS, tmp_path / "r")
    run.search()
    result = run.finish()

    assert len(run.data.split.train) == 120
    assert result.dev is None
    assert set(read_json(tmp_path / "r/evaluation.json")) == {"train", "test"}
    for record in run.records():
        # A mean over three folds of forty examples each.
        assert record.score * 120 == pytest.approx(round(record.score * 120))
        assert record.hyperparameters["units"] == 60
        assert record.hyperparameters["batch_size"] == 64
    page = (tmp_path / "r" / "report.html").read_text()
    assert "3 trials of up to 3 epochs searched" in page
    again = SearchRun(FOLDS.resumed(trials=4), tmp_path / "r", resume=True)
    again.search()
    assert again.finish().completed == 4


@pytest.fixture
def images(tmp_path):
    digits = load_digits()
    few = digits.target < 3
    x, y = digits.images[few][:150], digits.target[few][:150]
    for n, (pixels, label) in enumerate(zip(x, y, strict=True)):
        folder = tmp_path / "digits" / "abc"[label]
        folder.mkdir(parents=True, exist_ok=True)
        Image.fromarray((15 * pixels).astype("uint8")).save(folder / f"{n}.png")
    return tmp_path / "digits"


@pytest.mark.slow
def test_images_from_a_folder_to_the_served_model(tmp_path, images):
    settings = Settings(data=str(images), trials=2, epochs=8, fix=("blocks=2",))
    run = SearchRun(settings, tmp_path / "r")
    run.search()
    result = run.finish()

    assert run.settings.space == "cnn"
    assert run.data.dataset.x.shape == (150, 8, 8, 1)
    assert result.test["accuracy"] > 0.8
    loaded = tf.saved_model.load(tmp_path / "r" / "model")
    labels = loaded.classify(tf.constant(run.data.dataset.x))["label"].numpy()
    answers = predict_table(tmp_path / "r" / "model", images)
    assert answers["predicted"].tolist() == [one.decode() for one in labels]
    assert answers["class"].tolist() == [file[0] for file in answers["file"]]
    right = (answers["predicted"] == answers["class"]).to_numpy()
    at = run.data.split.test
    assert right[at].mean() == pytest.approx(result.test["accuracy"])


def test_arrays_of_images_have_convolutions_too(tmp_path):
    x = np.random.default_rng(0).normal(size=(30, 8, 8))
    np.savez(tmp_path / "x.npz", x=x, y=np.arange(30) % 2)
    settings = Settings(data=str(tmp_path / "x.npz"))

    run = SearchRun(settings, tmp_path / "r")

    assert run.settings.space == "cnn"
    course = dataclasses.replace(settings, space="course")
    assert SearchRun(course, tmp_path / "r").settings.space == "course"
    with pytest.raises(InputError, match="--image-size is for folders"):
        PreparedData.load(dataclasses.replace(settings, image_size=32))


@pytest.mark.slow
def test_a_model_of_a_table_takes_no_folder(tmp_path, images):
    (tmp_path / "t.csv").write_text(
        "a,b,y\n" + "".join(f"{n},{n % 3},{n % 2}\n" for n in range(30))
    )
    settings = Settings(
        data=str(tmp_path / "t.csv"), target="y", trials=1, epochs=1
    )
    run = SearchRun(settings, tmp_path / "r")
    run.search()
    run.finish()

    with pytest.raises(
        InputError, match="does not take images, and .* is a folder"
    ):
        Predictor(tmp_path / "r" / "model").examples(images)
