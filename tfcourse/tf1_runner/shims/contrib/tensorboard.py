"""`tf.contrib.tensorboard` and its `plugins.projector`: TensorBoard's own."""

import sys

from tensorboard.plugins.projector import (  # noqa: F401
    EmbeddingInfo,
    ProjectorConfig,
    SpriteMetadata,
)
from tensorboard.plugins.projector import visualize_embeddings as _visualize

from tfcourse.tf1_runner.imports.symbol_names import names_from

# The packages above the functions are this module as well.
plugins = projector = sys.modules[__name__]

__getattr__ = names_from("tf.contrib.tensorboard")


def visualize_embeddings(summary_writer, config):
    """Writes the projector's settings beside the summaries of a writer."""
    folder = getattr(summary_writer, "get_logdir", lambda: summary_writer)()
    if isinstance(folder, bytes):
        folder = folder.decode()
    _visualize(folder, config)
