"""The private names of Keras that tfcourse uses; a test holds each."""

from typing import Any

import keras
from keras.src.random.seed_generator import global_seed_generator

# ---------------------------------------------------------------------------
# Models in training (used by tuning.panda)


def every_layer(model: keras.Model) -> list[keras.layers.Layer]:
    """Returns the model and all layers in it, at any depth."""
    return model._flatten_layers()


def begin_at(model: keras.Model, epoch: int | None) -> None:
    """Lets the present `fit` begin at an epoch; `None` forgets it.

    As `keras.callbacks.BackupAndRestore` does, in `on_train_begin`.
    """
    model._initial_epoch = epoch


def global_seed() -> keras.Variable:
    """Returns the state of what draws for all that have no seed of their own.

    `keras.utils.set_random_seed` makes a new one.
    """
    return global_seed_generator().state


def learning_rate_of(optimizer: keras.optimizers.Optimizer) -> Any:
    """Returns the learning rate's variable, or its schedule.

    The public `learning_rate` is the value that the schedule gives now.
    """
    return optimizer._learning_rate
