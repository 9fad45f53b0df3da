"""The two loops of the lecture's program: around its graph, and inside."""

import numpy as np
import tensorflow as tf

from tfcourse.errors import InputError
from tfcourse.graph_mode.lecture_program import Lecture, minimize
from tfcourse.graph_mode.named_optimizers import kept_running
from tfcourse.graph_mode.session import new_graph, new_session

v1 = tf.compat.v1


def loop_around_the_graph(
    lecture: Lecture, steps: int, device: str | None
) -> np.ndarray:
    """Returns `w` and the cost at each step: the lecture's own loop.

    The shape is `(steps + 1, 2)`.
    """
    graph, w, x, cost, optimizer, train = lecture.program(device)
    path = []
    with new_session(graph) as session:
        session.run(_initializer(graph))
        with kept_running(optimizer, session):
            for t in range(steps + 1):
                feed_dict = {} if x is None else {x: lecture.row(t)}
                path.append(session.run([w, cost], feed_dict=feed_dict))
                session.run(train, feed_dict=feed_dict)
    return np.array(path)


def loop_in_the_graph(
    lecture: Lecture, steps: int, device: str | None
) -> np.ndarray:
    """Returns the same by one call of the session."""
    with new_graph(device) as graph:
        optimizer = lecture.method()
        if isinstance(optimizer, v1.train.SyncReplicasOptimizer):
            raise InputError(
                "SyncReplicasOptimizer waits for a thread outside of the "
                "graph, so the loop cannot run inside it. Leave out `fast`."
            )
        w, x, rows = lecture.variable(), lecture.placeholder(), None
        if len(lecture.rows) > 1:
            rows = v1.placeholder(tf.float32, [steps, 3, 1])

        def step(t, path):
            row = x if rows is None else rows[tf.minimum(t, steps - 1)]
            cost = lecture.cost(w, row)
            here = tf.stack([w, cost])
            # Nothing else keeps the reading before the writing, and one step
            # before the next.
            with tf.control_dependencies([here]):
                train = minimize(optimizer, w, cost)
            with tf.control_dependencies([train]):
                return tf.identity(t + 1), path.write(t, here)

        _, path = tf.while_loop(
            lambda t, _: t <= steps,
            step,
            (0, tf.TensorArray(tf.float32, steps + 1)),
            parallel_iterations=1,
        )
        path = path.stack()
    feed_dict = {} if x is None else {x: lecture.row(0)}
    if rows is not None:
        feed_dict = {rows: lecture.rows[..., np.newaxis]}
    with new_session(graph) as session:
        session.run(_initializer(graph))
        return session.run(path, feed_dict=feed_dict)


def _initializer(graph):
    with graph.as_default():
        return v1.global_variables_initializer()
