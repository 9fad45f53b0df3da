"""Bias and variance: the lecture's tables, read as the lecture reads them."""

import keras
import numpy as np
import pytest
import reference
from hypothesis import given, settings
from hypothesis import strategies as st

from tfcourse.diagnostics import bias_variance


@pytest.mark.parametrize(
    "train, dev, bayes, high",
    [
        (0.01, 0.11, 0.0, {"variance"}),
        (0.15, 0.16, 0.0, {"avoidable bias"}),
        (0.15, 0.30, 0.0, {"avoidable bias", "variance"}),
        (0.005, 0.01, 0.0, set()),
        (0.15, 0.16, 0.15, set()),
        (0.08, 0.10, 0.01, {"avoidable bias", "variance"}),
        (0.08, 0.10, 0.075, {"variance"}),
    ],
)
def test_reads_the_lectures_table(train, dev, bayes, high):
    result = bias_variance(train, dev, bayes_error=bayes)
    assert set(result.high) == high
    assert result.high_bias == ("avoidable bias" in high)
    assert result.high_variance == ("variance" in high)
    assert result.dominant in (high or {None})
    assert len(result.advice) == len(high)


@pytest.mark.parametrize(
    "errors, dominant",
    [
        # train, train-dev, dev of "Structuring Machine Learning Projects".
        ((0.01, 0.09, 0.10), "variance"),
        ((0.01, 0.015, 0.10), "data mismatch"),
        ((0.10, 0.11, 0.12), "avoidable bias"),
        ((0.10, 0.11, 0.20), "avoidable bias"),
    ],
)
def test_reads_the_table_with_a_train_dev_set(errors, dominant):
    train, train_dev, dev = errors
    result = bias_variance(train, dev, train_dev_error=train_dev)
    assert result.dominant == dominant


share = st.floats(0, 1)


@settings(max_examples=50, deadline=None, derandomize=True)
@given(share, share, share, st.none() | share, st.none() | share)
def test_the_gaps_are_those_of_the_lecture(train, dev, bayes, test, train_dev):
    result = bias_variance(train, dev, bayes, test, train_dev)

    expected = reference.bias_variance_gaps(train, dev, bayes, test, train_dev)
    assert result.gaps == expected
    assert list(result.gaps) == list(expected)
    largest = max(expected.values())
    assert bool(result.high) == (largest >= 0.02 - 1e-9)
    if result.high:
        assert result.gaps[result.dominant] == largest


def test_gives_the_gaps():
    result = bias_variance(
        0.10, 0.20, bayes_error=0.04, test_error=0.27, train_dev_error=0.11
    )
    assert result.gaps == pytest.approx(
        {
            "avoidable bias": 0.06,
            "variance": 0.01,
            "data mismatch": 0.09,
            "overfit to dev": 0.07,
        }
    )
    assert result.high == ("data mismatch", "overfit to dev", "avoidable bias")


def test_what_was_not_measured_is_not_reported():
    result = bias_variance(0.1, 0.2)
    assert result.data_mismatch is None
    assert result.overfit_to_dev is None
    assert set(result.gaps) == {"avoidable bias", "variance"}


def test_the_gaps_add_up_to_the_test_error(rng):
    bayes, train, train_dev, dev, test = rng.uniform(size=5)
    result = bias_variance(train, dev, bayes, test, train_dev)
    assert bayes + sum(result.gaps.values()) == pytest.approx(test)


def test_a_gap_of_the_threshold_is_high_whatever_the_rounding():
    assert 0.1 - 0.08 != 0.17 - 0.15
    for train, dev in [(0.08, 0.1), (0.15, 0.17)]:
        result = bias_variance(train, dev, bayes_error=train)
        assert result.high == ("variance",)
        assert not bias_variance(train, dev, train, threshold=0.021).high


def test_prints_errors_gaps_and_advice():
    text = str(bias_variance(0.01, 0.11, test_error=0.12))
    assert "training error    1.00 %   avoidable bias 1.00 %\n" in text
    assert "dev error        11.00 %   variance 10.00 %, high\n" in text
    assert "test error       12.00 %   overfit to dev 1.00 %" in text
    assert "Variance: generalise better: more data" in text
    assert str(bias_variance(0.005, 0.01)).endswith("No gap is high.")


def test_says_what_is_odd():
    assert "below the Bayes error" in str(bias_variance(0.01, 0.05, 0.03))
    assert "without dropout" in str(bias_variance(0.10, 0.05))
    assert bias_variance(0.1, 0.2, 0.05).notes == ()


def test_takes_one_minus_accuracy_of_a_history(rng):
    x = rng.normal(size=(40, 2)).astype("float32")
    model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])
    model.compile("sgd", "mse", metrics=["accuracy"])
    history = model.fit(
        x, x[:, :1] > 0, epochs=2, validation_split=0.25, verbose=0
    )
    result = bias_variance(history, bayes_error=0.01)
    assert result.train_error == 1 - history.history["accuracy"][-1]
    assert result.dev_error == 1 - history.history["val_accuracy"][-1]
    assert result.bayes_error == 0.01


def history_of(*metrics):
    """Returns a `History` as `fit` would, of the same two epochs for all."""
    history = keras.callbacks.History()
    history.history = {name: [0.5, 0.75] for name in metrics}
    return history


def test_refuses_a_history_it_cannot_read():
    with pytest.raises(ValueError, match=r"one accuracy.*Received: \['loss'"):
        bias_variance(history_of("loss", "val_loss"))
    with pytest.raises(ValueError, match="`val_` twin"):
        bias_variance(history_of("loss", "accuracy"))
    two = "accuracy", "categorical_accuracy"
    with pytest.raises(ValueError, match="one accuracy"):
        bias_variance(history_of(*two, *(f"val_{name}" for name in two)))
    with pytest.raises(ValueError, match="already in the `History`"):
        bias_variance(history_of("accuracy", "val_accuracy"), 0.1)


@pytest.mark.parametrize(
    "name",
    [
        "train_error",
        "dev_error",
        "bayes_error",
        "test_error",
        "train_dev_error",
        "threshold",
    ],
)
@pytest.mark.parametrize("value", [-0.01, 1.01, float("nan"), 15])
def test_refuses_what_is_no_share(name, value):
    errors = {"train_error": 0.1, "dev_error": 0.1, name: value}
    with pytest.raises(ValueError, match=rf"`{name}` .* must lie in \[0, 1\]"):
        bias_variance(**errors)


@pytest.mark.parametrize("value", ["0.1", True, None, [0.1]])
def test_refuses_what_is_no_number(value):
    with pytest.raises(TypeError, match="`dev_error` .* must be a number"):
        bias_variance(0.1, value)


def test_takes_percent_for_a_slip():
    with pytest.raises(ValueError, match=r"Give 15 % as 0\.15"):
        bias_variance(15, 16)


def test_takes_numpy_numbers():
    assert bias_variance(np.float32(0.25), np.float64(0.5)).variance == 0.25


def test_is_shown_as_it_is_printed_and_in_a_notebook_as_a_table():
    found = bias_variance(0.15, 0.30)

    assert repr(found) == str(found)
    shown = found._repr_html_()
    assert "<td>dev error</td><td>30.00 %</td>" in shown
    assert "variance 15.00 % (high)" in shown
    assert "<p>Variance: generalise better" in shown
