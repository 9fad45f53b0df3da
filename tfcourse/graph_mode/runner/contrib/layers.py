"""`tf.contrib.layers`: TF-Slim, which is its continuation."""

from tfcourse.graph_mode.runner.contrib._gather import gather

__getattr__ = gather(
    "tf.contrib.layers",
    "tf_slim.layers.layers",
    "tf_slim.layers.initializers",
    "tf_slim.layers.regularizers",
    "tf_slim.layers.optimizers",
    "tf_slim.layers.normalization",
    "tf_slim.layers.summaries",
    "tensorflow.feature_column",
)
