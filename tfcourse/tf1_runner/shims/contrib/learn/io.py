"""`tf.contrib.learn.io`: input functions from arrays, shuffled by default."""

import tensorflow as tf


def numpy_input_fn(
    x, y=None, batch_size=128, num_epochs=1, shuffle=True, **options
):
    return tf.estimator.inputs.numpy_input_fn(
        x, y, batch_size, num_epochs, shuffle, **options
    )


def pandas_input_fn(
    x, y=None, batch_size=128, num_epochs=1, shuffle=True, **options
):
    return tf.estimator.inputs.pandas_input_fn(
        x, y, batch_size, num_epochs, shuffle, **options
    )
