"""Files of weights: what Keras would have written."""

import h5py
import keras
import numpy as np
import pytest
from keras import layers

from tfcourse.layers import BatchNormalization
from tfcourse.tuning.caviar import checkpoint_writer as caviar_checkpoints
from tfcourse.tuning.caviar.checkpoint_writer import BatchCheckpointWriter
from tfcourse.tuning.population import build_deferred, initial_values
from tfcourse.tuning.population.deferred import all_variables


def network(units, optimizer="adam", hidden=2, last=layers.Dense):
    model = keras.Sequential([keras.Input((3,))])
    for _ in range(hidden):
        model.add(layers.Dense(units, use_bias=False))
        model.add(BatchNormalization())
    model.add(last(2))
    model.compile(optimizer, "mse")
    return model


def built(*arguments):
    model = network(*arguments)
    model.optimizer.build(model.trainable_variables)
    return model


def contents(path):
    found = {}

    def visit(name, entry):
        data = isinstance(entry, h5py.Dataset)
        found[name] = (entry.dtype, entry[()]) if data else set(entry.attrs)

    with h5py.File(path) as file:
        file.visititems(visit)
    return found


def assert_like_kerass(path, model, rng, tmp_path, checkpoints, *arguments):
    values = [
        np.asarray(100 * rng.random(v.shape)).astype(v.dtype)
        for v in all_variables(model)
    ]
    drafted = build_deferred(lambda: network(*arguments))
    initial_values(model, [drafted])
    checkpoints.write(path, drafted, values)
    for variable, value in zip(all_variables(model), values, strict=True):
        variable.assign(value)
    model.save_weights(tmp_path / "keras.weights.h5", overwrite=True)
    expected = contents(tmp_path / "keras.weights.h5")
    actual = contents(path)
    assert list(actual) == list(expected)
    for name, entry in expected.items():
        if isinstance(entry, set):
            assert actual[name] == entry
        else:
            assert actual[name][0] == entry[0]
            np.testing.assert_array_equal(actual[name][1], entry[1])


def test_files_are_those_that_keras_writes(rng, tmp_path, monkeypatch):
    written = []
    save = caviar_checkpoints._save
    monkeypatch.setattr(
        caviar_checkpoints,
        "_save",
        lambda *a: written.append(a[0].name) or save(*a),
    )
    checkpoints = BatchCheckpointWriter()
    for i, arguments in enumerate(
        [
            (4, "adam"),
            (4, "adam"),
            (6, "adam"),
            (5, "sgd"),
            (7, "sgd"),
            (4, "adam", 3),
            (4, "adam"),
        ]
    ):
        path = tmp_path / f"{i}.weights.h5"
        assert_like_kerass(
            path, built(*arguments), rng, tmp_path, checkpoints, *arguments
        )
        model = built(*arguments)
        model.load_weights(path)
    # By Keras once for each kind of model, sizes aside.
    assert written == ["0.weights.h5", "3.weights.h5", "5.weights.h5"]


@keras.saving.register_keras_serializable("test_caviar_checkpoints")
class InItsOwnWay(layers.Dense):
    def save_own_variables(self, store):
        store["kernel times two"] = 2 * np.asarray(self.kernel)
        store["bias"] = np.asarray(self.bias)

    def load_own_variables(self, store):
        self.kernel.assign(store["kernel times two"] / 2)
        self.bias.assign(store["bias"])


@pytest.mark.parametrize("units", [3, 5])
def test_what_is_saved_in_its_own_way_is_left_to_keras(rng, tmp_path, units):
    checkpoints = BatchCheckpointWriter()
    arguments = units, "sgd", 1, InItsOwnWay
    for name in ("a", "b"):
        path = tmp_path / f"{name}.weights.h5"
        assert_like_kerass(
            path, built(*arguments), rng, tmp_path, checkpoints, *arguments
        )


def of_small_numbers(size):
    return layers.Dense(size, dtype="bfloat16")


class OfFewBits(layers.Layer):
    """Holds variables of which the writer can hardly tell one from another."""

    def __init__(self, size):
        super().__init__()
        self.size = size

    def build(self, _):
        self.kernel = self.add_weight((3, self.size))
        # More than eight bits tell apart.
        for _ in range(130):
            self.add_weight(())
        for dtype in ("int8", "bool", "bool", "uint8", "float16"):
            self.add_weight(
                (2,), "ones", dtype, trainable=False, name=f"{dtype}_values"
            )

    def call(self, inputs):
        return inputs @ self.kernel


@pytest.mark.parametrize("last", [of_small_numbers, OfFewBits])
def test_numbers_of_any_type_are_those_that_keras_writes(rng, tmp_path, last):
    checkpoints = BatchCheckpointWriter()
    for name in ("a", "b"):
        path = tmp_path / f"{name}.weights.h5"
        arguments = 3, "sgd", 0, last
        assert_like_kerass(
            path, built(*arguments), rng, tmp_path, checkpoints, *arguments
        )
