"""`tensorflow.examples.tutorials.mnist.mnist`: the first model for MNIST.

Two hidden layers of ReLUs and a softmax, in four functions that build a graph.
"""

import math

import tensorflow as tf

NUM_CLASSES = 10
IMAGE_SIZE = 28
IMAGE_PIXELS = IMAGE_SIZE * IMAGE_SIZE


def inference(images, hidden1_units, hidden2_units):
    """Returns the logits of images, which are rows of 784."""
    hidden = tf.nn.relu(_linear("hidden1", images, IMAGE_PIXELS, hidden1_units))
    hidden = tf.nn.relu(
        _linear("hidden2", hidden, hidden1_units, hidden2_units)
    )
    return _linear("softmax_linear", hidden, hidden2_units, NUM_CLASSES)


def _linear(name, inputs, size, units):
    with tf.name_scope(name):
        spread = 1 / math.sqrt(size)
        kernel = tf.truncated_normal([size, units], stddev=spread)
        weights = tf.Variable(kernel, name="weights")
        biases = tf.Variable(tf.zeros([units]), name="biases")
        return tf.matmul(inputs, weights) + biases


def loss(logits, labels):
    """Returns the mean cross-entropy; labels are integers."""
    return tf.losses.sparse_softmax_cross_entropy(
        labels=tf.cast(labels, tf.int64), logits=logits
    )


def training(loss, learning_rate):
    """Returns the operation of one step of gradient descent."""
    tf.summary.scalar("loss", loss)
    optimizer = tf.train.GradientDescentOptimizer(learning_rate)
    global_step = tf.Variable(0, name="global_step", trainable=False)
    return optimizer.minimize(loss, global_step=global_step)


def evaluation(logits, labels):
    """Returns how many of the examples are classified right."""
    return tf.reduce_sum(tf.cast(tf.nn.in_top_k(logits, labels, 1), tf.int32))
