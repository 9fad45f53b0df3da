"""A model that an earlier version exported still answers as it did."""

import pathlib

import numpy as np
import tensorflow as tf

from tfcourse.export import load_saved_model
from tfcourse.export.predictor import Predictor

FOLDER = pathlib.Path(__file__).parents[2] / "saved_models"


def test_the_golden_model_answers_as_when_it_was_written():
    answers = np.load(FOLDER / "digits-answers.npz")
    model, metadata = load_saved_model(FOLDER / "digits")
    x = tf.constant(answers["x"])

    actual = model.classify(x)

    np.testing.assert_array_equal(actual["label"], answers["label"])
    np.testing.assert_allclose(
        actual["probabilities"], answers["probabilities"], atol=1e-5
    )
    np.testing.assert_allclose(
        model.serve(x)["outputs"], answers["outputs"], rtol=1e-4, atol=1e-4
    )
    assert metadata["labels"] == list(range(10))
    assert len(metadata["feature_names"]) == 64
    predicted = Predictor(FOLDER / "digits")(answers["x"])["predicted"]
    np.testing.assert_array_equal(predicted, answers["label"])


def test_the_golden_model_is_small():
    files = [f for f in (FOLDER / "digits").rglob("*") if f.is_file()]
    assert sum(f.stat().st_size for f in files) < 200_000
