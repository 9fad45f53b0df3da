"""Models of many kinds as SavedModels: several inputs, own classes, halves."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import layers

import tfcourse.layers
from tfcourse.errors import InputError
from tfcourse.export import describe_saved_model, export_saved_model


class Own(keras.Model):
    def __init__(self):
        super().__init__()
        self.dense = layers.Dense(2)
        self.norm = tfcourse.layers.BatchNormalization()

    def call(self, inputs):
        return self.norm(self.dense(inputs["b"])) + inputs["a"]


def two_in_two_out(structure):
    words = keras.Input((4,), name="words", dtype="int32")
    ages = keras.Input((2,), name="ages")
    h = layers.Flatten()(layers.Embedding(3, 2)(words))
    h = layers.Concatenate()([h, ages])
    first = layers.Dense(3, name="first")(h)
    second = layers.Dense(1, name="second")(h)
    if structure is dict:
        return keras.Model(
            {"words": words, "ages": ages}, {"p": first, "q": second}
        )
    return keras.Model([words, ages], [first, second])


@pytest.mark.parametrize(
    "structure, names", [(list, ["first", "second"]), (dict, ["p", "q"])]
)
def test_several_inputs_and_outputs_keep_their_names(
    tmp_path, rng, structure, names
):
    model = two_in_two_out(structure)
    words = rng.integers(0, 3, size=(5, 4)).astype("int32")
    ages = rng.normal(size=(5, 2)).astype("float32")
    given = {"words": words, "ages": ages}
    expected = model(given if structure is dict else [words, ages])
    expected = keras.tree.flatten(expected)

    export_saved_model(model, tmp_path / "m")

    loaded = tf.saved_model.load(tmp_path / "m")
    answer = loaded.signatures["serve"](
        **{name: tf.constant(value) for name, value in given.items()}
    )
    assert sorted(answer) == names
    for name, wanted in zip(names, expected, strict=True):
        np.testing.assert_allclose(answer[name], wanted, rtol=1e-5, atol=1e-6)


def test_a_model_written_as_a_class(tmp_path, rng):
    model = Own()
    x = {
        "a": rng.normal(size=(5, 2)).astype("float32"),
        "b": rng.normal(size=(5, 3)).astype("float32"),
    }
    expected = model(x)

    export_saved_model(model, tmp_path / "m", input_names=["left", "right"])

    loaded = tf.saved_model.load(tmp_path / "m")
    answer = loaded.signatures["serve"](
        left=tf.constant(x["a"][:2]), right=tf.constant(x["b"][:2])
    )
    np.testing.assert_allclose(answer["outputs"], expected[:2], rtol=1e-5)


class OfIds(keras.Model):
    """Takes ids of words, and ages that are numbers."""

    def __init__(self):
        super().__init__()
        self.embedding = layers.Embedding(5, 3)
        self.dense = layers.Dense(2)

    def call(self, inputs):
        means = keras.ops.mean(self.embedding(inputs["words"]), axis=1)
        both = keras.ops.concatenate([means, inputs["ages"]], axis=-1)
        return self.dense(both)


def test_a_class_that_takes_ids_is_served_ids(tmp_path, rng):
    model = OfIds()
    x = {
        "words": rng.integers(0, 5, (4, 6)).astype("int32"),
        "ages": rng.normal(size=(4, 1)).astype("float32"),
    }
    expected = model(x)

    export_saved_model(model, tmp_path / "m")

    described = describe_saved_model(tmp_path / "m")
    takes = described["endpoints"]["serve"]["inputs"]
    assert takes["words"][0] == "int32"
    assert takes["ages"][0] == "float32"
    loaded = tf.saved_model.load(tmp_path / "m")
    given = {name: tf.constant(values) for name, values in x.items()}
    answer = loaded.signatures["serve"](**given)["outputs"]
    np.testing.assert_allclose(answer, expected, rtol=1e-5)


class IdsAsNumbers(keras.Model):
    def __init__(self):
        super().__init__()
        self.embedding = layers.Embedding(5, 1)

    def call(self, ids):
        return self.embedding(ids)[..., 0] + keras.ops.cast(ids, "float32")


def test_what_is_a_number_too_stays_one(tmp_path):
    model = IdsAsNumbers()
    model(np.ones((2, 3), "float32"))

    export_saved_model(model, tmp_path / "m")

    described = describe_saved_model(tmp_path / "m")
    takes = described["endpoints"]["serve"]["inputs"]
    assert takes["features"][0] == "float32"


def test_what_several_inputs_take_in_python_is_as_the_model_takes_it(
    tmp_path, rng
):
    model = keras.Model(
        a := [keras.Input((2,), name="a"), keras.Input((2,))],
        layers.Subtract()(a),
    )
    x = rng.normal(size=(2, 3, 2)).astype("float32")
    export_saved_model(model, tmp_path / "m")

    loaded = tf.saved_model.load(tmp_path / "m")
    layer = layers.TFSMLayer(tmp_path / "m", call_endpoint="serve")

    given = [tf.constant(x[0]), tf.constant(x[1])]
    for answer in (loaded.serve(given), layer(given)):
        np.testing.assert_allclose(answer["outputs"], x[0] - x[1], rtol=1e-6)
    described = describe_saved_model(tmp_path / "m")
    assert set(described["endpoints"]["serve"]["inputs"]) == {"a", "input_1"}


def twice_the_same_layer(x):
    dense = layers.Dense(2)
    return [dense(x), dense(-x)]


@pytest.mark.parametrize(
    "make, names",
    [
        (twice_the_same_layer, ["output_0", "output_1"]),
        (
            lambda x: {"y": [layers.Dense(2)(x), layers.Dense(1)(x)]},
            ["y_0", "y_1"],
        ),
    ],
    ids=["one name", "nested"],
)
def test_no_output_is_lost(tmp_path, rng, make, names):
    x = keras.Input((4,))
    model = keras.Model(x, make(x))
    sample = rng.normal(size=(3, 4)).astype("float32")

    export_saved_model(model, tmp_path / "m")

    loaded = tf.saved_model.load(tmp_path / "m")
    answer = loaded.serve(tf.constant(sample))
    assert sorted(answer) == names
    expected = keras.tree.flatten(model(sample))
    for name, wanted in zip(names, expected, strict=True):
        np.testing.assert_allclose(answer[name], wanted, rtol=1e-5, atol=1e-6)


def test_text_goes_in(tmp_path):
    model = keras.Sequential(
        [
            keras.Input((2,), dtype="string"),
            layers.StringLookup(vocabulary=["up", "down"], output_mode="count"),
        ]
    )
    export_saved_model(model, tmp_path / "m")

    loaded = tf.saved_model.load(tmp_path / "m")
    answer = loaded.serve(tf.constant([["down", "up"], ["left", "up"]]))
    np.testing.assert_array_equal(answer["outputs"], [[0, 1, 1], [1, 1, 0]])


def test_any_number_of_any_length(tmp_path, rng):
    model = keras.Sequential(
        [
            keras.Input((None,), dtype="int32"),
            layers.Embedding(20, 3, mask_zero=True),
            layers.SimpleRNN(2),
            layers.Softmax(),
        ]
    )
    x = rng.integers(0, 20, size=(5, 9)).astype("int32")
    x[:, 0] = 1
    export_saved_model(model, tmp_path / "m", labels=["a", "b"])

    loaded = tf.saved_model.load(tmp_path / "m")
    for batch in (0, 1, 5):
        for length in (1, 9):
            some = x[:batch, :length]
            answer = loaded.classify(tf.constant(some))
            assert answer["label"].shape == (batch,)
            np.testing.assert_allclose(
                answer["probabilities"],
                model(x[:, :length])[:batch],
                rtol=1e-5,
                atol=1e-6,
            )


def test_a_model_that_takes_no_more_than_a_few_steps(tmp_path):
    x = keras.Input((None,), dtype="int32")
    positions = layers.Embedding(10, 2)(keras.ops.cumsum(x * 0 + 1, axis=1))
    model = keras.Model(x, layers.GlobalAveragePooling1D()(positions))
    export_saved_model(model, tmp_path / "m")


def test_a_model_for_one_number_of_examples_is_refused(tmp_path):
    model = keras.Sequential(
        [keras.Input(batch_shape=(2, 5, 3)), layers.LSTM(2, stateful=True)]
    )
    with pytest.raises(InputError, match="any number of examples.*stateful"):
        export_saved_model(model, tmp_path / "m")
    assert list(tmp_path.iterdir()) == []


def test_mixed_precision(tmp_path, rng):
    policy = keras.DTypePolicy("mixed_float16")
    model = keras.Sequential(
        [
            keras.Input((4,)),
            layers.Dense(8, dtype=policy),
            tfcourse.layers.BatchNormalization(dtype=policy),
            layers.Dense(3, dtype=policy),
        ]
    )
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile("sgd", loss)
    x = rng.normal(size=(5, 4)).astype("float32")

    export_saved_model(model, tmp_path / "m", labels=[0, 1, 2])

    loaded = tf.saved_model.load(tmp_path / "m")
    answer = loaded.classify(tf.constant(x))
    z = np.float64(model(x))
    e = np.exp(z - z.max(axis=1, keepdims=True))
    np.testing.assert_allclose(
        answer["probabilities"], e / e.sum(axis=1, keepdims=True), atol=2e-3
    )


def test_top_classes_come_likeliest_first(tmp_path, rng):
    model = keras.Sequential([keras.Input((7,)), layers.Softmax()])
    x = rng.normal(size=(5, 7)).astype("float32")

    export_saved_model(model, tmp_path / "m", labels=list("abcdefg"))

    loaded = tf.saved_model.load(tmp_path / "m")
    answer = loaded.classify(tf.constant(x))
    order = np.argsort(-x, axis=1)[:, :5]
    expected = np.array(list("abcdefg"), "S")[order]
    assert answer["top_labels"].numpy().tolist() == expected.tolist()
    assert answer["label"].numpy().tolist() == expected[:, 0].tolist()
    np.testing.assert_allclose(
        answer["top_probabilities"],
        np.take_along_axis(answer["probabilities"].numpy(), order, axis=1),
        rtol=1e-6,
    )


def test_loads_as_a_keras_layer(tmp_path, rng):
    model = keras.Sequential([keras.Input((4,)), layers.Dense(2)])
    x = rng.normal(size=(5, 4)).astype("float32")
    export_saved_model(model, tmp_path / "m")

    layer = layers.TFSMLayer(tmp_path / "m", call_endpoint="serve")

    np.testing.assert_allclose(layer(x)["outputs"], model(x), rtol=1e-5)


def test_a_description_names_what_goes_in_and_out(tmp_path):
    export_saved_model(
        two_in_two_out(list), tmp_path / "m", metadata={"units": {"ages": "y"}}
    )
    described = describe_saved_model(tmp_path / "m")

    assert described["endpoints"]["serve"] == {
        "inputs": {
            "ages": ("float32", [None, 2]),
            "words": ("int32", [None, 4]),
        },
        "outputs": {
            "first": ("float32", [None, 3]),
            "second": ("float32", [None, 1]),
        },
    }
    assert described["metadata"]["units"] == {"ages": "y"}
    files = (tmp_path / "m").rglob("*")
    assert described["bytes"] == sum(
        f.stat().st_size for f in files if f.is_file()
    )


@pytest.mark.parametrize(
    "arguments, message",
    [
        ({"labels": ["a", "b", "c"]}, "2 outputs, and labels"),
        ({"input_names": ["one"]}, "different name for each input"),
        ({"input_names": ["a", "a"]}, "different name for each input"),
    ],
)
def test_wrong_names_are_refused(tmp_path, arguments, message):
    with pytest.raises(InputError, match=message):
        export_saved_model(two_in_two_out(list), tmp_path / "m", **arguments)
    assert list(tmp_path.iterdir()) == []
