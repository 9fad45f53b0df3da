"""What trains a network by softmax, as a TensorFlow 1 graph."""

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import numpy as np
import tensorflow as tf

from tfcourse.graph_mode.classifier.network import Network, softmax_network
from tfcourse.graph_mode.named_optimizers import optimizer_named

v1 = tf.compat.v1


class TrainingGraph(NamedTuple):
    """The nodes of the graph that are fed and fetched."""

    network: Network
    labels: tf.Tensor
    m: tf.Tensor
    step: tf.Variable
    train: tf.Operation
    cost: tf.Tensor
    accuracy: tf.Tensor
    probabilities: tf.Tensor
    summary: tf.Tensor


def training_graph(
    architecture: Mapping[str, Any],
    optimizer: str | Callable[..., v1.train.Optimizer],
    learning_rate: float | Callable[[tf.Variable], tf.Tensor],
    lambda_: float,
) -> TrainingGraph:
    """Writes network, cost, optimizer and summaries into the present graph.

    Args:
        architecture: The arguments of `softmax_network`, a dict.
        optimizer: A name, or a function from the learning rate to a
            `tf.compat.v1.train.Optimizer`.
        learning_rate: A number, or a function from the global step to a tensor.
        lambda_: That of the penalty.
    """
    step = v1.train.get_or_create_global_step()
    network = softmax_network(**architecture)
    labels = v1.placeholder(tf.int32, [None], name="labels")
    m = v1.placeholder_with_default(np.inf, [], name="m")
    with tf.name_scope("loss"):
        losses = tf.nn.sparse_softmax_cross_entropy_with_logits(
            labels, network.logits
        )
        squares = tf.add_n([tf.reduce_sum(w**2) for w in network.kernels])
        penalty = lambda_ / (2 * tf.cast(m, tf.float32)) * squares
        cost = tf.reduce_mean(losses) + penalty
    with tf.name_scope("evaluation"):
        right = tf.equal(tf.argmax(network.logits, -1, tf.int32), labels)
        accuracy = tf.reduce_mean(tf.cast(right, tf.float32))
    if callable(learning_rate):
        with tf.name_scope("decay"):
            learning_rate = learning_rate(step)
    if callable(optimizer):
        optimizer = optimizer(learning_rate)
    else:
        optimizer = optimizer_named(optimizer, learning_rate)
    with tf.control_dependencies(v1.get_collection(v1.GraphKeys.UPDATE_OPS)):
        train = optimizer.minimize(cost, global_step=step)
    v1.summary.scalar("cost", cost)
    v1.summary.scalar("accuracy", accuracy)
    v1.summary.scalar("learning_rate", learning_rate)
    return TrainingGraph(
        network=network,
        labels=labels,
        m=m,
        step=step,
        train=train,
        cost=cost,
        accuracy=accuracy,
        probabilities=tf.nn.softmax(network.logits),
        summary=v1.summary.merge_all(),
    )
