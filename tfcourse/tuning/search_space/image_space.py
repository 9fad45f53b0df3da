"""A small search space of convolutional networks."""

import math

import keras
import keras_tuner

from tfcourse.layers import BatchNormalization, InvertedDropout
from tfcourse.tuning.search_space.course_space import (
    CourseSpace,
    optimizer_of,
)
from tfcourse.tuning.search_space.scales import log_uniform, powers_of_two

# Smaller images are not halved again.
_SMALLEST = 4


class ImageSpace(CourseSpace):
    r"""Small convolutional networks, for images.

    1 to 3 blocks of a 3 x 3 convolution, batch norm, rectified units and 2 x 2
    max pooling, with 8 to 32 filters in the first and twice as many in each
    further one; the mean over all places; dropout that keeps `keep_prob`, in
    [0.5, 1]. The learning rate $\alpha$ in [1e-4, 0.1] by its logarithm; batch
    sizes, optimizers and $\beta$ as in `CourseSpace`.

    Args:
        input_shape: Shape of one image, `(height, width)` or `(height, width,
            channels)`.
        classes: $C$, the number of classes.
        task: As for `CourseSpace`.
        score: Likewise.
        examples: Likewise.
    """

    batch_sizes = (32, 128)
    learning_rates = (1e-4, 0.1)
    filters = (8, 32)

    def build(self, hp: keras_tuner.HyperParameters) -> keras.Model:
        alpha = log_uniform(
            hp, "learning_rate", *self.learning_rates, default=0.003
        )
        optimizer = self.choose(hp)
        filters = powers_of_two(hp, "filters", *self.filters)
        powers_of_two(hp, "batch_size", *self.batch_sizes)
        blocks = hp.Int("blocks", 1, self._most_blocks(), default=1)
        keep_prob = hp.Float("keep_prob", 0.5, 1.0, default=1.0)
        model = keras.Sequential([keras.Input(self.input_shape)])
        if len(self.input_shape) == 2:
            model.add(keras.layers.Reshape((*self.input_shape, 1)))
        for block in range(blocks):
            model.add(
                keras.layers.Conv2D(
                    filters * 2**block, 3, padding="same", use_bias=False
                )
            )
            model.add(BatchNormalization())
            model.add(keras.layers.Activation("relu"))
            model.add(keras.layers.MaxPooling2D())
        model.add(keras.layers.GlobalAveragePooling2D())
        model.add(InvertedDropout(keep_prob))
        return self.compiled(model, optimizer_of(alpha, *optimizer))

    def _most_blocks(self):
        halvings = math.log2(min(self.input_shape[:2]) / _SMALLEST)
        return int(min(max(halvings + 1, 1), 3))
