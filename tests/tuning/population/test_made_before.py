"""What of a model is its user's, and does training leave it as it is?"""

import keras
import numpy as np
import pytest
from keras import layers

from tfcourse.errors import CannotVectorize
from tfcourse.tuning.population.deferred import build_deferred
from tfcourse.tuning.population.made_before import constants_made_before
from tfcourse.utils.keras_private import noting_created


def constants(*parts, defer=True, **settings):
    """Returns what the models of parts that are there already share."""

    def build():
        model = keras.Sequential(
            [keras.Input((3,)), *parts, layers.Dense(1, name="new")]
        )
        model.compile(**{"optimizer": "sgd", "loss": "mse"} | settings)
        return model

    with noting_created() as created:
        model = build_deferred(build, 0) if defer else build()
    return constants_made_before(model, created)


def built(layer, trainable=True):
    layer.build((None, 3))
    layer.trainable = trainable
    return layer


def normalization():
    layer = layers.Normalization()
    layer.adapt(np.arange(6.0).reshape(2, 3))
    return layer


def base(trainable=False):
    model = keras.Sequential([keras.Input((3,)), layers.Dense(2)])
    model.trainable = trainable
    return model


SHARED = {
    "nothing": (list, 0),
    "without variables": (lambda: [layers.ReLU()], 0),
    "frozen": (lambda: [built(layers.Dense(3), trainable=False)], 2),
    "adapted": (lambda: [normalization()], 3),
    "a frozen model": (lambda: [base()], 2),
    "frozen statistics": (
        lambda: [built(layers.BatchNormalization(), trainable=False)],
        4,
    ),
}
TRAINED = {
    "trains": lambda: [built(layers.Dense(3))],
    "is not built": lambda: [layers.Dense(3, trainable=False)],
    "draws": lambda: [built(layers.Dropout(0.5))],
    "counts": lambda: [built(layers.BatchNormalization(scale=False))],
    "a model": lambda: [base(trainable=True)],
    "deep": lambda: [keras.Sequential([built(layers.Dense(3))])],
}


@pytest.mark.parametrize("defer", [True, False], ids=["deferred", "built"])
@pytest.mark.parametrize("name", SHARED)
def test_what_training_leaves_may_be_shared(name, defer):
    make, count = SHARED[name]
    parts = make()
    found = constants(*parts, defer=defer)
    owned = [variable for part in parts for variable in part.variables]
    assert {id(v) for v in found} == {id(v) for v in owned}
    assert len(found) == count


@pytest.mark.parametrize("name", TRAINED)
def test_what_trains_is_refused(name):
    with pytest.raises(CannotVectorize, match="made before its build"):
        constants(*TRAINED[name]())


COMPILED = {
    "optimizer": lambda: {"optimizer": keras.optimizers.SGD()},
    "metric": lambda: {"metrics": [keras.metrics.MeanSquaredError()]},
    "metric of weights": lambda: {
        "weighted_metrics": [keras.metrics.MeanSquaredError()]
    },
}


@pytest.mark.parametrize("name", COMPILED)
def test_what_a_model_is_compiled_with_is_refused(name):
    kind = name.split(" ")[0]
    with pytest.raises(CannotVectorize, match=f"its {kind}.*changes"):
        constants(**COMPILED[name]())


def test_a_variable_of_a_new_layer_may_be_older():
    older = keras.Variable([1.0, 2.0, 3.0], name="older", trainable=False)

    class Scales(layers.Layer):
        def build(self, shape):
            self.scale = older

        def call(self, x):
            return x * self.scale

    class New(layers.Layer):
        def build(self, shape):
            self.inner = Scales()

        def call(self, x):
            return self.inner(x)

    with noting_created() as created:
        model = keras.Sequential([keras.Input((3,)), New()])
        model.compile("sgd", "mse")
    assert [id(v) for v in constants_made_before(model, created)] == [id(older)]
    older.trainable = True
    with pytest.raises(CannotVectorize, match="a variable of its layer"):
        constants_made_before(model, created)
