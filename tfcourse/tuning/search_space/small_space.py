"""A search space for few examples, of small and regularized networks."""

import keras
import keras_tuner

from tfcourse.layers import InvertedDropout
from tfcourse.tuning.search_space.full_space import FullSpace


class SmallSpace(FullSpace):
    r"""Small networks with what the course has against variance.

    One or two hidden layers of 4 to 100 units, drawn by their logarithm, whose
    activation is rectified or linear: such a network computes no more than
    logistic or linear regression does. `keep_prob`, $\lambda$ in [0.01, 100],
    which holds for the last layer too, and the decay of the learning rate are
    those of `FullSpace`. There is no batch norm: it would undo the penalty, as
    the scale of the weights before it does not matter, and few mini-batches of
    few examples say little of means and variances.

    Args:
        input_shape: Shape of one example.
        classes: $C$, the number of classes.
        task: As for `CourseSpace`.
        score: Likewise.
        examples: $m$, how many examples there are for training.

    Reference:
        Ng, Improving Deep Neural Networks, week 1, Regularization;
        Neural Networks and Deep Learning, week 3, Why do you need non-linear
        activation functions?
    """

    units = (4, 100)
    scale_of_units = "log"
    usual_units = 32
    layers = (1, 2)
    lambdas = (0.01, 100.0)

    def build(self, hp: keras_tuner.HyperParameters) -> keras.Model:
        drawn = self.draw(hp)
        activation = hp.Choice("activation", ["relu", "linear"])
        model = self.input()
        for _ in range(drawn["layers"]):
            model.add(
                keras.layers.Dense(
                    drawn["units"],
                    activation,
                    kernel_initializer="he_normal",
                    kernel_regularizer=self.penalty(drawn),
                )
            )
            model.add(InvertedDropout(drawn["keep_prob"]))
        return self.compiled(model, drawn["optimizer"], self.penalty(drawn))
