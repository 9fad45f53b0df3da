"""An exported model asked about the rows of a file."""

import csv
import tracemalloc

import keras
import numpy as np
import pandas as pd
import pytest
import tensorflow as tf
from sklearn.metrics import precision_recall_fscore_support

from tfcourse.errors import InputError
from tfcourse.export import export_saved_model
from tfcourse.export.csv_predictions import predict_file
from tfcourse.export.evaluation import evaluate, target_column
from tfcourse.export.predictor import Predictor, predict_table, predictions

LABELS = ["no", "so", "yes"]


@pytest.fixture(scope="module")
def exported(tmp_path_factory):
    """A classifier whose logits are its three features."""
    path = tmp_path_factory.mktemp("m") / "m"
    model = keras.Sequential([keras.Input((3,)), keras.layers.Softmax()])
    names = ["a", "b", "c"]
    export_saved_model(
        model, path, labels=LABELS, metadata={"feature_names": names}
    )
    return path


@pytest.fixture
def labelled(tmp_path, rng):
    x = rng.normal(size=(40, 3)).astype("float32")
    y = rng.integers(0, 3, size=40)
    path = tmp_path / "t.csv"
    with path.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["c", "a", "truth", "b"])
        for (a, b, c), k in zip(x.tolist(), y, strict=True):
            writer.writerow([c, a, LABELS[k], b])
    return path, x, y


def test_rows_keep_their_order_and_other_columns(exported, labelled):
    path, x, y = labelled
    table = predict_table(exported, path)

    p = np.exp(x) / np.exp(x).sum(axis=1, keepdims=True)
    assert table["truth"].tolist() == [LABELS[k] for k in y]
    assert table["predicted"].tolist() == [LABELS[k] for k in p.argmax(axis=1)]
    np.testing.assert_allclose(table["probability"], p.max(axis=1), atol=1e-6)


def test_evaluation_is_that_of_scikit_learn(exported, labelled):
    path, x, y = labelled
    predictor = Predictor(exported)
    examples = predictor.examples(path, apart=["truth"])

    result = evaluate(predictor, examples, "truth")

    predicted = x.argmax(axis=1)
    assert result["accuracy"] == np.mean(predicted == y)
    assert np.sum(result["confusion"]) == 40
    assert result["confusion"][0][2] == np.sum((y == 0) & (predicted == 2))
    expected = precision_recall_fscore_support(y, predicted)
    for name, values in zip(("precision", "recall"), expected, strict=False):
        actual = [result["classes"][label][name] for label in LABELS]
        np.testing.assert_allclose(actual, values)


@pytest.mark.parametrize("labels", [[0, 1, 2.5], [0.0, 1.0, 2.5]])
@pytest.mark.parametrize("suffix", ["csv", "parquet"])
def test_classes_that_are_floats_are_found_again(tmp_path, rng, labels, suffix):
    model = keras.Sequential([keras.Input((3,)), keras.layers.Softmax()])
    metadata = {"feature_names": ["a", "b", "c"]}
    export_saved_model(model, tmp_path / "m", labels=labels, metadata=metadata)
    x = rng.normal(size=(20, 3))
    frame = pd.DataFrame(x, columns=["a", "b", "c"])
    frame["y"] = np.array([0, 1, 2.5])[x.argmax(axis=1)]
    path = tmp_path / f"t.{suffix}"
    frame.to_csv(path, index=False) if suffix == "csv" else (
        frame.to_parquet(path)
    )
    predictor = Predictor(tmp_path / "m")
    column = target_column(predictor.metadata, "y")

    found = evaluate(predictor, predictor.examples(path, apart=[column]), "y")

    assert found["accuracy"] == 1
    assert found["labels"] == ["0", "1", "2.5"]


def test_the_probability_of_each_class(exported, labelled):
    path, x, _ = labelled

    table = predict_table(exported, path, probabilities=True)

    p = np.exp(x) / np.exp(x).sum(axis=1, keepdims=True)
    columns = [f"probability of {label}" for label in LABELS]
    np.testing.assert_allclose(table[columns], p, atol=1e-6)


def test_a_class_that_the_model_does_not_know(exported, tmp_path):
    (tmp_path / "t.csv").write_text("a,b,c,truth\n1,2,3,maybe\n")
    predictor = Predictor(exported)
    examples = predictor.examples(tmp_path / "t.csv", apart=["truth"])

    with pytest.raises(InputError, match="'maybe' in line 2, which the model"):
        evaluate(predictor, examples, "truth")


def test_memory_does_not_grow_with_the_file(exported, tmp_path):
    def peak(rows):
        path, out = tmp_path / f"{rows}.csv", tmp_path / f"{rows}.out.csv"
        with path.open("w") as file:
            file.write("a,b,c\n")
            file.writelines("0.1,0.2,0.3\n" for _ in range(rows))
        predictor = Predictor(exported)
        chunks = predictions(predictor, predictor.examples(path))
        tracemalloc.start()
        count = predict_file(chunks, out)
        most = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert count == rows
        assert out.read_text().count("\n") == rows + 1
        return most

    assert peak(40_960) < 1.5 * peak(8_192)


def test_an_existing_file_is_kept(exported, labelled, tmp_path):
    predictor = Predictor(exported)
    out = tmp_path / "out.csv"
    out.write_text("mine")

    with pytest.raises(InputError, match="exists already"):
        predict_file(predictions(predictor, []), out)
    assert out.read_text() == "mine"
    with pytest.raises(InputError, match="is a folder"):
        predict_file(predictions(predictor, []), tmp_path, overwrite=True)

    chunks = predictions(predictor, predictor.examples(labelled[0]))
    assert predict_file(chunks, out, overwrite=True) == 40
    assert len(out.read_text().splitlines()) == 41


def test_a_bad_row_in_the_middle_leaves_no_half_file(exported, tmp_path):
    (tmp_path / "t.csv").write_text("a,b,c\n1,2,3\n1,2,x\n")
    predictor = Predictor(exported)
    chunks = predictions(predictor, predictor.examples(tmp_path / "t.csv"))

    with pytest.raises(InputError, match="line 3 has 'x' in column 'c'"):
        predict_file(chunks, tmp_path / "out.csv")
    assert [f.name for f in tmp_path.iterdir()] == ["t.csv"]


def test_a_model_without_classes_gives_its_outputs(tmp_path, rng):
    model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(2)])
    export_saved_model(model, tmp_path / "m")
    (tmp_path / "t.csv").write_text("u,v,w\n1,2,3\n4,5,6\n")

    table = predict_table(tmp_path / "m", tmp_path / "t.csv")

    expected = np.asarray(model(np.array([[1, 2, 3], [4, 5, 6]], "float32")))
    np.testing.assert_allclose(
        table[["outputs_0", "outputs_1"]], expected, rtol=1e-5
    )


def test_wrong_endpoint_and_wrong_shape(exported, tmp_path):
    with pytest.raises(InputError, match="no endpoint 'tell'. It has: class"):
        Predictor(exported, "tell")
    np.savez(tmp_path / "x.npz", x=np.ones((2, 4)))
    with pytest.raises(InputError, match=r"shape \(4,\); the model takes \(3"):
        Predictor(exported).examples(tmp_path / "x.npz")


def test_a_column_called_as_the_answers_is_refused(exported, tmp_path):
    (tmp_path / "t.csv").write_text("predicted,a,b,c\nold,1,2,3\n")

    with pytest.raises(InputError, match="already has a column 'predicted'"):
        predict_table(exported, tmp_path / "t.csv")


@pytest.mark.parametrize(
    "text, others",
    [
        ("\ufeffa,b,c\r\n1,2,3\r\n", {}),
        ('note,c,"b",a\n"x\ny, ""z""",3,2,1\n', {"note": 'x\ny, "z"'}),
    ],
    ids=["mark and two ends of line", "quoted"],
)
def test_forms_of_csv(exported, tmp_path, text, others):
    (tmp_path / "t.csv").write_bytes(text.encode())

    (row,) = predict_table(exported, tmp_path / "t.csv").to_dict("records")

    assert row.pop("predicted") == "yes"
    p = np.exp(3) / np.exp([1, 2, 3]).sum()
    np.testing.assert_allclose(row.pop("probability"), p, atol=1e-6)
    assert row == others


def test_no_row_that_can_be_used(exported, tmp_path):
    (tmp_path / "t.csv").write_text("a,b,c,truth\n1,2,x,no\n")
    predictor = Predictor(exported)
    bad = []
    examples = predictor.examples(
        tmp_path / "t.csv", apart=["truth"], on_bad=bad.append
    )

    with pytest.raises(InputError, match="no row that can be used"):
        evaluate(predictor, examples, "truth")
    assert bad == ["line 2 has 'x' in column 'c', which must be a number"]


def test_a_model_of_text_takes_no_table(tmp_path):
    lookup = keras.layers.StringLookup(vocabulary=["a"])
    model = keras.Sequential([keras.Input((2,), dtype="string"), lookup])
    export_saved_model(model, tmp_path / "m")

    with pytest.raises(InputError, match="takes string"):
        Predictor(tmp_path / "m")


@pytest.mark.parametrize(
    "shape, message",
    [(None, "of shape <unknown>"), ([], r"of shape \(\)"), ([None, 3], "'y'")],
)
def test_a_foreign_model_that_suits_no_table(tmp_path, shape, message):
    class Sum(tf.Module):
        @tf.function(input_signature=[tf.TensorSpec(shape, name="x")])
        def total(self, x):
            return {"y": tf.reduce_sum(x)}

    own = Sum()
    tf.saved_model.save(own, tmp_path / "m", signatures=own.total)
    (tmp_path / "t.csv").write_text("a,b,c\n1,2,3\n")

    with pytest.raises(InputError, match=message):
        predict_table(tmp_path / "m", tmp_path / "t.csv")
