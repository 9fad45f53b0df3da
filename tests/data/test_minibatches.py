"""Mini-batches and the batch-size rule."""

import keras
import numpy as np
import pytest
import reference
from hypothesis import given, settings
from hypothesis import strategies as st

from tfcourse import data


@settings(max_examples=50, deadline=None, derandomize=True)
@given(st.integers(1, 70), st.integers(1, 80), st.integers(0, 5))
def test_every_example_comes_once_with_its_class(m, batch_size, seed):
    x = np.arange(m)

    batches = list(data.mini_batches(x, -x, batch_size, seed))

    assert [len(a) for a, _ in batches[:-1]] == [batch_size] * (
        len(batches) - 1
    )
    assert len(batches) == -(-m // batch_size)
    assert sorted(np.concatenate([a for a, _ in batches])) == x.tolist()
    assert all((a == -b).all() for a, b in batches)


def test_seed_decides_the_order():
    x = np.arange(100)

    def order(seed):
        return [a.tolist() for a, _ in data.mini_batches(x, x, 10, seed)]

    assert order(0) == order(0)
    assert order(0) != order(1)
    assert order((0, 1)) != order((0, 2))


@pytest.mark.parametrize(
    "y, batch_size, message",
    [([1, 2], 1, "3 and 2"), ([1, 2, 3], 0, "batch_size.*0")],
)
def test_bad_arguments_are_refused_at_once(y, batch_size, message):
    with pytest.raises(ValueError, match=message):
        data.mini_batches([1, 2, 3], y, batch_size)


@pytest.mark.parametrize(
    "m, memory, expected",
    [
        (1, None, 1),
        (2_000, None, 2_000),
        (2_001, None, 512),
        (50_000, 511, 256),
        (50_000, 64, 64),
        (1_000, 999, 512),
    ],
)
def test_batch_size_follows_the_courses_rule(m, memory, expected):
    size = {} if memory is None else {"bytes_per_example": 1, "memory": memory}
    assert data.recommended_batch_size(m, **size) == expected
    fitting = {} if memory is None else {"fitting": memory}
    assert reference.batch_size(m, **fitting) == expected


@settings(max_examples=50, deadline=None, derandomize=True)
@given(st.integers(1, 5000), st.integers(1, 30), st.integers(1, 10**5))
def test_batch_size_fits(m, bytes_per_example, memory):
    expected = reference.batch_size(m, memory // bytes_per_example)

    def recommended():
        return data.recommended_batch_size(m, bytes_per_example, memory)

    if expected is None:
        with pytest.raises(ValueError, match="Not even"):
            recommended()
    else:
        assert recommended() == expected


@pytest.mark.parametrize(
    "function, name",
    [
        (data.split_sizes, "m"),
        (data.recommended_batch_size, "m"),
        (lambda n: data.mini_batches([1], [1], n), "batch_size"),
    ],
)
@pytest.mark.parametrize("value", [10.5, True, "a", None])
def test_counts_must_be_whole(function, name, value):
    with pytest.raises(TypeError, match=f"{name}={value!r}"):
        function(value)


def test_examples_that_do_not_fit_are_refused():
    with pytest.raises(ValueError, match="Not even 64 examples of 10 bytes"):
        data.recommended_batch_size(50_000, bytes_per_example=10, memory=639)


def test_dataset_gives_the_same_batches_epoch_by_epoch(rng):
    x, y = rng.normal(size=(10, 3)).astype("float32"), np.arange(10)
    dataset = data.mini_batch_dataset(x, y, batch_size=4, seed=7)

    assert len(dataset) == 3
    for epoch in range(2):
        expected = data.mini_batches(x, y, batch_size=4, seed=(7, epoch))
        for actual, wanted in zip(dataset, expected, strict=True):
            np.testing.assert_array_equal(actual[0], wanted[0])
            np.testing.assert_array_equal(actual[1], wanted[1])


def test_dataset_trains_a_model(rng):
    x = rng.normal(size=(10, 3)).astype("float32")
    model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(1)])
    model.compile("sgd", "mse")

    batches = data.mini_batch_dataset(x, x[:, 0], batch_size=4)
    history = model.fit(batches, epochs=2, shuffle=False, verbose=0)

    assert len(history.history["loss"]) == 2
