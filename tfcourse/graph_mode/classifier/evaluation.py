"""What a trained network returns, some examples at a time."""

from collections.abc import Iterator

import numpy as np
import tensorflow as tf

from tfcourse.graph_mode.classifier.training_graph import TrainingGraph

v1 = tf.compat.v1


def evaluated(
    session: v1.Session,
    nodes: TrainingGraph,
    x: np.ndarray,
    y: np.ndarray,
    batch_size: int,
) -> dict[str, float]:
    """Returns the cost, without the penalty, and the accuracy."""
    totals = np.zeros(2)
    for part in _slices(len(x), batch_size):
        values = session.run(
            [nodes.cost, nodes.accuracy],
            feed_dict={nodes.network.x: x[part], nodes.labels: y[part]},
        )
        totals += np.multiply(values, len(x[part]))
    cost, accuracy = totals / len(x)
    return {"cost": float(cost), "accuracy": float(accuracy)}


def probabilities(
    session: v1.Session, nodes: TrainingGraph, x: np.ndarray, batch_size: int
) -> np.ndarray:
    """Returns the probability of each class, shape `(m, C)`."""
    parts = [
        session.run(nodes.probabilities, feed_dict={nodes.network.x: x[part]})
        for part in _slices(len(x), batch_size)
    ]
    return np.concatenate(parts)


def _slices(m: int, size: int) -> Iterator[slice]:
    return (slice(start, start + size) for start in range(0, m, size))
