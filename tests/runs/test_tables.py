"""Tables through a run: from the file to a model that takes its columns."""

import zipfile

import keras
import numpy as np
import pandas as pd
import pytest
import tensorflow as tf
from scipy.stats import binomtest
from sklearn.linear_model import LinearRegression
from sklearn.metrics import (
    mean_absolute_error,
    r2_score,
    root_mean_squared_error,
)

from tfcourse.data.chunks import TableReader
from tfcourse.data.table.columns import Column
from tfcourse.errors import InputError
from tfcourse.export.evaluation import evaluate, evaluate_amounts, target_column
from tfcourse.export.predictor import Predictor, predict_table
from tfcourse.runs.artifacts import with_preprocessing, write_model
from tfcourse.runs.prepared_data import PreparedData
from tfcourse.runs.remarks import remarks
from tfcourse.runs.scores import evaluation
from tfcourse.runs.settings import Settings
from tfcourse.tuning.search_space.metrics import CrossEntropy

M = 120


def table():
    rng = np.random.default_rng(7)
    kind = rng.choice(["a", "b"], M)
    frame = pd.DataFrame(
        {
            "id": range(M),
            "width (m)": rng.normal(size=M) + (kind == "a"),
            "town": rng.choice(["x", "y", ""], M),
            "when": pd.date_range("2024-01-01", periods=M).astype(str),
            "paid": rng.choice([True, False], M),
            "kind": kind,
        }
    )
    frame["cost"] = 1e8 + 3 * frame["width (m)"] + 2 * frame["paid"]
    frame.loc[3, "width (m)"] = np.nan
    return frame


def network(data):
    keras.utils.set_random_seed(0)
    regression = data.task == "regression"
    model = keras.Sequential(
        [
            keras.Input(data.input_shape),
            keras.layers.Dense(1, None if regression else "sigmoid"),
        ]
    )
    model.compile("sgd", "mse" if regression else "binary_crossentropy")
    return model


@pytest.fixture(scope="module", params=["kind", "cost"])
def written(request, tmp_path_factory):
    """A run's data, its model, and the folder where it is."""
    folder = tmp_path_factory.mktemp("run")
    table().to_csv(folder / "t.csv", index=False)
    settings = Settings(data=str(folder / "t.csv"), target=request.param)
    data = PreparedData.load(settings)
    model = with_preprocessing(network(data), data)
    write_model(model, data, folder, request.param)
    return data, model, folder


def test_features_are_those_of_the_training_set(written):
    data, *_ = written
    x, y = data.part("train")

    raw = table()["width (m)"].to_numpy()[data.split.train]
    filled = np.where(np.isnan(raw), np.nanmedian(raw), raw)
    expected = (filled - filled.mean()) / filled.std()
    np.testing.assert_allclose(x[:, 0], expected, rtol=1e-5, atol=1e-6)
    assert x.dtype == "float32"
    if data.task == "regression":
        np.testing.assert_allclose([y.mean(), y.std()], [0, 1], atol=1e-5)
        assert len(data.split.test) == 24


def test_the_model_takes_columns_in_plain_tensorflow(written):
    data, model, folder = written
    loaded = tf.saved_model.load(folder / "model")
    test = data.raw(data.split.test)
    given = {name: tf.constant(values) for name, values in test.items()}

    expected = model(given, training=False)

    outputs = loaded.serve(given)["outputs"]
    np.testing.assert_allclose(outputs, expected, rtol=1e-6)
    assert set(test) == set(table()) - {"id", data.dataset.target.name}


def test_the_command_says_what_plain_tensorflow_says(written):
    data, model, folder = written
    # All columns, in another order, and another form of file.
    frame = table()[::-1].iloc[:, ::-1].reset_index(drop=True)
    frame["when"] = pd.to_datetime(frame["when"])
    frame.to_parquet(folder / "other.parquet")

    answers = predict_table(folder / "model", folder / "other.parquet")

    raw = {n: tf.constant(v) for n, v in data.dataset.x.items()}
    outputs = model(raw, training=False).numpy().reshape(-1)[::-1]
    if data.task == "regression":
        np.testing.assert_allclose(answers["predicted"], outputs)
    else:
        assert (
            answers["predicted"].tolist()
            == np.where(outputs > 0.5, "b", "a").tolist()
        )
    assert answers["id"].tolist() == frame["id"].tolist()


def test_the_examples_are_a_table_like_the_first(written):
    data, model, folder = written
    answers = predict_table(folder / "model", folder / "examples.csv")

    some = data.split.test[:20]
    target = data.dataset.target.name
    assert (
        answers[target].tolist()
        == table()[target].iloc[some].astype(answers[target].dtype).tolist()
    )
    raw = {n: tf.constant(v) for n, v in data.raw(some).items()}
    outputs = model(raw, training=False).numpy().reshape(-1)
    p = answers["predicted" if data.task == "regression" else "probability"]
    expected = (
        outputs
        if data.task == "regression"
        else np.maximum(outputs, 1 - outputs)
    )
    np.testing.assert_allclose(p.astype(float), expected, rtol=1e-5)


@pytest.mark.parametrize("names", [["class", "from"], ["1st", "a.b"]])
def test_columns_may_have_any_names(tmp_path, names):
    """Words of Python among them, which no parameter can be called."""
    frame = table()[["width (m)", "paid", "kind"]]
    frame.columns = [*names, "kind"]
    frame.to_csv(tmp_path / "t.csv", index=False)
    settings = Settings(data=str(tmp_path / "t.csv"), target="kind")
    data = PreparedData.load(settings)
    model = with_preprocessing(network(data), data)
    write_model(model, data, tmp_path, "kind")

    answers = predict_table(tmp_path / "model", tmp_path / "t.csv")

    raw = {n: tf.constant(v) for n, v in data.dataset.x.items()}
    outputs = model(raw, training=False).numpy().reshape(-1)
    expected = np.where(outputs > 0.5, "b", "a").tolist()
    assert answers["predicted"].tolist() == expected


def test_a_model_of_one_column_predicts(tmp_path):
    table()[["width (m)", "kind"]].to_csv(tmp_path / "t.csv", index=False)
    settings = Settings(data=str(tmp_path / "t.csv"), target="kind")
    data = PreparedData.load(settings)
    model = with_preprocessing(network(data), data)
    write_model(model, data, tmp_path, "kind")

    answers = predict_table(tmp_path / "model", tmp_path / "t.csv")

    raw = {n: tf.constant(v) for n, v in data.dataset.x.items()}
    outputs = model(raw, training=False).numpy().reshape(-1)
    expected = np.where(outputs > 0.5, "b", "a").tolist()
    assert answers["predicted"].tolist() == expected


def test_an_interval_holds_nine_of_ten(written):
    data, _, folder = written
    table().iloc[data.split.dev].to_csv(folder / "dev.csv", index=False)
    if data.task == "classification":
        with pytest.raises(InputError, match="Leave out --interval"):
            predict_table(folder / "model", folder / "dev.csv", interval=True)
        return

    answers = predict_table(folder / "model", folder / "dev.csv", interval=True)

    width = answers["high"] - answers["low"]
    np.testing.assert_allclose(width, width[0])
    y = answers["cost"].astype(float)
    inside = (answers["low"] <= y + 1e-6) & (y <= answers["high"] + 1e-6)
    # ⌈0.9 · 25⌉ of 24.
    assert inside.sum() == 23


def test_scores_are_those_of_scikit_learn(written):
    data, model, folder = written
    predictor = Predictor(folder / "model")
    target = data.dataset.target.name
    column = target_column(predictor.metadata, target)
    table().iloc[data.split.test].to_csv(folder / "test.csv", index=False)
    examples = predictor.examples(folder / "test.csv", apart=[column])

    measured = evaluation(model, data)["test"]
    ours = measured["scores"]

    answers = predict_table(folder / "model", folder / "test.csv")
    y = table()[target].iloc[data.split.test]
    if data.task == "classification":
        assert ours["accuracy"] == np.mean(answers["predicted"] == y.tolist())
        found = evaluate(predictor, examples, target)
        assert found["accuracy"] == ours["accuracy"]
        assert found["classes"] == measured["classes"]
        right = int((answers["predicted"] == y.tolist()).sum())
        bounds = binomtest(right, len(y)).proportion_ci(method="wilson")
        assert found["intervals"] == measured["intervals"]
        assert measured["intervals"]["accuracy"] == pytest.approx(bounds)
        return
    found = evaluate_amounts(predictor, examples, target)
    for name, score in {
        "r2": r2_score,
        "rmse": root_mean_squared_error,
        "mae": mean_absolute_error,
    }.items():
        expected = score(y, answers["predicted"])
        assert ours[name] == pytest.approx(expected)
        assert found[name] == pytest.approx(expected)
        low, high = found["intervals"][name]
        assert low < expected < high
    np.testing.assert_allclose(measured["y"], y)
    np.testing.assert_allclose(measured["predicted"], answers["predicted"])


def test_a_linear_network_is_a_linear_regression(tmp_path):
    """Targets are normalised before it and put back behind it."""
    table().to_csv(tmp_path / "t.csv", index=False)
    settings = Settings(data=str(tmp_path / "t.csv"), target="cost")
    data = PreparedData.load(settings)
    model = network(data)
    x, y = data.part("train")
    line = LinearRegression().fit(x.astype("float64"), y)
    model.set_weights([line.coef_[:, None], np.array([line.intercept_])])

    whole = with_preprocessing(model, data)

    raw = {n: tf.constant(v) for n, v in data.raw(data.split.test).items()}
    amounts = data.dataset.y[data.split.train]
    line = LinearRegression().fit(x.astype("float64"), amounts)
    expected = line.predict(data.part("test")[0].astype("float64"))
    np.testing.assert_allclose(
        whole(raw).numpy().reshape(-1), expected, rtol=0, atol=1e-5
    )


def test_the_files_name_no_class_of_the_networks_metrics(tmp_path):
    """Keras would not find it, where tfcourse is not imported whole."""
    table().to_csv(tmp_path / "t.csv", index=False)
    settings = Settings(data=str(tmp_path / "t.csv"), target="kind")
    data = PreparedData.load(settings)
    model = network(data)
    metrics = ["accuracy", CrossEntropy(1)]
    model.compile("sgd", "binary_crossentropy", metrics=metrics)

    write_model(with_preprocessing(model, data), data, tmp_path, "kind")

    with zipfile.ZipFile(tmp_path / "model.keras") as files:
        config = files.read("config.json").decode()
    assert "sigmoid" in config
    assert "CrossEntropy" not in config


def test_what_only_the_test_set_has_is_said(tmp_path):
    frame = table()
    settings = Settings(data=str(tmp_path / "t.csv"), target="kind")
    frame.to_csv(tmp_path / "t.csv", index=False)
    split = PreparedData.load(settings).split
    row = min(*split.test, *split.dev)
    frame.loc[row, "town"] = "Atlantis"
    frame["flag"] = 0
    frame.loc[row, "flag"] = 1
    frame.to_csv(tmp_path / "t.csv", index=False)

    said = remarks(PreparedData.load(settings))

    assert (
        f"'town' has 'Atlantis' only outside the training set, first in "
        f"line {row + 2}: treated as unknown there."
    ) in said
    assert any("'flag' never varies in the training set" in s for s in said)
    assert "Left out: 'id' counts the rows." in said


@pytest.mark.parametrize(
    "line, message",
    [
        ("1,wide,x,2024-01-01,True", "line 2 has 'wide' in column 'width"),
        ("1,2,x,2024-02-30,True", "'2024-02-30' .* which must be a date"),
        ("1,2,x,2024-02-03,maybe", "'maybe' .* must be true or false"),
        ("1,2,x,2024-02-03", "has 4 fields, not 5"),
    ],
)
def test_a_bad_row_is_named(written, tmp_path, line, message):
    data, _, folder = written
    other = "kind" if data.task == "regression" else "cost"
    header = f"{other},width (m),town,when,paid"
    (tmp_path / "t.csv").write_text(f"{header}\n{line}\n")
    examples = Predictor(folder / "model").examples(tmp_path / "t.csv")

    with pytest.raises(InputError, match=message):
        list(examples)


def test_arrays_have_no_columns(written, tmp_path):
    *_, folder = written
    np.savez(tmp_path / "x.npz", x=np.zeros((2, 5)))

    with pytest.raises(InputError, match="takes columns by name"):
        Predictor(folder / "model").examples(tmp_path / "x.npz")


def test_settings_for_tables_are_refused_elsewhere():
    with pytest.raises(InputError, match="--drop is for tables in files"):
        PreparedData.load(Settings(data="iris", drop=("a",)))


def test_columns_are_kept_as_json():
    column = Column("d", "date", "dmy")

    assert Column.from_json({**column.to_json(), "gaps": True}) == column


def test_examples_are_written_as_the_model_reads_them(tmp_path):
    m = 30
    path = tmp_path / "prices.csv"
    table = pd.DataFrame(
        {
            "price": [f"-${1000 + n:,}.50" for n in range(m)],
            "share": [f"{n}%" for n in range(m)],
            "day": [f"{1 + n % 28} Feb 2024" for n in range(m)],
            "y": ["a", "b"] * (m // 2),
        }
    )
    table.loc[:3, "share"] = ""
    table.to_csv(path, index=False)
    data = PreparedData.load(Settings(data=str(path), target="y"))

    written = tmp_path / "examples.csv"
    written.write_text(data.example_table("y"))

    (chunk,) = TableReader(written, data.dataset.columns, apart=["y"])
    raw = data.raw(data.split.test[:20])
    assert set(raw) == {"price", "share", "day"}
    for name, values in raw.items():
        np.testing.assert_array_equal(chunk.features[name], values)
