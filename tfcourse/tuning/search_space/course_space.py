"""The course's own search space, and a wider one of the same kind."""

from typing import Any

import keras
import keras_tuner

from tfcourse.layers import BatchNormalization
from tfcourse.optimizers import Adam, Momentum, RMSprop
from tfcourse.tuning.search_space.output import compile_with_output
from tfcourse.tuning.search_space.scales import (
    log_uniform,
    one_minus_log_uniform,
    powers_of_two,
)


class CourseSpace(keras_tuner.HyperModel):
    r"""The search space of the course's lectures on tuning.

    Softmax classifiers with 2 to 4 hidden layers of 50 to 100 rectified units
    each, batch norm before the activation and so no bias; with one sigmoid for
    two classes, and one linear unit for amounts. Drawn on the course's
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
        examples: $m$, how many examples there are for training.

    Reference:
        Ng, Improving Deep Neural Networks, week 3, Tuning process.
    """

    units = (50, 100)
    layers = (2, 4)
    batch_sizes = (32, 256)
    learning_rates = (1e-4, 1.0)
    betas = (0.9, 0.999)
    # Whether layers have a penalty on their weights.
    penalized = False

    def __init__(
        self,
        input_shape: tuple[int, ...],
        classes: int,
        task: str = "classification",
        score: str | None = None,
        examples: int = 1,
    ) -> None:
        super().__init__()
        self.task = task
        self.score = score
        self.input_shape = input_shape
        self.classes = classes
        self.examples = examples

    def build(self, hp: keras_tuner.HyperParameters) -> keras.Model:
        units = hp.Int("units", *self.units)
        layers = hp.Int("layers", *self.layers)
        # Used by `fit`; named here so that the first trial has it too.
        powers_of_two(hp, "batch_size", *self.batch_sizes)
        model = self.input()
        for _ in range(layers):
            model.add(keras.layers.Dense(units, use_bias=False))
            model.add(BatchNormalization())
            model.add(keras.layers.Activation("relu"))
        alpha = log_uniform(
            hp, "learning_rate", *self.learning_rates, default=0.01
        )
        return self.compiled(model, optimizer_of(alpha, *self.choose(hp)))

    def input(self) -> keras.Sequential:
        """Returns a model that takes examples and has no layers of its own."""
        model = keras.Sequential([keras.Input(self.input_shape)])
        if len(self.input_shape) > 1:
            model.add(keras.layers.Flatten())
        return model

    def choose(
        self, hp: keras_tuner.HyperParameters
    ) -> tuple[str, float | None]:
        """Returns the name of an optimizer, and the beta of momentum."""
        name = hp.Choice("optimizer", ["momentum", "rmsprop", "adam"])
        if name != "momentum":
            return name, None
        with hp.conditional_scope("optimizer", ["momentum"]):
            return name, one_minus_log_uniform(hp, "beta", *self.betas)

    def compiled(
        self,
        model: keras.Sequential,
        optimizer: keras.optimizers.Optimizer,
        penalty: keras.regularizers.Regularizer | None = None,
    ) -> keras.Sequential:
        """Returns a model with the last layer of its task, compiled."""
        return compile_with_output(
            model,
            optimizer,
            self.task,
            self.classes,
            self.score,
            penalty,
            self.penalized,
        )

    def fit(
        self,
        hp: keras_tuner.HyperParameters,
        model: keras.Model,
        *args: Any,
        **kwargs: Any,
    ) -> keras.callbacks.History:
        return model.fit(*args, batch_size=hp.get("batch_size"), **kwargs)


def optimizer_of(
    alpha: Any, name: str, beta: float | None
) -> keras.optimizers.Optimizer:
    """Returns the course's optimizer of a name.

    Args:
        alpha: The learning rate, or a schedule of it.
        name: `"momentum"`, `"rmsprop"` or `"adam"`.
        beta: Of momentum.
    """
    if name == "rmsprop":
        return RMSprop(alpha, beta=0.9)
    return Adam(alpha) if name == "adam" else Momentum(alpha, beta)


class WideSpace(CourseSpace):
    r"""`CourseSpace` with wider bounds, where the best lay at an edge.

    1 to 6 hidden layers of 16 to 256 units, batches of 16 to 512, $\alpha$ in
    [1e-5, 1], $\beta$ in [0.5, 0.9999].
    """

    units = (16, 256)
    layers = (1, 6)
    batch_sizes = (16, 512)
    learning_rates = (1e-5, 1.0)
    betas = (0.5, 0.9999)
