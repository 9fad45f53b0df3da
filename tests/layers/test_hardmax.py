"""Hardmax: one 1 for each vector, at the first of the largest."""

import keras
import numpy as np
import pytest
import reference
from hypothesis import given, settings
from hypothesis import strategies as st
from keras import ops

from tfcourse.layers import Hardmax


def array(tensor):
    return ops.convert_to_numpy(tensor)


def test_of_the_lecture():
    z = np.array([[5.0, 2.0, -1.0, 3.0]], "float32")
    np.testing.assert_array_equal(array(Hardmax()(z)), [[1, 0, 0, 0]])


@settings(max_examples=25, deadline=None)
@given(
    z=st.lists(
        st.lists(st.integers(-3, 3), min_size=4, max_size=4),
        min_size=1,
        max_size=5,
    )
)
def test_first_of_the_largest_has_it(z):
    z = np.array(z, "float32")
    expected = reference.hardmax(z)
    np.testing.assert_array_equal(array(Hardmax()(z)), expected)
    np.testing.assert_array_equal(array(Hardmax(axis=0)(z.T)), expected.T)


@pytest.mark.parametrize("axis", [1, 2, -1, -3])
def test_any_axis(rng, axis):
    z = rng.normal(size=(2, 3, 4, 5)).astype("float32")
    y = array(Hardmax(axis=axis)(z))
    np.testing.assert_array_equal(y, z == z.max(axis=axis, keepdims=True))


def test_is_the_limit_of_softmax(rng):
    z = rng.normal(size=(6, 4)).astype("float32")
    np.testing.assert_allclose(
        array(Hardmax()(z)), array(ops.softmax(1e4 * z)), atol=1e-6
    )


@pytest.mark.parametrize("dtype", ["float16", "float32", "int32"])
def test_keeps_the_dtype(dtype):
    z = ops.convert_to_tensor([[1, 3, 2]], dtype)
    y = Hardmax(dtype="mixed_float16" if dtype == "float16" else None)(z)
    assert keras.backend.standardize_dtype(y.dtype) == dtype
    symbol = Hardmax()(keras.Input((3,), dtype=dtype))
    assert symbol.dtype == ("float32" if dtype == "float16" else dtype)


@pytest.mark.parametrize("axis", [1.5, None, True, (0, 1)])
def test_refuses_an_axis(axis):
    with pytest.raises(TypeError, match="`axis` of Hardmax"):
        Hardmax(axis=axis)


def test_refuses_an_axis_that_is_not_there():
    for scores in (np.ones((2, 3), "float32"), keras.Input((3,))):
        with pytest.raises(ValueError, match="`axis` .* input's 2"):
            Hardmax(axis=2)(scores)


def test_refuses_unknown_arguments():
    with pytest.raises(ValueError, match="axes"):
        Hardmax(axes=1)
