"""The course's own search space."""

from typing import Any

import keras
import keras_tuner

from tfcourse.layers import BatchNormalization
from tfcourse.optimizers import Adam, Momentum, RMSprop
from tfcourse.tuning.search_space.metrics import metric
from tfcourse.tuning.search_space.scales import (
    log_uniform,
    one_minus_log_uniform,
    powers_of_two,
)


class CourseSpace(keras_tuner.HyperModel):
    r"""The search space of the course's lectures on tuning.

    Softmax classifiers with 2 to 4 hidden layers of 50 to 100 rectified units
    each, batch norm before the activation and so no bias; of two classes with
    one sigmoid, and for amounts with one linear unit. Drawn on the course's
    scales: the learning rate $\alpha$ in [1e-4, 1] by its logarithm, by default
    0.01, $\beta$ of momentum in [0.9, 0.999] by the logarithm of $1 - \beta$,
    by default 0.9, batch sizes among powers of two, and momentum,
    RMSprop or Adam.

    Args:
        input_shape: Shape of one example.
        classes: $C$, the number of classes.
        task: `"classification"`; or `"regression"`, a linear output that is
            trained on the squared error.
        score: Name of one more metric of Keras's, see `metric`.

    Reference:
        Ng, Improving Deep Neural Networks, week 3, Tuning process.
    """

    def __init__(
        self,
        input_shape: tuple[int, ...],
        classes: int,
        task: str = "classification",
        score: str | None = None,
    ) -> None:
        super().__init__()
        self.task = task
        self.score = score
        self.input_shape = input_shape
        self.classes = classes

    def build(self, hp: keras_tuner.HyperParameters) -> keras.Model:
        units = hp.Int("units", 50, 100)
        layers = hp.Int("layers", 2, 4)
        # Used by `fit`; named here so that the first trial has it too.
        powers_of_two(hp, "batch_size", 32, 256)
        model = keras.Sequential([keras.Input(self.input_shape)])
        if len(self.input_shape) > 1:
            model.add(keras.layers.Flatten())
        for _ in range(layers):
            model.add(keras.layers.Dense(units, use_bias=False))
            model.add(BatchNormalization())
            model.add(keras.layers.Activation("relu"))
        units, activation, loss, usual = self._last()
        model.add(keras.layers.Dense(units, activation=activation))
        score = (
            None if self.score in (None, usual) else metric(self.score, units)
        )
        metrics = [usual] if score is None else [usual, score]
        model.compile(_optimizer(hp), loss, metrics=metrics)
        return model

    def _last(self):
        """Returns units and activation of the last layer, loss and metric."""
        if self.task == "regression":
            return 1, None, "mean_squared_error", "mean_absolute_error"
        if self.classes == 2:
            return 1, "sigmoid", "binary_crossentropy", "accuracy"
        loss = "sparse_categorical_crossentropy"
        return self.classes, "softmax", loss, "accuracy"

    def fit(
        self,
        hp: keras_tuner.HyperParameters,
        model: keras.Model,
        *args: Any,
        **kwargs: Any,
    ) -> keras.callbacks.History:
        return model.fit(*args, batch_size=hp.get("batch_size"), **kwargs)


def _optimizer(hp):
    alpha = log_uniform(hp, "learning_rate", 1e-4, 1.0, default=0.01)
    name = hp.Choice("optimizer", ["momentum", "rmsprop", "adam"])
    if name == "rmsprop":
        return RMSprop(alpha, beta=0.9)
    if name == "adam":
        return Adam(alpha)
    with hp.conditional_scope("optimizer", ["momentum"]):
        beta = one_minus_log_uniform(hp, "beta", 0.9, 0.999)
    return Momentum(alpha, beta)
