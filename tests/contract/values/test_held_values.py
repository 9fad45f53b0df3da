"""Is a tensor or variable that a part of a model holds each trial's own?

One weight and one batch: the score says which value was read.
"""

import keras
import pytest
import tensorflow as tf
from keras import ops
from side_by_side import curves, search_by_one_weight, squares
from side_by_side import model_of_one_weight as model_of

from tfcourse.tuning import Caviar, SerialTuner

HOLDERS = {
    "tensor": tf.constant,
    "variable": lambda w: keras.Variable(w, trainable=False),
    "tf.Variable": lambda w: tf.Variable(w, trainable=False),
}


class Weighted(keras.losses.Loss):
    def __init__(self, w):
        super().__init__()
        self.w = w

    def call(self, y, p):
        return ops.convert_to_tensor(self.w) * squares(y, p)


@keras.saving.register_keras_serializable("tests")
class Penalty(keras.regularizers.Regularizer):
    def __init__(self, w):
        self.w = w

    def __call__(self, kernel):
        return ops.convert_to_tensor(self.w) * ops.sum(ops.square(kernel))


class Root(keras.layers.Layer):
    """Adds the root of w."""

    def __init__(self, w):
        super().__init__()
        self.w = w

    def call(self, x):
        return x + ops.sqrt(ops.convert_to_tensor(self.w))


class Counted(keras.metrics.Metric):
    def __init__(self, w):
        super().__init__(name="counted")
        self.w = w
        self.seen = self.add_variable((), "zeros", name="seen")

    def update_state(self, y, p, sample_weight=None):
        self.seen.assign(ops.convert_to_tensor(self.w))

    def result(self):
        return ops.convert_to_tensor(self.seen)


@keras.saving.register_keras_serializable("tests")
class OneMinusRoot(keras.constraints.Constraint):
    """Sets the weight so that the next loss is w."""

    def __init__(self, w):
        self.w = w

    def __call__(self, kernel):
        root = ops.sqrt(ops.convert_to_tensor(self.w))
        return ops.ones_like(kernel) - root


class Rate(keras.optimizers.schedules.LearningRateSchedule):
    """Takes a step, from weight 0 and slope -2, to a next loss of w."""

    def __init__(self, w):
        self.w = w

    def __call__(self, step):
        return (1 - ops.sqrt(ops.convert_to_tensor(self.w))) / 2

    def get_config(self):
        return {"w": float(self.w)}


def in_a_loss(w):
    return model_of(Weighted(w))


def in_a_closure(w):
    return model_of(lambda y, p: ops.convert_to_tensor(w) * squares(y, p))


def in_a_regularizer(w):
    return model_of(kernel=1.0, kernel_regularizer=Penalty(w))


def in_a_layer(w):
    return model_of(kernel=1.0, layers=[Root(w)])


def in_a_lambda_layer(w):
    def add(x):
        return x + ops.sqrt(ops.convert_to_tensor(w))

    return model_of(kernel=1.0, layers=[keras.layers.Lambda(add)])


def in_an_activation(w):
    return model_of(
        kernel=1.0,
        activation=lambda x: x + ops.sqrt(ops.convert_to_tensor(w)),
    )


def in_a_metric(w):
    return model_of(metrics=[Counted(w)])


def in_a_constraint(w):
    return model_of(kernel_constraint=OneMinusRoot(w))


def in_a_schedule(w):
    return model_of(rate=Rate(w))


def in_an_initializer(w):
    def initial(shape, dtype=None):
        root = ops.cast(ops.sqrt(ops.convert_to_tensor(w)), dtype)
        return ops.ones(shape, dtype) - root

    return model_of(kernel_initializer=initial)


AT_ONCE = [
    in_a_loss,
    in_a_closure,
    in_a_regularizer,
    in_a_layer,
    in_a_lambda_layer,
    in_an_activation,
    in_a_metric,
    in_an_initializer,
]
AFTER_A_STEP = [in_a_constraint, in_a_schedule]
QUICK = [(in_a_loss, "variable"), (in_a_schedule, "tensor")]
CASES = [
    pytest.param(
        place,
        holder,
        marks=[] if (place, holder) in QUICK else pytest.mark.slow,
        id=f"{place.__name__}-{holder}",
    )
    for place in AT_ONCE + AFTER_A_STEP
    for holder in HOLDERS
]
# That each trial has its own value is what `model.fit` does.
TUNERS = [Caviar, pytest.param(SerialTuner, marks=pytest.mark.slow)]


@pytest.mark.parametrize("tuner_class", TUNERS)
@pytest.mark.parametrize("place, holder", CASES)
def test_each_trial_has_its_own(tmp_path, place, holder, tuner_class):
    def build(hp):
        return place(HOLDERS[holder](hp.Choice("w", [1.0, 4.0])))

    name = "counted" if place is in_a_metric else "loss"
    epochs = 2 if place in AFTER_A_STEP else 1
    tuner = search_by_one_weight(tuner_class, tmp_path, build, name, epochs)
    trials = tuner.oracle.trials
    last = [curves(tuner, trials[i])[name][-1] for i in sorted(trials)]
    assert last == pytest.approx([1, 4], rel=1e-5)
