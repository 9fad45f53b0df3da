"""Are data of each kind taken as `fit` takes them?"""

import importlib.util

import h5py
import keras
import numpy as np
import pandas
import pytest
import scipy.sparse
import tensorflow as tf
from keras import layers
from side_by_side import assert_all_same

N = 10
X = np.linspace(-1, 1.5, 2 * N).reshape(N, 2).astype("float32")
Y = (np.arange(N) % 3 == 0).astype("float32")
LABELS = np.arange(N) % 3
WEIGHTS = np.linspace(0.1, 2, N).astype("float32")
CROSS = "sparse_categorical_crossentropy"


def one(outputs=1, activation="sigmoid", loss="binary_crossentropy", **kwargs):
    def build():
        model = keras.Sequential(
            [
                keras.Input((2,)),
                layers.Dense(outputs, activation, kernel_initializer="ones"),
            ]
        )
        model.compile(keras.optimizers.SGD(0.5), loss, **kwargs)
        return model

    return build


def classes(**kwargs):
    return one(3, "softmax", CROSS, **kwargs)


def of_inputs(inputs, outputs=lambda out: out, loss="mse", **kwargs):
    """Returns what builds a model of inputs in a structure."""

    def build():
        tensors = keras.tree.map_structure(
            lambda size: keras.Input((size,)), inputs
        )
        if isinstance(inputs, dict):
            tensors = {n: keras.Input((s,), name=n) for n, s in inputs.items()}
        hidden = layers.concatenate(keras.tree.flatten(tensors))
        out = layers.Dense(1, kernel_initializer="ones", name="value")(hidden)
        more = layers.Dense(1, kernel_initializer="ones", name="more")(hidden)
        model = keras.Model(tensors, outputs((out, more)))
        model.compile(keras.optimizers.SGD(0.05), loss, **kwargs)
        return model

    return build


def own_loss():
    x = keras.Input((2,))
    out = layers.Dense(1, kernel_initializer="ones")(x)

    class Loss(layers.Layer):
        def call(self, out):
            self.add_loss(keras.ops.mean(keras.ops.square(out)))
            return out

    model = keras.Model(x, Loss()(out))
    model.compile(keras.optimizers.SGD(0.05))
    return model


def sequences():
    model = keras.Sequential(
        [
            keras.Input((None,), dtype="int32"),
            layers.Embedding(9, 2, embeddings_initializer="ones"),
            layers.GlobalAveragePooling1D(),
            layers.Dense(1, kernel_initializer="ones"),
        ]
    )
    model.compile(keras.optimizers.SGD(0.05), "mse")
    return model


def on_disk(folder):
    path = folder / "x.h5"
    with h5py.File(path, "w") as file:
        file["x"] = X
    return h5py.File(path)["x"]


def first_of(pair):
    return pair[0]


def named(pair):
    return {"value": pair[0], "more": pair[1]}


Z = X[:, :1]
PAIR = [Z, 2 * Z]
KINDS = {
    "float64": (one(), X.astype("float64"), Y.astype("float64")),
    "float16": (one(), X.astype("float16"), Y.astype("float16")),
    "bytes": (one(), (40 * (X + 1)).astype("uint8"), Y.astype("uint8")),
    "integers": (one(), (4 * X).astype("int64"), Y.astype("int64")),
    "flags": (one(), X > 0, Y > 0),
    "big-endian": (one(), X.astype(">f4"), Y.astype(">f4")),
    "Fortran's order": (one(), np.asfortranarray(X), Y),
    "backwards": (one(), X[::-1, ::-1], Y[::-1]),
    "every other": (one(), np.repeat(X, 2, axis=0)[::2], Y),
    "read-only": (one(), np.broadcast_to(X[:1], X.shape), Y),
    "a frame": (one(), pandas.DataFrame(X), pandas.Series(Y)),
    "a frame by an index": (
        one(),
        pandas.DataFrame(X, index=range(N)[::-1]),
        pandas.Series(Y, index=range(5, 5 + N)),
    ),
    "a frame of kinds": (
        one(),
        pandas.DataFrame({"a": X[:, 0], "b": (9 * X[:, 1]).astype("int64")}),
        pandas.DataFrame({"y": Y}),
    ),
    "a frame of flags": (one(), pandas.DataFrame(X > 0), pandas.Series(Y > 0)),
    "tensors": (one(), tf.constant(X), tf.constant(Y)),
    "tensors of integers": (one(), tf.constant(4 * X, "int32"), tf.constant(Y)),
    "a variable": (one(), tf.Variable(X), Y),
    "sparse": (one(), scipy.sparse.csr_matrix(X), Y),
    "a sparse tensor": (one(), tf.sparse.from_dense(X), Y),
    "ragged": (
        sequences,
        tf.ragged.constant([[1 + i % 8] * (1 + i % 3) for i in range(N)]),
        Y,
    ),
    "a structure": (
        one(),
        np.zeros(N, [("a", "f4"), ("b", "f4")]),
        Y,
    ),
    "objects": (one(), X.astype(object), Y),
    "rows": (one(), X.tolist(), Y.tolist()),
    "labels": (classes(metrics=["accuracy"]), X, LABELS.astype("int64")),
    "labels of a column": (classes(), X, LABELS[:, None].astype("int8")),
    "labels as floats": (classes(), X, LABELS.astype("float64")),
    "labels in bytes": (classes(), X, LABELS.astype("uint8")),
    "one-hot": (
        one(3, "softmax", "categorical_crossentropy", metrics=["accuracy"]),
        X,
        np.eye(3, dtype="uint8")[LABELS],
    ),
    "no targets": (own_loss, X, None),
    "a list of inputs": (of_inputs([1, 1], first_of), PAIR, Y),
    "a tuple of inputs": (of_inputs((1, 1), first_of), tuple(PAIR), Y),
    "inputs by name": (
        of_inputs({"b": 1, "a": 1}, first_of),
        {"a": Z, "b": 2 * Z},
        Y,
    ),
    "inputs by name, of kinds": (
        of_inputs({"b": 1, "a": 1}, first_of),
        {"b": pandas.Series(X[:, 0]), "a": tf.constant(X[:, 1])},
        Y,
    ),
    "a list of targets": (of_inputs([1, 1], list), PAIR, [Y, 2 * Y]),
    "targets by name": (
        of_inputs(
            [1, 1],
            named,
            {"more": "mse", "value": "mae"},
            loss_weights={"value": 0.25, "more": 3.0},
            metrics={"value": ["mse"], "more": ["mae"]},
            weighted_metrics={"more": ["mse"]},
        ),
        PAIR,
        {"more": 2 * Y, "value": Y},
    ),
    "a list of losses": (
        of_inputs([1, 1], list, ["mse", "mae"], loss_weights=[0.5, 2]),
        PAIR,
        [Y, 2 * Y],
    ),
    "one loss for all": (
        of_inputs([1, 1], list, "mae", metrics=[["mse"], ["mae", "mse"]]),
        PAIR,
        [Y, 2 * Y],
    ),
}
WEIGHED = {
    "a column": (one(), X, Y, WEIGHTS[:, None]),
    "integers": (one(), X, Y, np.arange(N)),
    "float64": (one(), X, Y, WEIGHTS.astype("float64")),
    "zero": (one(), X, Y, WEIGHTS * 0),
    "a series": (one(), X, Y, pandas.Series(WEIGHTS)),
    "a tensor": (one(), X, Y, tf.constant(WEIGHTS)),
    "one for all outputs": (of_inputs([1, 1], list), PAIR, [Y, Y], WEIGHTS),
    "of each output": (
        of_inputs([1, 1], list, weighted_metrics=[["mae"], ["mse"]]),
        PAIR,
        [Y, 2 * Y],
        [WEIGHTS, WEIGHTS[::-1]],
    ),
    "of each output by name": (
        of_inputs([1, 1], named, weighted_metrics={"more": ["mae"]}),
        PAIR,
        {"value": Y, "more": 2 * Y},
        {"more": WEIGHTS, "value": WEIGHTS[::-1]},
    ),
    "of one of two outputs": (
        of_inputs([1, 1], named),
        PAIR,
        {"value": Y, "more": 2 * Y},
        {"more": WEIGHTS},
    ),
}
for module in ("torch", "jax"):
    if importlib.util.find_spec(module):
        library = pytest.importorskip(module)
        make = getattr(library, "tensor", None) or library.numpy.asarray
        KINDS[module] = one(), make(X), make(Y)


def cases(table, names):
    """Each is validated on the same data, in batches of which one is short."""
    found = {}
    for name in names:
        build, *args = table[name]
        kwargs = {"batch_size": 4, "validation_batch_size": 3}
        if len(args) == 3:
            kwargs["sample_weight"] = args.pop()
            kwargs["validation_data"] = (*args, kwargs["sample_weight"])
        else:
            kwargs["validation_data"] = tuple(args)
        found[name] = build, args, kwargs
    return found


@pytest.mark.filterwarnings("ignore::UserWarning")
def test_some_kinds(tmp_path):
    names = ["a frame of kinds", "bytes", "inputs by name"]
    how = assert_all_same(tmp_path, cases(KINDS, names), "val_loss")
    assert {*how.values()} == {"vectorised"}


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::UserWarning")
@pytest.mark.parametrize("share", range(3))
def test_each_kind(tmp_path, share):
    names = [*KINDS][share::3]
    assert_all_same(tmp_path, cases(KINDS, names), "val_loss")


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::UserWarning")
def test_arrays_on_disk(tmp_path):
    table = {"on disk": (one(), on_disk(tmp_path), Y)}
    assert_all_same(tmp_path, cases(table, table), "val_loss")


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::UserWarning")
def test_weights_of_each_kind(tmp_path):
    assert_all_same(tmp_path, cases(WEIGHED, WEIGHED), "val_loss")


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::UserWarning")
def test_kinds_are_split_as_by_fit(tmp_path):
    names = ["float64", "bytes", "a frame", "tensors", "sparse", "flags"]
    split = {
        name: (KINDS[name][0], KINDS[name][1:], {"validation_split": 0.3})
        for name in [*names, "targets by name"]
    }
    assert_all_same(tmp_path, split, "val_loss")
