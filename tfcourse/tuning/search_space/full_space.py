"""The course's search space with all that its lectures tune."""

import math
from typing import Any

import keras
import keras_tuner

from tfcourse.layers import BatchNormalization, InvertedDropout
from tfcourse.schedules import InverseTimeDecay
from tfcourse.tuning.search_space.course_space import (
    CourseSpace,
    optimizer_of,
)
from tfcourse.tuning.search_space.scales import log_uniform, powers_of_two


class FullSpace(CourseSpace):
    r"""`CourseSpace` with learning-rate decay and regularization.

    In the course's order of importance: the learning rate $\alpha$; then
    $\beta$ of momentum, hidden units and batch size; then the number of layers
    and the decay rate $d$ of $\alpha / (1 + d n)$ in epoch $n$, in [0.01, 1].
    Against variance `keep_prob` of dropout behind each hidden layer, in
    [0.5, 1], and $\lambda$ of $\frac{\lambda}{2m} \sum w^2$ on the weights of
    each, in [0.01, 10]. $\beta_1$, $\beta_2$ and $\epsilon$ of Adam are left as
    they are, as the course does.

    1 to 4 layers of 16 to 100 units: what dropout is to help may be small.

    Args:
        input_shape: Shape of one example.
        classes: $C$, the number of classes.
        task: As for `CourseSpace`.
        score: Likewise.
        examples: $m$, how many examples there are for training.
    """

    units = (16, 100)
    scale_of_units = "linear"
    # What training without a search takes; `None` for the fewest.
    usual_units: int | None = None
    layers = (1, 4)
    decay_rates = (0.01, 1.0)
    keep_probs = (0.5, 1.0)
    lambdas = (0.01, 10.0)
    penalized = True

    def build(self, hp: keras_tuner.HyperParameters) -> keras.Model:
        drawn = self.draw(hp)
        model = self.input()
        for _ in range(drawn["layers"]):
            model.add(
                keras.layers.Dense(
                    drawn["units"],
                    use_bias=False,
                    kernel_regularizer=self.penalty(drawn),
                )
            )
            model.add(BatchNormalization())
            model.add(keras.layers.Activation("relu"))
            model.add(InvertedDropout(drawn["keep_prob"]))
        return self.compiled(model, drawn["optimizer"])

    def draw(self, hp: keras_tuner.HyperParameters) -> dict[str, Any]:
        """Returns the optimizer and what else was drawn, by name."""
        alpha = log_uniform(
            hp, "learning_rate", *self.learning_rates, default=0.01
        )
        optimizer = self.choose(hp)
        units = hp.Int(
            "units",
            *self.units,
            sampling=self.scale_of_units,
            default=self.usual_units,
        )
        batch_size = powers_of_two(hp, "batch_size", *self.batch_sizes)
        layers = hp.Int("layers", *self.layers)
        decay_rate = log_uniform(hp, "decay_rate", *self.decay_rates)
        keep_prob = hp.Float("keep_prob", *self.keep_probs, default=1.0)
        lambda_ = log_uniform(hp, "lambda", *self.lambdas)
        # Steps to an epoch as a number that members may differ in, too.
        steps = math.ceil(self.examples / batch_size)
        schedule = InverseTimeDecay(alpha, decay_rate, interval=steps)
        return {
            "optimizer": optimizer_of(schedule, *optimizer),
            "units": units,
            "layers": layers,
            "keep_prob": keep_prob,
            "lambda": lambda_,
        }

    def penalty(self, drawn: dict[str, Any]) -> keras.regularizers.Regularizer:
        r"""Returns $\frac{\lambda}{2m} \sum w^2$ of one layer.

        Keras's class, whose strength members of one program may differ in.
        """
        return keras.regularizers.L2(drawn["lambda"] / (2 * self.examples))
