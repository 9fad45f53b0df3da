"""Averages: the lecture's numbers, one call against many, and in training."""

import keras
import numpy as np
import pytest
import reference
from hypothesis import given
from hypothesis import strategies as st

from tfcourse.averages import (
    ExponentiallyWeightedAverage,
    MetricAverage,
    WeightAverage,
    exponentially_weighted_average,
)


def stream(average, series):
    return np.stack([average.update(theta) for theta in series])


@pytest.mark.parametrize("shape", [(), (1,), (3,), (2, 3, 1)], ids=str)
@pytest.mark.parametrize("beta", [0.0, 0.5, 0.98, 0.999999])
@pytest.mark.parametrize("corrected", [True, False])
def test_matches_the_recursion(rng, shape, beta, corrected):
    series = rng.normal(size=(50, *shape))
    average = ExponentiallyWeightedAverage(beta, bias_correction=corrected)
    expected = reference.exponentially_weighted_average(series, beta, corrected)

    np.testing.assert_allclose(
        stream(average, series), expected, rtol=1e-12, atol=1e-15
    )
    np.testing.assert_allclose(
        average(series), expected, rtol=1e-12, atol=1e-15
    )


def test_prints_the_numbers_of_the_lecture():
    corrected = ExponentiallyWeightedAverage(0.98)
    plain = ExponentiallyWeightedAverage(0.98, bias_correction=False)
    for theta in (40.0, 49.0):
        corrected.update(theta)
        plain.update(theta)

    assert plain.value / corrected.value == pytest.approx(0.0396, abs=1e-15)
    # v1 = 0.02 · 40 = 0.8 and v2 = 0.98 · 0.8 + 0.02 · 49, printed as
    # 0.0196 θ1 + 0.02 θ2.
    assert plain.value == pytest.approx(0.0196 * 40 + 0.02 * 49)


@pytest.mark.parametrize("beta, days", [(0.9, 10), (0.98, 50), (0.5, 2)])
def test_the_effective_window_is_that_of_the_lecture(beta, days):
    average = ExponentiallyWeightedAverage(beta, bias_correction=False)
    assert average.effective_window == pytest.approx(days)
    assert reference.effective_window(beta) == pytest.approx(days)
    # After so many days the weight of a day has sunk to about 1/e.
    weight = average([1.0] + [0.0] * days)
    assert weight[days] / weight[0] == pytest.approx(beta**days)


def test_a_day_ten_days_ago_weighs_about_a_third():
    weight = ExponentiallyWeightedAverage(0.9, False)([1.0] + [0.0] * 10)
    assert weight[10] / weight[0] == pytest.approx(0.35, abs=0.002)


def test_the_correction_does_not_cancel_near_one():
    average = ExponentiallyWeightedAverage(1 - 1e-12)
    assert stream(average, [7.0] * 5) == pytest.approx(7.0, rel=1e-14)


@given(
    constant=st.floats(-1e6, 1e6),
    beta=st.floats(0, 0.9999),
    steps=st.integers(1, 30),
)
def test_the_average_of_a_constant_is_that_constant(constant, beta, steps):
    average = ExponentiallyWeightedAverage(beta)([constant] * steps)
    # The share of the smallest floats is rounded to none.
    np.testing.assert_allclose(average, constant, rtol=1e-12, atol=1e-300)


@given(st.lists(st.floats(-1e3, 1e3), min_size=1, max_size=30))
def test_the_corrected_average_lies_among_the_values(series):
    average = exponentially_weighted_average(series, beta=0.7)
    slack = 1e-9 * (1 + np.abs(series).max())
    assert (average >= np.minimum.accumulate(series) - slack).all()
    assert (average <= np.maximum.accumulate(series) + slack).all()


def test_takes_integers_and_tensors_and_answers_in_float64():
    expected = exponentially_weighted_average([1.0, 2.0])
    for series in ([1, 2], np.array([1, 2], "uint8"), keras.ops.array([1, 2])):
        average = exponentially_weighted_average(series)
        assert average.dtype == np.float64
        np.testing.assert_array_equal(average, expected)


def test_one_call_leaves_the_stream_alone(rng):
    average = ExponentiallyWeightedAverage()
    average.update(3.0)
    average(rng.normal(size=10))
    assert average.value == pytest.approx(3.0)


def test_an_update_does_not_keep_the_callers_array():
    theta = np.ones(3)
    average = ExponentiallyWeightedAverage(0.0)
    average.update(theta)
    theta[:] = 5
    np.testing.assert_array_equal(average.value, np.ones(3))


def test_goes_on_from_a_saved_state(rng, tmp_path):
    series = rng.normal(size=(10, 4))
    unbroken = stream(ExponentiallyWeightedAverage(), series)
    first, second = ExponentiallyWeightedAverage(), None
    stream(first, series[:6])
    np.savez(tmp_path / "state.npz", **first.get_state())

    second = ExponentiallyWeightedAverage()
    second.set_state(np.load(tmp_path / "state.npz"))

    np.testing.assert_array_equal(stream(second, series[6:]), unbroken[6:])
    second.reset()
    np.testing.assert_array_equal(stream(second, series), unbroken)


def test_an_empty_series_has_no_averages():
    assert exponentially_weighted_average(np.empty((0, 3))).shape == (0, 3)


def test_a_value_before_any_update():
    assert ExponentiallyWeightedAverage(bias_correction=False).value == 0.0
    with pytest.raises(ValueError, match="no value yet"):
        _ = ExponentiallyWeightedAverage().value


OWNERS = [
    ExponentiallyWeightedAverage,
    WeightAverage,
    lambda beta: MetricAverage("loss", beta),
    lambda beta: exponentially_weighted_average([1.0], beta),
]


@pytest.mark.parametrize("owner", OWNERS)
@pytest.mark.parametrize("beta", [1.0, -0.1, float("nan"), 2])
def test_refuses_a_beta_outside_its_interval(owner, beta):
    with pytest.raises(ValueError, match=r"`beta` of \w+ must lie in \[0, 1\)"):
        owner(beta)


@pytest.mark.parametrize("owner", OWNERS)
@pytest.mark.parametrize("beta", ["0.9", None, True])
def test_refuses_a_beta_that_is_no_number(owner, beta):
    with pytest.raises(TypeError, match=r"`beta` of \w+ must be a number"):
        owner(beta)


@pytest.mark.parametrize(
    "use, error, message",
    [
        (lambda: ExponentiallyWeightedAverage(0.9, 1), TypeError, "bias_corr"),
        (lambda: MetricAverage(3), TypeError, "name of a metric"),
        (lambda: exponentially_weighted_average(3.0), ValueError, "series"),
        (
            lambda: ExponentiallyWeightedAverage().set_state({"t": -1, "v": 0}),
            ValueError,
            "0 or more",
        ),
        (
            lambda: stream(
                ExponentiallyWeightedAverage(), [np.ones(2), np.ones(3)]
            ),
            ValueError,
            "keep its shape",
        ),
    ],
)
def test_refuses_bad_input(use, error, message):
    with pytest.raises(error, match=message):
        use()


@pytest.fixture
def data(rng):
    x = rng.normal(size=(32, 3)).astype("float32")
    return x, x.sum(axis=1, keepdims=True)


@pytest.fixture
def model():
    keras.utils.set_random_seed(0)
    model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(1)])
    model.compile(keras.optimizers.SGD(0.1), "mse", jit_compile=True)
    return model


class Recorder(keras.callbacks.Callback):
    """Notes the weights after each batch, and at the start of validation."""

    def __init__(self):
        super().__init__()
        self.trained, self.evaluated = [], []

    def weights(self):
        if hasattr(self.model, "jax_state_sync"):
            self.model.jax_state_sync()
        return [np.array(w) for w in self.model.get_weights()]

    def on_train_batch_end(self, batch, logs=None):
        self.trained.append(self.weights())

    def on_test_begin(self, logs=None):
        self.evaluated.append(self.weights())


def test_the_metric_average_is_in_the_history(model, data):
    logs = model.fit(
        *data,
        epochs=5,
        validation_split=0.25,
        callbacks=[MetricAverage("loss"), MetricAverage("val_loss", 0.5)],
        verbose=0,
    ).history
    for name, beta in [("loss", 0.9), ("val_loss", 0.5)]:
        np.testing.assert_allclose(
            logs[f"{name}_average"],
            reference.exponentially_weighted_average(logs[name], beta, True),
            rtol=1e-12,
        )


def test_the_metric_average_goes_on_in_the_next_fit(model, data):
    first, second = MetricAverage(), MetricAverage()
    losses = [
        model.fit(*data, callbacks=[first], verbose=0).history["loss"][0],
    ]
    second.set_state(first.get_state())
    history = model.fit(*data, callbacks=[second], verbose=0).history
    losses += history["loss"]
    expected = reference.exponentially_weighted_average(losses, 0.9, True)
    assert history["loss_average"] == pytest.approx([expected[-1]])


def test_a_metric_that_is_not_there_is_named(model, data):
    with pytest.warns(UserWarning, match=r"no `accuracy`.*metrics: loss"):
        model.fit(*data, callbacks=[MetricAverage("accuracy")], verbose=0)


@pytest.mark.parametrize("corrected", [True, False])
def test_the_weights_are_averaged_after_each_batch(model, data, corrected):
    average = WeightAverage(0.9, bias_correction=corrected)
    recorder = Recorder()
    model.fit(
        *data,
        batch_size=8,
        epochs=3,
        validation_data=data,
        callbacks=[average, recorder],
        verbose=0,
    )
    for i, actual in enumerate(average.averages):
        path = np.stack([weights[i] for weights in recorder.trained])
        expected = reference.exponentially_weighted_average(
            path.astype("float64"), 0.9, corrected
        )
        np.testing.assert_allclose(actual, expected[-1], rtol=1e-5, atol=1e-7)
        # Validation saw the averages; training went on with its own weights.
        np.testing.assert_allclose(
            [weights[i] for weights in recorder.evaluated],
            expected[3::4],
            rtol=1e-5,
            atol=1e-7,
        )
        np.testing.assert_array_equal(model.get_weights()[i], path[-1])


def test_averaging_does_not_change_training(data, model):
    twin = keras.models.clone_model(model)
    twin.set_weights(model.get_weights())
    twin.compile(keras.optimizers.SGD(0.1), "mse", jit_compile=True)
    settings = {
        "batch_size": 8,
        "epochs": 2,
        "shuffle": False,
        "validation_data": data,
        "verbose": 0,
    }
    average = WeightAverage(swap_on_epoch=True)
    model.fit(*data, callbacks=[average], **settings)
    twin.fit(*data, **settings)

    assert not np.allclose(model.get_weights()[0], twin.get_weights()[0])
    average.swap()
    np.testing.assert_array_equal(model.get_weights()[0], twin.get_weights()[0])


def test_the_averages_stay_from_epoch_to_epoch_when_asked(
    model, data, tmp_path
):
    average = WeightAverage(0.9, swap_on_epoch=True)
    recorder = Recorder()
    path = tmp_path / "checkpoint.keras"
    model.fit(
        *data,
        batch_size=8,
        epochs=2,
        callbacks=[
            average,
            recorder,
            keras.callbacks.ModelCheckpoint(path),
        ],
        verbose=0,
    )
    assert average.is_swapped
    saved = keras.models.load_model(path).get_weights()
    for kept, mean, present in zip(
        saved, average.averages, model.get_weights(), strict=True
    ):
        np.testing.assert_allclose(kept, mean, rtol=1e-6)
        np.testing.assert_array_equal(kept, present)
    # Evaluating leaves them there; the next epoch trains the trained ones.
    model.evaluate(*data, callbacks=[average], verbose=0)
    assert average.is_swapped
    average.swap()
    for weights, last in zip(
        model.get_weights(), recorder.trained[-1], strict=True
    ):
        np.testing.assert_array_equal(weights, last)


def test_the_averages_stand_in_for_evaluation_and_prediction(model, data):
    average = WeightAverage(0.9)
    model.fit(*data, batch_size=8, callbacks=[average], verbose=0)
    trained = model.get_weights()
    before = model.predict(data[0], verbose=0)

    with average.swapped():
        expected = model.predict(data[0], verbose=0)
        error = model.evaluate(*data, verbose=0)

    assert not np.allclose(before, expected)
    np.testing.assert_array_equal(
        model.predict(data[0], callbacks=[average], verbose=0), expected
    )
    assert model.evaluate(*data, callbacks=[average], verbose=0) == error
    for weights, kept in zip(model.get_weights(), trained, strict=True):
        np.testing.assert_array_equal(weights, kept)


def test_the_weights_come_back_when_the_block_fails(model, data):
    average = WeightAverage(0.9)
    model.fit(*data, batch_size=8, callbacks=[average], verbose=0)
    trained = model.get_weights()
    with pytest.raises(RuntimeError, match="inside"), average.swapped():
        raise RuntimeError("inside")
    np.testing.assert_array_equal(model.get_weights()[0], trained[0])


class Fault(keras.callbacks.Callback):
    """Fails at the second mini-batch of the second validation."""

    validations = 0

    def on_test_begin(self, logs=None):
        self.validations += 1

    def on_test_batch_end(self, batch, logs=None):
        if self.validations == 2 and batch == 1:
            raise KeyboardInterrupt


@pytest.mark.parametrize("swap_on_epoch", [False, True])
def test_the_weights_come_back_when_validation_fails(
    model, data, swap_on_epoch
):
    average = WeightAverage(0.9, swap_on_epoch=swap_on_epoch)
    recorder, fault = Recorder(), Fault()
    settings = {"batch_size": 8, "validation_data": data, "verbose": 0}
    with pytest.raises(KeyboardInterrupt):
        model.fit(
            *data, epochs=3, callbacks=[average, recorder, fault], **settings
        )

    assert len(recorder.trained) == 8
    for weights, last in zip(
        model.get_weights(), recorder.trained[-1], strict=True
    ):
        np.testing.assert_array_equal(weights, last)
    # And it goes on from there, with nothing left on the model.
    model.fit(*data, callbacks=[average], **settings)
    assert average.t == 12
    assert "evaluate" not in vars(model)


def test_two_averages_do_not_evaluate_at_once(model, data):
    both = [WeightAverage(0.9), WeightAverage(0.5)]
    model.fit(*data, batch_size=8, callbacks=both, verbose=0)
    trained = model.get_weights()[0]

    first, second = both
    with first.swapped(), pytest.raises(ValueError, match="another WeightAv"):
        second.swap()
    np.testing.assert_array_equal(model.get_weights()[0], trained)
    with second.swapped():
        np.testing.assert_allclose(
            model.get_weights()[0], second.averages[0], rtol=1e-6
        )


def test_a_new_average_may_train_on_from_the_averages(model, data):
    settings = {"validation_data": data, "verbose": 0}
    first = WeightAverage(0.9, swap_on_epoch=True)
    model.fit(*data, callbacks=[first], **settings)
    assert first.is_swapped
    model.fit(*data, callbacks=[WeightAverage(0.9)], **settings)


def test_the_weight_average_goes_on_from_its_state(model, data):
    settings = {"batch_size": 8, "shuffle": False, "verbose": 0}
    first, second = WeightAverage(0.9), WeightAverage(0.9)
    model.fit(*data, callbacks=[first], **settings)
    second.set_state(first.get_state())
    model.fit(*data, callbacks=[first, second], **settings)
    for one, other in zip(first.averages, second.averages, strict=True):
        np.testing.assert_array_equal(one, other)


def test_before_training_the_weights_themselves_are_evaluated(model, data):
    average = WeightAverage()
    expected = model.evaluate(*data, verbose=0)
    assert model.evaluate(*data, callbacks=[average], verbose=0) == expected
    with pytest.raises(ValueError, match="no averages yet"):
        _ = average.averages
