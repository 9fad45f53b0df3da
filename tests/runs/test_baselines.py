"""What a score is compared with, against scikit-learn."""

import numpy as np
import pandas as pd
import pytest
from sklearn.dummy import DummyClassifier, DummyRegressor
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.metrics import r2_score, root_mean_squared_error

from tfcourse.runs.baselines import baselines
from tfcourse.runs.prepared_data import PreparedData
from tfcourse.runs.settings import Settings


def test_of_classes():
    data = PreparedData.load(Settings(data="breast_cancer"))

    found = baselines(data)

    x, y = data.part("train")
    for name, model in {
        "majority": DummyClassifier(),
        "logistic regression": LogisticRegression(max_iter=500),
    }.items():
        model.fit(x, y)
        for part in ("dev", "test"):
            expected = model.score(*data.part(part))
            assert found[name][part] == {"accuracy": pytest.approx(expected)}


def test_of_amounts(tmp_path, rng):
    x = rng.normal(size=(60, 2))
    frame = pd.DataFrame(x, columns=["a", "b"])
    frame["y"] = 1e6 + 1e3 * (2 * x[:, 0] + rng.normal(size=60))
    frame.to_csv(tmp_path / "t.csv", index=False)
    data = PreparedData.load(Settings(data=str(tmp_path / "t.csv"), target="y"))

    found = baselines(data)

    x, _ = data.part("train")
    y = data.dataset.y
    for name, model in {
        "mean": DummyRegressor(),
        "ridge regression": Ridge(),
    }.items():
        model.fit(x, y[data.split.train])
        predicted = model.predict(data.part("test")[0])
        true = y[data.split.test]
        scores = found[name]["test"]
        assert scores["r2"] == pytest.approx(
            r2_score(true, predicted), abs=1e-5
        )
        error = root_mean_squared_error(true, predicted)
        assert scores["rmse"] == pytest.approx(error, rel=1e-5)
    assert found["ridge regression"]["test"]["r2"] > 0.5


def test_images_are_flattened_and_wide_ones_left_to_the_network(tmp_path, rng):
    y = np.arange(30) % 2
    for side, expected in ((3, 2), (50, 1)):
        x = rng.normal(size=(30, side, side, 1)) + y[:, None, None, None]
        np.savez(tmp_path / "x.npz", x=x, y=y)
        data = PreparedData.load(Settings(data=str(tmp_path / "x.npz")))

        assert len(baselines(data)) == expected
