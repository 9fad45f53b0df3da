"""`tf.contrib.layers`: TF-Slim, which is its continuation, and a few more."""

import tensorflow as tf

from tfcourse.tf1_runner.shims.contrib._gather import gather

__getattr__ = gather(
    "tf.contrib.layers",
    "tf_slim.layers.layers",
    "tf_slim.layers.initializers",
    "tf_slim.layers.regularizers",
    "tf_slim.layers.optimizers",
    "tf_slim.layers.normalization",
    "tf_slim.layers.summaries",
    "tfcourse.tf1_runner.shims.contrib._columns",
    "tensorflow.feature_column",
)


def embed_sequence(
    ids,
    vocab_size=None,
    embed_dim=None,
    unique=False,
    initializer=None,
    regularizer=None,
    trainable=True,
    scope=None,
    reuse=None,
):
    """Returns the vectors of a batch of integers, `(m, time, embed_dim)`.

    Args:
        ids: Shape `(m, time)`.
        vocab_size: How many there are.
        embed_dim: The length of a vector.
        unique: Whether to look each up once; the result is the same.
        initializer: Of the vectors.
        regularizer: Of the vectors.
        trainable: Whether they are learned.
        scope: Of the variable.
        reuse: Whether to take the variable that is there.
    """
    with tf.variable_scope(scope, "EmbedSequence", [ids], reuse=reuse):
        embeddings = tf.get_variable(
            "embeddings",
            None if reuse else [vocab_size, embed_dim],
            initializer=initializer,
            regularizer=regularizer,
            trainable=trainable,
        )
        return tf.nn.embedding_lookup(embeddings, ids)
