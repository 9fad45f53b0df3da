"""From columns to features: statistics of the training set, and no others."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from sklearn.feature_extraction.text import TfidfVectorizer

from tfcourse.data.table.columns import Column
from tfcourse.export import export_saved_model
from tfcourse.runs.preprocessing import common_values, preprocessing_model


def text(*values):
    return np.array(values, dtype=object)


def called(model, x):
    return model({n: tf.constant(v) for n, v in x.items()}).numpy()


def test_numbers_have_mean_0_and_variance_1_and_gaps_are_marked():
    x = {
        "a": np.array([1.0, 2.0, np.nan, 6.0]),
        "b": np.array([100_000_000.0, 100_000_001, 100_000_002, 100_000_003]),
    }
    model = preprocessing_model([Column("a"), Column("b", "boolean")], x)

    z = called(model, x)

    # The median of 1, 2 and 6 stands for the gap.
    filled = np.array([1, 2, 2, 6])
    expected = np.stack([filled, np.arange(4)], axis=1)
    expected = (expected - expected.mean(0)) / expected.std(0)
    np.testing.assert_allclose(z[:, :2], expected, rtol=1e-6)
    assert z[:, 2].tolist() == [0, 0, 1, 0]


def test_statistics_are_those_of_what_it_was_made_of():
    model = preprocessing_model([Column("a")], {"a": np.array([0.0, 2.0])})

    z = called(model, {"a": np.array([5.0, np.nan])})

    # A gap where there was none: the median, 1, and no mark.
    assert z.tolist() == [[4.0], [0.0]]


def test_categories_have_a_place_each_and_one_for_the_rest():
    x = {"c": text(*["a"] * 9, *["b"] * 7, *[""] * 5, "d")}
    model = preprocessing_model([Column("c", "category")], x)

    z = called(model, {"c": text("a", "b", "", "d", "never seen")})

    assert z.tolist() == [
        [0, 1, 0, 0],
        [0, 0, 1, 0],
        [0, 0, 0, 1],
        [1, 0, 0, 0],
        [1, 0, 0, 0],
    ]


def test_without_rare_values_an_unknown_one_is_none_of_the_known():
    x = {"c": text(*["a"] * 9, *["b"] * 7)}
    model = preprocessing_model([Column("c", "category")], x)

    z = called(model, {"c": text("b", "never seen")})

    assert z.tolist() == [[0, 1], [0, 0]]


def test_common_values():
    values = np.array(
        ["b"] * 5 + ["a"] * 5 + ["c"] * 6 + ["d"] * 4 + ["e"] * 500
    )

    assert common_values(values) == (["e", "c", "a", "b"], 4)
    # Two of twenty are enough.
    assert common_values(np.array(list("aabbc"))) == (["a", "b"], 1)
    assert common_values(np.array(list("abc"))) == (["a"], 2)
    many = np.array([str(i) for i in range(150)] * 5)
    known, rest = common_values(many)
    assert (len(known), rest) == (100, 250)


def test_a_date_has_the_parts_that_vary():
    day = 86_400.0
    x = {"d": np.array([0.0, day, 7 * day, np.nan])}
    model = preprocessing_model([Column("d", "date")], x)

    z = called(model, x)

    # Time, day, weekday; and the mark of the gap. Year, month, hour are one.
    assert z.shape == (4, 4)
    filled = np.array([0, 1, 7, 1])
    weekday = np.array([3, 4, 3, 4])
    for column, values in ((0, filled), (1, filled + 1), (2, weekday)):
        expected = (values - values.mean()) / values.std()
        np.testing.assert_allclose(z[:, column], expected, rtol=1e-5)


def test_words_are_those_of_scikit_learn_as_far_as_they_agree():
    x = {"t": text("red wine", "white wine", "red, red roses", "beer")}
    model = preprocessing_model([Column("t", "text")], x)

    z = called(model, {"t": text("red wine", "vodka", "")})

    np.testing.assert_allclose(np.linalg.norm(z, axis=1)[:2], 1, rtol=1e-5)
    assert not z[2].any()
    words = TfidfVectorizer().fit(x["t"]).transform(["red wine"])
    assert np.count_nonzero(z[0]) == words.nnz


def test_chinese_text_is_taken_by_the_character():
    x = {"t": text("我爱北京", "我爱上海", "北京")}
    model = preprocessing_model([Column("t", "text")], x)

    z = called(model, {"t": text("北京", "京北")})

    assert np.count_nonzero(z[0]) == 2
    np.testing.assert_allclose(z[0], z[1])


NAMES = ["size (cm)", "Size (cm)", "km/h", "km_h", "年龄", "2", "_x"]


@pytest.mark.slow
def test_columns_may_have_any_name(tmp_path, rng):
    columns = [Column(name) for name in NAMES]
    x = {name: rng.normal(size=9) for name in NAMES}
    model = preprocessing_model(columns, x)
    export_saved_model(model, tmp_path / "m")
    model.save(tmp_path / "m.keras")

    expected = called(model, x)

    loaded = tf.saved_model.load(tmp_path / "m")
    given = {name: tf.constant(values) for name, values in x.items()}
    np.testing.assert_allclose(loaded.serve(given)["outputs"], expected)
    with pytest.warns(UserWarning, match="must match the names"):
        kept = keras.saving.load_model(tmp_path / "m.keras")
    np.testing.assert_allclose(kept(given), expected)
