"""The layers before a network that takes columns, against NumPy and pandas."""

import keras
import numpy as np
import pandas as pd
import pytest

from tfcourse.layers.columns.calendar_parts import PARTS, CalendarParts
from tfcourse.layers.columns.fill_missing import FillMissing
from tfcourse.layers.columns.standardize import Standardize


@pytest.fixture(autouse=True)
def float64():
    """JAX has float64 only where it is asked to."""
    if keras.config.backend() != "jax":
        yield
        return
    import jax

    jax.config.update("jax_enable_x64", True)
    yield
    jax.config.update("jax_enable_x64", False)


def by_xla(layer):
    """Returns a call that XLA compiles, which divides by reciprocals."""
    if keras.config.backend() == "jax":
        import jax

        return jax.jit(layer)
    import tensorflow as tf

    return tf.function(layer, jit_compile=True)


@pytest.mark.parametrize("compiled", [lambda layer: layer, by_xla])
def test_calendar_parts_are_those_of_pandas(compiled):
    times = pd.date_range("1896-02-27", "2104-03-02", freq="37h")
    seconds = times.values.astype("datetime64[s]").astype("int64")

    parts = np.asarray(compiled(CalendarParts())(seconds.astype("float64")))

    expected = {
        "time": seconds,
        "year": times.year,
        "month": times.month,
        "day": times.day,
        "weekday": times.day_of_week,
        "hour": times.hour,
    }
    for part, found in zip(PARTS, parts.T, strict=True):
        np.testing.assert_array_equal(found, expected[part])


def test_some_parts_of_a_fraction_of_a_second():
    layer = CalendarParts(["hour", "time"])

    parts = np.asarray(layer(np.array([-0.25])))

    assert parts.tolist() == [[23.0, -0.25]]


def test_unknown_parts_are_refused():
    with pytest.raises(ValueError, match="must be some of time, .*Received"):
        CalendarParts(["minute"])


def test_standardize_tells_neighbours_apart():
    x = np.array([[100_000_000.0, 1e-9, 5], [100_000_001.0, 3e-9, 5]])

    z = Standardize(x.mean(axis=0), x.std(axis=0))(x)

    assert z.dtype == "float32"
    np.testing.assert_allclose(z, [[-1, -1, 0], [1, 1, 0]], rtol=1e-6)


def test_what_never_varied_stays_out():
    z = Standardize([5.0], [0.0])(np.array([[1e6], [5.0]]))

    assert np.asarray(z).tolist() == [[0.0], [0.0]]


def test_missing_values_are_filled_and_marked():
    x = np.array([[np.nan, 1.0, np.nan], [2.0, np.nan, 3.0]])

    filled, marks = FillMissing([7.0, 8.0, 1e8 + 1], [2, 0])(x)

    assert np.asarray(filled).tolist() == [[7, 1, 1e8 + 1], [2, 8, 3]]
    assert np.asarray(marks).tolist() == [[1, 1], [0, 0]]


def test_no_marks_are_a_tensor_of_no_columns():
    _, marks = FillMissing([7.0])(np.array([[np.nan]]))

    assert marks.shape == (1, 0)


LAYERS = [
    (CalendarParts(["year", "time"]), np.array([1.7e9, 0.0])),
    (Standardize([1e8 + 1.0], [3.0]), np.array([[1e8], [2.0]])),
    (FillMissing([1e8 + 1.0], [0]), np.array([[np.nan], [2.0]])),
]


@pytest.mark.parametrize("layer, x", LAYERS, ids=lambda v: type(v).__name__)
def test_config_shapes_and_programs(layer, x, tmp_path):
    inputs = keras.Input(x.shape[1:], dtype="float64")
    model = keras.Model(inputs, layer(inputs))
    model.save(tmp_path / "m.keras")

    loaded = keras.saving.load_model(tmp_path / "m.keras")

    same = type(layer).from_config(layer.get_config())
    expected = keras.tree.flatten(layer(x))
    for other in (loaded, same):
        for a, b in zip(expected, keras.tree.flatten(other(x)), strict=True):
            assert a.dtype == b.dtype
            np.testing.assert_array_equal(a, b)
    symbolic = keras.tree.flatten(model.output)
    for tensor, value in zip(symbolic, expected, strict=True):
        assert tensor.shape[1:] == value.shape[1:]
        assert tensor.dtype == keras.backend.standardize_dtype(value.dtype)
