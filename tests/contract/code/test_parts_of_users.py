"""Are losses, metrics and callbacks of a user's own called as by `fit`?"""

import keras
import pytest
from keras import layers, ops
from side_by_side import assert_same, compiled, examples

pytestmark = pytest.mark.slow

X, Y = examples(10)
V = examples(7, seed=1)


def same(tmp_path, build, **kwargs):
    kwargs = {"validation_data": V, "batch_size": 4} | kwargs
    return assert_same(tmp_path, lambda: (build, (X, Y), kwargs))


class OwnLossCall(keras.losses.Loss):
    def __call__(self, y, p, sample_weight=None):
        return 2 * super().__call__(y, p, sample_weight)

    def call(self, y, p):
        return ops.mean(ops.square(y - p), axis=-1)


class RootOfTheBatch(keras.losses.Loss):
    """Is no mean over examples."""

    def __call__(self, y, p, sample_weight=None):
        return ops.sqrt(ops.mean(ops.square(y - p)))


class KerassWithAnotherCall(keras.losses.MeanSquaredError):
    def call(self, y, p):
        return super().call(y, p) * ops.cast(ops.shape(y)[0], "float32")


def of_the_batch(y, p):
    return ops.mean(ops.square(y - p), axis=-1) / ops.std(y)


@pytest.mark.parametrize(
    "loss",
    [OwnLossCall, RootOfTheBatch, KerassWithAnotherCall, lambda: of_the_batch],
    ids=["call", "root", "subclass", "function"],
)
def test_a_loss(tmp_path, loss):
    same(tmp_path, lambda hp: compiled(hp, layers.Dense(1), loss=loss()))


class Largest(keras.metrics.Metric):
    def __init__(self):
        super().__init__(name="largest")
        self.seen = self.add_variable((), "zeros", name="seen")

    def update_state(self, y, p, sample_weight=None):
        self.seen.assign(ops.maximum(self.seen, ops.max(p)))

    def result(self):
        return ops.convert_to_tensor(self.seen)

    def reset_state(self):
        self.seen.assign(-7.0)


class NeverReset(keras.metrics.Mean):
    def update_state(self, y, p, sample_weight=None):
        super().update_state(ops.mean(p))

    def reset_state(self):
        pass


class TwiceTheMean(keras.metrics.MeanAbsoluteError):
    def result(self):
        return 2 * super().result()


class Pair(keras.metrics.Mean):
    def update_state(self, y, p, sample_weight=None):
        super().update_state(ops.mean(p))

    def result(self):
        return {"once": super().result(), "twice": 2 * super().result()}


class ReturnsItsVariable(Largest):
    """Whose training value `fit` reads after the validation."""

    def result(self):
        return self.seen


def batch_maximum(y, p):
    return ops.max(ops.abs(y - p)) * ops.ones_like(y)


@pytest.mark.parametrize(
    "metric",
    [
        *(Largest, NeverReset, TwiceTheMean, Pair, ReturnsItsVariable),
        lambda: batch_maximum,
    ],
    ids=["largest", "never reset", "twice", "pair", "variable", "function"],
)
def test_a_metric(tmp_path, metric):
    same(tmp_path, lambda hp: compiled(hp, layers.Dense(1), metrics=[metric()]))


class HalvesTheWeights(keras.callbacks.Callback):
    def on_epoch_end(self, epoch, logs=None):
        for variable in self.model.trainable_variables:
            variable.assign(variable / 2)


class Stops(keras.callbacks.EarlyStopping):
    def on_epoch_end(self, epoch, logs=None):
        self.model.stop_training = epoch == 1


class OwnLogs(keras.callbacks.Callback):
    def on_epoch_end(self, epoch, logs=None):
        logs["loss"] = logs["loss"] + 1


@pytest.mark.parametrize("callback", [HalvesTheWeights, Stops, OwnLogs])
def test_a_callback(tmp_path, callback):
    def build(hp):
        return compiled(hp, layers.Dense(1))

    same(tmp_path, build, callbacks=[callback()], epochs=4)


@keras.saving.register_keras_serializable("tests")
class OfTheSign(keras.constraints.Constraint):
    def __call__(self, kernel):
        return ops.abs(kernel)


@keras.saving.register_keras_serializable("tests")
class Spread(keras.regularizers.Regularizer):
    def __call__(self, kernel):
        return ops.std(kernel)


@pytest.mark.parametrize(
    "settings",
    [
        {"kernel_constraint": OfTheSign},
        {"kernel_regularizer": Spread},
        {"activity_regularizer": Spread},
        {"activation": layers.LeakyReLU},
        {"activation": layers.PReLU},
    ],
    ids=str,
)
def test_a_setting_of_a_layer(tmp_path, settings):
    def build(hp):
        made = {name: make() for name, make in settings.items()}
        return compiled(hp, layers.Dense(4, **made), layers.Dense(1))

    same(tmp_path, build)


class Unused(layers.Layer):
    """Holds a layer that it never calls."""

    def __init__(self):
        super().__init__()
        self.dense = layers.Dense(4)
        self.unused = layers.Dense(3)

    def call(self, x):
        return self.dense(x)


class BuildsTheUnused(Unused):
    def build(self, shape):
        self.dense.build(shape)
        self.unused.build(shape)


@pytest.mark.filterwarnings("ignore:Gradients do not exist")
@pytest.mark.filterwarnings("ignore:Layer .* was never built")
@pytest.mark.filterwarnings("ignore:`build\\(\\)` was called")
@pytest.mark.parametrize("layer", [Unused, BuildsTheUnused])
def test_a_layer_that_is_never_called(tmp_path, layer):
    same(tmp_path, lambda hp: compiled(hp, layer(), layers.Dense(1)))
