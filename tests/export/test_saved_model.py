"""SavedModels: do they answer as the model does, also without tfcourse?"""

import subprocess
import sys

import keras
import numpy as np
import pytest
import tensorflow as tf

from tfcourse import export_saved_model
from tfcourse.errors import InputError
from tfcourse.export import class_probabilities, load_saved_model


def classifier(outputs=3, activation="softmax", loss=None):
    keras.utils.set_random_seed(0)
    model = keras.Sequential(
        [
            keras.Input((4,)),
            keras.layers.BatchNormalization(),
            keras.layers.Dropout(0.5),
            keras.layers.Dense(outputs, activation),
        ]
    )
    model.compile("sgd", loss or "sparse_categorical_crossentropy")
    return model


LOGITS = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
BINARY_LOGITS = keras.losses.BinaryCrossentropy(from_logits=True)


def sigmoid(z):
    return 1 / (1 + np.exp(-z))


def softmax(z):
    return np.exp(z) / np.exp(z).sum(axis=-1, keepdims=True)


@pytest.mark.parametrize(
    "model, labels, expected",
    [
        (classifier(), ["no", "so", "yes"], lambda a: a),
        (classifier(3, None, LOGITS), [-1, 0, 7], softmax),
        (classifier(3, None, [LOGITS]), np.array([-1, 0, 7]), softmax),
        (
            classifier(1, "sigmoid", "binary_crossentropy"),
            ["no", "yes"],
            lambda a: np.hstack([1 - a, a]),
        ),
        (
            classifier(1, None, BINARY_LOGITS),
            [False, True],
            lambda z: np.hstack([1 / (1 + np.exp(z)), 1 / (1 + np.exp(-z))]),
        ),
        # Keras trains these on the logits before the activation.
        (classifier(3, "softmax", LOGITS), [0, 1, 2], lambda a: a),
        (
            classifier(1, "sigmoid", BINARY_LOGITS),
            [0, 1],
            lambda a: np.hstack([1 - a, a]),
        ),
        (classifier(3, None, BINARY_LOGITS), [0, 1, 2], sigmoid),
    ],
    ids=[
        *("softmax", "logits", "list of losses", "sigmoid", "one logit"),
        *("softmax of logits", "sigmoid of logits", "three sigmoids"),
    ],
)
def test_endpoints_answer_as_the_model_does(
    tmp_path, rng, model, labels, expected
):
    x = rng.normal(size=(7, 4)).astype("float32")
    outputs = model.predict(x, verbose=0)

    export_saved_model(model, tmp_path / "m", labels=labels)
    loaded = tf.saved_model.load(tmp_path / "m")
    answer = {k: v.numpy() for k, v in loaded.classify(tf.constant(x)).items()}

    served = loaded.serve(tf.constant(x))["outputs"].numpy()
    np.testing.assert_allclose(served, outputs, rtol=1e-5, atol=1e-6)
    probabilities = expected(outputs)
    np.testing.assert_allclose(
        answer["probabilities"], probabilities, rtol=1e-5, atol=1e-6
    )
    np.testing.assert_allclose(
        class_probabilities(model, x), probabilities, rtol=1e-5, atol=1e-6
    )
    np.testing.assert_allclose(
        answer["probability"], probabilities.max(axis=-1), rtol=1e-5
    )
    names = [labels[i] for i in probabilities.argmax(axis=-1)]
    if isinstance(labels[0], bool | str):
        names = [str(name).encode() for name in names]
    assert answer["label"].tolist() == names
    assert set(loaded.signatures) == {"serve", "serving_default", "classify"}


@pytest.mark.slow
def test_loads_where_tfcourse_is_not_installed(tmp_path):
    export_saved_model(classifier(), tmp_path / "m", labels=["a", "b", "c"])
    code = f"""
import sys
sys.modules["tfcourse"] = None  # Importing it fails from here on.
sys.modules["keras"] = None
import tensorflow as tf
model = tf.saved_model.load({str(tmp_path / "m")!r})
print(model.classify(tf.zeros([2, 4]))["label"].numpy().tolist())
"""
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == "[b'a', b'a']"


def test_metadata_comes_back(tmp_path):
    export_saved_model(
        classifier(),
        tmp_path / "m",
        labels=[3, 5, 7],
        metadata={"note": "β", "loss": np.float32(0.5), "seen": np.arange(2)},
    )
    _, metadata = load_saved_model(tmp_path / "m")

    assert metadata["labels"] == [3, 5, 7]
    assert metadata["note"] == "β"
    assert (metadata["loss"], metadata["seen"]) == (0.5, [0, 1])


@pytest.mark.parametrize(
    "metadata",
    [
        {"feature_names": "abcd"},
        {"feature_names": ["a", "a", "b", "c"]},
        {"ranges": {"a": 1}},
        {"ranges": {"a": [1, 0]}},
    ],
)
def test_metadata_that_predict_cannot_use_is_refused(tmp_path, metadata):
    with pytest.raises(InputError, match=next(iter(metadata))):
        export_saved_model(classifier(), tmp_path / "m", metadata=metadata)
    assert list(tmp_path.iterdir()) == []


def test_existing_path_is_kept_unless_told(tmp_path):
    path = tmp_path / "m"
    export_saved_model(classifier(), path)
    with pytest.raises(InputError, match="exists already"):
        export_saved_model(classifier(), path, labels=["a", "b", "c"])
    assert "classify" not in tf.saved_model.load(path).signatures

    export_saved_model(
        classifier(), path, labels=["a", "b", "c"], overwrite=True
    )
    assert "classify" in tf.saved_model.load(path).signatures
    assert [p.name for p in tmp_path.iterdir()] == ["m"]


@keras.saving.register_keras_serializable(package="tests")
class Noise(keras.layers.Layer):
    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.seed = keras.random.SeedGenerator(0)

    def call(self, x):
        return x + keras.random.normal(keras.ops.shape(x), seed=self.seed)


@pytest.mark.parametrize(
    "model, labels, message",
    [
        (keras.Sequential([keras.layers.Dense(2)]), None, "is not built"),
        (classifier(), ["a", "b"], "2 labels for the 3 outputs"),
        (classifier(), ["a", "b", "a"], "Two classes have the label 'a'"),
        (classifier(3, None), ["a", "b", "c"], "are not probabilities"),
        (
            keras.Sequential([keras.Input((2,)), Noise()]),
            None,
            "Is the model random",
        ),
    ],
)
def test_unusable_model_is_refused(tmp_path, model, labels, message):
    with pytest.raises(InputError, match=message):
        export_saved_model(model, tmp_path / "m", labels=labels)
    assert list(tmp_path.iterdir()) == []
