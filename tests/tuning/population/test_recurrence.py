"""Are recurrences that are written out the same as in Keras's loop?"""

import itertools

import keras
import numpy as np
import pytest

from tfcourse.tuning.population.functional.recurrence import unrolled

FLAGS = (
    "go_backwards",
    "return_sequences",
    "return_state",
    "zero_output_for_mask",
)
MASK = np.array([[1, 1, 1, 1], [1, 1, 0, 0], [0, 1, 0, 1]], bool)


@pytest.mark.parametrize("masked", [False, True], ids=["plain", "masked"])
@pytest.mark.parametrize("kind", ["LSTM", "GRU", "SimpleRNN"])
def test_with_a_mask_or_without(rng, kind, masked):
    x = rng.normal(size=(3, 4, 2)).astype("float32")
    mask = keras.ops.convert_to_tensor(MASK) if masked else None
    for values in itertools.product([False, True], repeat=len(FLAGS)):
        flags = dict(zip(FLAGS, values, strict=True))
        layer = getattr(keras.layers, kind)(2, **flags)
        expected = keras.tree.flatten(layer(x, mask=mask))
        before = {*vars(layer)}
        with unrolled([layer]):
            assert layer.unroll
            actual = keras.tree.flatten(layer(x, mask=mask))
        assert not layer.unroll
        assert {*vars(layer)} == before
        for one, other in zip(actual, expected, strict=True):
            np.testing.assert_allclose(
                one, other, rtol=1e-5, atol=1e-6, err_msg=str(flags)
            )
