"""Is the evaluation of a trial that of `model.fit`?"""

import keras
import keras_tuner
import numpy as np
import pytest
from keras import layers
from side_by_side import (
    assert_same,
    assert_together,
    compiled,
    curves,
    examples,
)

pytestmark = pytest.mark.slow

X, Y = examples(21)
V = examples(37, seed=1)
LABELS, V_LABELS = np.arange(21) % 3, (np.arange(37) // 2) % 3
WEIGHTS = np.linspace(0.1, 3, 37).astype("float32")


def words(n, seed):
    """Returns sequences of words, of lengths of 1 to 6, filled up by 0."""
    rng = np.random.default_rng(seed)
    x = rng.integers(1, 9, size=(n, 6))
    for row, length in zip(x, rng.integers(1, 7, size=n), strict=True):
        row[length:] = 0
    return x, x[:, :1].astype("float32") / 9


MASKED = {
    "mean": lambda: [layers.GlobalAveragePooling1D(), layers.Dense(1)],
    "lstm": lambda: [layers.LSTM(3), layers.Dense(1)],
    "each word": lambda: [layers.Dense(1)],
    "recurrent, each word": lambda: [
        layers.SimpleRNN(3, return_sequences=True),
        layers.TimeDistributed(layers.Dense(1)),
    ],
    "both ways, each word": lambda: [
        layers.Bidirectional(layers.GRU(2, return_sequences=True)),
        layers.Dense(1),
    ],
}


def masked(hp, kind, **settings):
    model = keras.Sequential(
        [
            keras.Input((6,), dtype="int32"),
            layers.Embedding(9, 4, mask_zero=True),
            *MASKED[kind](),
        ]
    )
    rate = hp.Choice("learning_rate", [0.05, 0.2])
    model.compile(keras.optimizers.SGD(rate), "mse", **settings)
    return model


@pytest.mark.parametrize("kind", MASKED)
@pytest.mark.parametrize("weighted", [False, True], ids=["plain", "weighted"])
def test_masks(tmp_path, kind, weighted):
    if weighted and "each word" in kind:
        pytest.skip("Keras has no weight an example where it masks words.")

    def targets(x, y):
        return x[..., None] / 9.0 if "each word" in kind else y

    def case():
        (x, y), (v, w) = words(21, 0), words(37, 1)
        held_out = (v, targets(v, w), *([WEIGHTS] if weighted else []))
        return (
            lambda hp: masked(
                hp, kind, metrics=["mae"], weighted_metrics=["mse"]
            ),
            (x, targets(x, y)),
            {"validation_data": held_out, "batch_size": 8},
        )

    # Of recurrent layers so few are trained alone, else.
    assert_same(tmp_path, case, "val_loss", smallest_group=2)


def test_a_masking_layer(tmp_path):
    def build(hp):
        return compiled(
            hp,
            layers.Reshape((3, 1)),
            layers.Masking(0.0),
            layers.TimeDistributed(layers.Dense(1)),
        )

    def zeroed(x):
        return np.where(x > 0.5, 0.0, x).astype("float32")

    case = build, (zeroed(X), X[..., None])
    kwargs = {"validation_data": (zeroed(V[0]), V[0][..., None])}
    assert_same(tmp_path, lambda: (*case, kwargs), "val_loss")


def two_outputs(hp, **settings):
    x = keras.Input((3,))
    hidden = layers.Dense(4, "tanh")(x)
    value = layers.Dense(1, name="value")(hidden)
    kind = layers.Dense(3, "softmax", name="kind")(hidden)
    as_dict = {"value": value, "kind": kind}
    model = keras.Model(x, as_dict if settings.pop("named") else [value, kind])
    rate = hp.Choice("learning_rate", [0.05, 0.2])
    model.compile(keras.optimizers.SGD(rate), **settings)
    return model


CROSS = "sparse_categorical_crossentropy"
OUTPUTS = {
    "lists": {"named": False, "loss": ["mse", CROSS]},
    "weights": {
        "named": False,
        "loss": ["mse", CROSS],
        "loss_weights": [1.0, 0.3],
    },
    "names": {"named": True, "loss": {"value": "mse", "kind": CROSS}},
    "names, weights": {
        "named": True,
        "loss": {"kind": CROSS, "value": "mae"},
        "loss_weights": {"value": 0.2, "kind": 2.0},
        "metrics": {"kind": ["accuracy"], "value": ["mae", "mse"]},
        "weighted_metrics": {"kind": ["accuracy"]},
    },
    "one is not trained": {"named": True, "loss": {"value": "mse"}},
    "none": {"named": False, "loss": ["mse", None]},
}


@pytest.mark.filterwarnings("ignore:Gradients do not exist")
@pytest.mark.parametrize("weighted", [False, True], ids=["plain", "weighted"])
@pytest.mark.parametrize("name", OUTPUTS)
def test_outputs(tmp_path, name, weighted):
    named = OUTPUTS[name]["named"]

    def pack(value, kind):
        return {"value": value, "kind": kind} if named else [value, kind]

    held_out = (V[0], pack(V[1], V_LABELS))
    if weighted:
        held_out = (*held_out, pack(WEIGHTS, WEIGHTS[::-1]))
    if weighted and name in ("one is not trained", "none"):
        pytest.skip("Keras has no weights for what is not trained.")
    kwargs = {"validation_data": held_out, "batch_size": 8}
    assert_together(
        tmp_path,
        lambda: (
            lambda hp: two_outputs(hp, **OUTPUTS[name]),
            (X, pack(Y, LABELS)),
            kwargs,
        ),
        objective="val_loss",
    )


def classifier(metrics=(), weighted=(), **loss):
    return lambda hp: compiled(
        hp,
        layers.Dense(3, "softmax"),
        metrics=[make() for make in metrics] or None,
        weighted_metrics=[make() for make in weighted] or None,
        **loss,
    )


METRICS = {
    "f1": keras.metrics.F1Score,
    "f1, weighted": lambda: keras.metrics.F1Score("weighted"),
    "auc": keras.metrics.AUC,
    "auc of each": lambda: keras.metrics.AUC(multi_label=True),
    "precision": keras.metrics.Precision,
    "top 2": lambda: keras.metrics.TopKCategoricalAccuracy(2),
    "r2": keras.metrics.R2Score,
    "r2 of each": lambda: keras.metrics.R2Score(class_aggregation=None),
    "cosine": keras.metrics.CosineSimilarity,
    "root": keras.metrics.RootMeanSquaredError,
    "accuracy": lambda: "accuracy",
    "named": lambda: keras.metrics.MeanSquaredError(name="loss of squares"),
}


@pytest.mark.filterwarnings("ignore:You are passing weight")
@pytest.mark.parametrize("name", METRICS)
def test_a_metric_of_keras(tmp_path, name):
    make = METRICS[name]
    y, v = (np.eye(3, dtype="float32")[i] for i in (LABELS, V_LABELS))
    build = classifier([make], [make], loss="categorical_crossentropy")
    kwargs = {"validation_data": (V[0], v, WEIGHTS), "batch_size": 8}
    assert_same(tmp_path, lambda: (build, (X, y), kwargs), "val_loss")


LOSSES = {
    "sum": {"reduction": "sum"},
    "mean with weights": {"reduction": "mean_with_sample_weight"},
}


@pytest.mark.parametrize("reduction", LOSSES)
def test_a_reduction(tmp_path, reduction):
    def build(hp):
        loss = keras.losses.MeanSquaredError(**LOSSES[reduction])
        return compiled(hp, layers.Dense(1), loss=loss)

    kwargs = {"validation_data": (*V, WEIGHTS), "batch_size": 8}
    assert_same(tmp_path, lambda: (build, (X, Y), kwargs), "val_loss")


def test_activity_regularizers(tmp_path):
    def build(hp):
        return compiled(
            hp, layers.Dense(4, activity_regularizer="l2"), layers.Dense(1)
        )

    kwargs = {"validation_data": V, "batch_size": 8}
    assert_same(tmp_path, lambda: (build, (X, Y), kwargs), "val_loss")


def test_the_objective_is_found_by_the_name_that_a_metric_has(tmp_path):
    # Each build names it anew: `auc`, then `auc_1`.
    def build(hp):
        return compiled(
            hp,
            layers.Dense(1, "sigmoid"),
            loss="binary_crossentropy",
            metrics=[keras.metrics.AUC()],
        )

    kwargs = {"validation_data": (V[0], V[1] > 0)}
    tuner = assert_same(
        tmp_path, lambda: (build, (X, Y > 0), kwargs), "val_auc"
    )
    assert isinstance(tuner.oracle.objective, keras_tuner.Objective)
    for trial in tuner.oracle.trials.values():
        assert "val_auc" in curves(tuner, trial)
    assert [group["how"] for group in tuner.groups] == ["vectorised"]
