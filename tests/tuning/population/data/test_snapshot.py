"""Snapshots: is what is read what was written?"""

import math

import ml_dtypes
import numpy as np
import pytest

from tfcourse.tuning.population.data.snapshot import Snapshot


def snapshot(best=None):
    return Snapshot(
        3,
        [np.arange(12.0).reshape(2, 3, 2), np.array([1, 2], np.uint32)],
        best,
        {"done": np.array([True, False])},
        [{"epoch": [0, 1], "history": {"loss": [math.inf, 0.1]}}] * 2,
        {"drawn": np.random.default_rng(0).bit_generator.state, "left": [4]},
        {"of": "the caller"},
    )


@pytest.mark.parametrize("best", [None, [np.zeros(2, "float32")]])
def test_it_is_read_as_it_was_written(tmp_path, best):
    written, path = snapshot(best), tmp_path / "file.npz"
    written.write(path)
    found = Snapshot.read(path)
    for name in ("epoch", "histories", "order", "extra"):
        assert getattr(found, name) == getattr(written, name)
    assert found.marks["done"].tolist() == [True, False]
    assert (found.best is None) == (best is None)
    for one, other in zip(found.arrays, written.arrays, strict=True):
        assert one.dtype == other.dtype
        np.testing.assert_array_equal(one, other)


def test_numbers_that_numpy_does_not_know_come_as_bytes(tmp_path):
    values = np.array([1.5, -2.0], ml_dtypes.bfloat16)
    Snapshot(1, [values], None, {}, [], None).write(tmp_path / "file.npz")
    (found,) = Snapshot.read(tmp_path / "file.npz").arrays
    assert found.dtype.kind == "V"
    np.testing.assert_array_equal(found.view("bfloat16"), values)


def test_a_damaged_file_is_told(tmp_path):
    path = tmp_path / "file.npz"
    with pytest.raises(FileNotFoundError):
        Snapshot.read(path)
    snapshot().write(path)
    path.write_bytes(path.read_bytes()[:-50])
    with pytest.raises(ValueError, match="it is damaged"):
        Snapshot.read(path)
    np.savez(path, plain=np.frombuffer(b'{"epoch": "x"}', np.uint8))
    with pytest.raises(ValueError, match="epoch"):
        Snapshot.read(path)
