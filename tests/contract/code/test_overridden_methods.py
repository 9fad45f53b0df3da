"""Is a method that a user overrides called as `fit` calls it?"""

import keras
import pytest
from keras import layers, ops
from side_by_side import assert_same, compiled, examples

pytestmark = pytest.mark.slow

X, Y = examples(10)
V = examples(7, seed=1)


class OwnFit(keras.Model):
    def fit(self, *args, **kwargs):
        history = super().fit(*args, **kwargs)
        history.history["loss"] = [9 * x for x in history.history["loss"]]
        return history


class OwnEvaluate(keras.Model):
    def evaluate(self, *args, **kwargs):
        found = super().evaluate(*args, **kwargs)
        if isinstance(found, dict):
            return {name: 2 * value for name, value in found.items()}
        return 2 * found


class OwnTrainStep(keras.Model):
    def train_step(self, data):
        return {n: 2 * v for n, v in super().train_step(data).items()}


class OwnTestStep(keras.Model):
    def test_step(self, data):
        return {n: 3 * v for n, v in super().test_step(data).items()}


class OwnTestFunction(keras.Model):
    def make_test_function(self, force=False):
        function = super().make_test_function(force)
        if function is not None:
            self.test_function = lambda data: {
                n: 3 * v for n, v in function(data).items()
            }


class OwnLoss(keras.Model):
    def compute_loss(
        self, x=None, y=None, y_pred=None, sample_weight=None, training=True
    ):
        loss = super().compute_loss(x, y, y_pred, sample_weight, training)
        return loss + ops.mean(ops.square(y_pred)) * (2.0 if training else 1.0)


class OwnPrivateLoss(keras.Model):
    def _compute_loss(self, *args, **kwargs):
        return 2 * super()._compute_loss(*args, **kwargs)


class OwnMetrics(keras.Model):
    def compute_metrics(self, x, y, y_pred, sample_weight=None):
        found = super().compute_metrics(x, y, y_pred, sample_weight)
        return found | {"largest": ops.max(y_pred)}


class OwnResults(keras.Model):
    def get_metrics_result(self):
        found = super().get_metrics_result()
        return found | {"twice": 2 * found["loss"]}


class OwnReset(keras.Model):
    """Means over all epochs."""

    def reset_metrics(self):
        pass


class OwnMetricsProperty(keras.Model):
    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.extra = keras.metrics.Mean("extra")

    @property
    def metrics(self):
        return [*super().metrics, self.extra]

    def train_step(self, data):
        self.extra.update_state(ops.mean(data[1]))
        return super().train_step(data)


class OwnCall(keras.Model):
    def __call__(self, *args, **kwargs):
        return 2 * super().__call__(*args, **kwargs)


class OwnCompile(keras.Model):
    def compile(self, optimizer, loss, **kwargs):
        super().compile(optimizer, "mae", **kwargs)


class OwnStateless(keras.Model):
    def stateless_call(self, *args, **kwargs):
        raise NotImplementedError


MODELS = [
    OwnFit,
    OwnEvaluate,
    OwnTrainStep,
    OwnTestStep,
    OwnTestFunction,
    OwnLoss,
    OwnPrivateLoss,
    OwnMetrics,
    OwnResults,
    OwnReset,
    OwnMetricsProperty,
    OwnCall,
    OwnCompile,
    OwnStateless,
]


def same(tmp_path, build, **kwargs):
    kwargs = {"validation_data": V, "batch_size": 4} | kwargs
    return assert_same(tmp_path, lambda: (build, (X, Y), kwargs))


@pytest.mark.parametrize("model_class", MODELS)
def test_a_method_of_a_model(tmp_path, model_class):
    def build(hp):
        x = keras.Input((3,))
        model = model_class(x, layers.Dense(1)(layers.Dense(4, "tanh")(x)))
        rate = hp.Choice("learning_rate", [0.05, 0.2])
        model.compile(keras.optimizers.SGD(rate), "mse", metrics=["mae"])
        return model

    same(tmp_path, build)


def test_an_attribute_in_the_place_of_a_method(tmp_path):
    def build(hp):
        model = compiled(hp, layers.Dense(1))
        step = model.train_step
        model.train_step = lambda data: {
            n: 2 * v for n, v in step(data).items()
        }
        return model

    same(tmp_path, build)


class CountingModel(keras.Model):
    """A subclass whose call has a state."""

    def __init__(self):
        super().__init__()
        self.dense = layers.Dense(1)
        self.calls = self.add_weight(
            shape=(), initializer="zeros", trainable=False
        )

    def call(self, x, training=False):
        if training:
            self.calls.assign_add(1.0)
        return self.dense(x) * (1 + self.calls)


class PythonCounter(keras.Model):
    """Counts how often it was traced, in Python."""

    traced = 0

    def __init__(self):
        super().__init__()
        self.dense = layers.Dense(1)

    def call(self, x):
        type(self).traced += 1
        return self.dense(x)


class OfTheBatch(keras.Model):
    """Depends on who is in a batch, in evaluation too."""

    def __init__(self):
        super().__init__()
        self.dense = layers.Dense(1)

    def call(self, x):
        return self.dense(x - ops.mean(x, axis=0))


@pytest.mark.parametrize(
    "model_class", [CountingModel, PythonCounter, OfTheBatch]
)
def test_a_call(tmp_path, model_class):
    def build(hp):
        model = model_class()
        rate = hp.Choice("learning_rate", [0.05, 0.2])
        model.compile(keras.optimizers.SGD(rate), "mse")
        return model

    same(tmp_path, build)


class AddsLoss(layers.Layer):
    def call(self, x):
        self.add_loss(0.3 * ops.mean(ops.abs(x)))
        return x


class MeanOfBatch(layers.Layer):
    def call(self, x):
        return x - ops.mean(x, axis=0, keepdims=True)


class Accumulates(layers.Layer):
    def build(self, shape):
        self.total = self.add_weight(
            shape=(), initializer="zeros", trainable=False
        )

    def call(self, x):
        self.total.assign_add(ops.mean(x))
        return x + self.total


class OwnDrawing(layers.Layer):
    def call(self, x, training=False):
        return x * keras.random.uniform((), seed=3) if training else x


@pytest.mark.parametrize(
    "layer", [AddsLoss, MeanOfBatch, Accumulates, OwnDrawing]
)
def test_a_layer(tmp_path, layer):
    same(tmp_path, lambda hp: compiled(hp, layer(), layers.Dense(1)))


class OwnApply(keras.optimizers.SGD):
    def apply(self, grads, trainable_variables=None):
        return super().apply([2 * g for g in grads], trainable_variables)


class OwnApplyGradients(keras.optimizers.SGD):
    def apply_gradients(self, grads_and_vars):
        return super().apply_gradients([(2 * g, v) for g, v in grads_and_vars])


class OwnUpdate(keras.optimizers.SGD):
    def update_step(self, gradient, variable, learning_rate):
        self.assign_sub(variable, learning_rate * ops.sign(gradient))


class OwnRate(keras.optimizers.SGD):
    def _get_current_learning_rate(self):
        return 0.01


class OwnFinish(keras.optimizers.SGD):
    def finalize_variable_values(self, var_list):
        for variable in var_list:
            variable.assign(ops.zeros_like(variable))


class OwnScale(keras.optimizers.SGD):
    def scale_loss(self, loss):
        return 3 * loss


@pytest.mark.parametrize(
    "optimizer",
    [OwnApply, OwnApplyGradients, OwnUpdate, OwnRate, OwnFinish, OwnScale],
)
def test_an_optimizer(tmp_path, optimizer):
    def build(hp):
        model = compiled(hp, layers.Dense(1))
        model.compile(optimizer(hp.get("learning_rate")), "mse")
        return model

    same(tmp_path, build)
