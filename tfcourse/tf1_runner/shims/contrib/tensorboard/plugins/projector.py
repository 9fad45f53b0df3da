"""`tf.contrib.tensorboard.plugins.projector`: TensorBoard's own."""

from tensorboard.plugins.projector import (  # noqa: F401
    EmbeddingInfo,
    ProjectorConfig,
    SpriteMetadata,
)
from tensorboard.plugins.projector import visualize_embeddings as _visualize


def visualize_embeddings(summary_writer, config):
    """Writes the projector's settings beside the summaries of a writer."""
    folder = getattr(summary_writer, "get_logdir", lambda: summary_writer)()
    if isinstance(folder, bytes):
        folder = folder.decode()
    _visualize(folder, config)
