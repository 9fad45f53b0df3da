"""The lecture's TensorFlow program: the minimum of a quadratic cost."""

import dataclasses
from typing import NamedTuple

import numpy as np
import tensorflow as tf

from tfcourse.errors import InputError
from tfcourse.graph_mode.named_optimizers import (
    kept_running,
    optimizer_named,
)
from tfcourse.graph_mode.session import new_graph, new_session
from tfcourse.utils.validation import check_integer, check_number

v1 = tf.compat.v1


class Trajectory(NamedTuple):
    """Where a run went: `w` and the cost there, at first and after each step.

    Both have shape `(steps + 1,)` and are float32.
    """

    w: np.ndarray
    cost: np.ndarray


class LectureProgram(NamedTuple):
    """The lecture's graph and what the lecture calls by name in it."""

    graph: tf.Graph
    w: tf.Variable
    x: tf.Tensor | None
    cost: tf.Tensor
    optimizer: v1.train.Optimizer
    train: tf.Operation


def minimize_quadratic(
    coefficients=(1, -10, 25),
    *,
    optimizer="gradient_descent",
    learning_rate=0.01,
    steps=1000,
    w0=0.0,
    device=None,
    written="placeholder",
    fast=False,
    tensorboard=None,
    verbose=True,
):
    r"""Runs the lecture's program: $w$ goes to the minimum of a parabola.

    With coefficients $a, b, c$ the cost is $J(w) = a w^2 + b w + c$, whose
    minimum is at $w = -b / 2a$. The program is a graph of TensorFlow 1 with a
    float32 variable `w` and a placeholder `x` of shape `[3, 1]`, which a
    session runs step by step, feeding the coefficients.

    Args:
        coefficients: $a > 0$, $b$, $c$; or an array of shape `(steps, 3)` to
            feed others at each step, as with mini-batches.
        optimizer: The name of one of the course's, `"gradient_descent"`,
            `"momentum"`, `"rmsprop"` or `"adam"`, or of a class of
            `tf.compat.v1.train` such as `"AdamOptimizer"`.
        learning_rate: $\alpha > 0$.
        steps: How many, at least 1.
        w0: The value that $w$ starts from.
        device: Where to compute, e.g. `"/cpu:0"`. `None` lets TensorFlow
            choose.
        written: How the cost is: with a `"placeholder"`; without, by
            `"functions"` (`tf.add`, `tf.multiply`) or by overloaded
            `"operators"`. The path is the same.
        fast: Whether the loop is part of the graph, which a single call of the
            session then runs. The path is the same, bit for bit.
        tensorboard: A folder for TensorBoard: the graph, $w$ and the cost.
        verbose: Whether to print $w$ before, after one step, and at the end.

    Returns:
        A `Trajectory`: `w` and `cost`, each of shape `(steps + 1,)`. The
        cost is by the coefficients of the step to come; at the end, of the
        last.

    Raises:
        InputError: If an argument cannot be used, if there is no minimum, or
            if the run diverges; says at which step.
        TypeError: If a number is none.

    Example:

    >>> path = minimize_quadratic()
    0.0
    0.1
    4.99999
    >>> path = minimize_quadratic((1, -20, 100))
    0.0
    0.2
    9.99998

    Reference:
        Andrew Ng, Improving Deep Neural Networks, week 3, "TensorFlow".
    """
    check_integer(steps, "steps")
    lecture = _Lecture(
        _rows(coefficients, steps), optimizer, learning_rate, w0, written
    )
    run = _loop_in_the_graph if fast else _loop_around_the_graph
    path = Trajectory(*run(lecture, steps, device).T)
    _check_converging(path, lecture)
    if tensorboard is not None:
        _write_for_tensorboard(tensorboard, lecture.program().graph, path)
    if verbose:
        for t in sorted({0, 1, steps}):
            print(six_digits(path.w[t]))
    return path


def lecture_program(
    coefficients=(1, -10, 25),
    *,
    optimizer="gradient_descent",
    learning_rate=0.01,
    w0=0.0,
    written="placeholder",
):
    """Returns the `LectureProgram`, in a graph of its own, not yet run.

    Args:
        coefficients: $a > 0$, $b$, $c$. Used only where there is no
            placeholder.
        optimizer, learning_rate, w0, written: As in `minimize_quadratic`.
    """
    rows = _rows(coefficients, 1)
    return _Lecture(rows, optimizer, learning_rate, w0, written).program()


def six_digits(value):
    """Returns a float as the lecture's NumPy printed a float32."""
    return np.format_float_positional(
        value, precision=6, unique=False, fractional=False, trim="0"
    )


@dataclasses.dataclass(frozen=True)
class _Lecture:
    """What the lecture's program is made from, checked.

    `rows` are the coefficients, shape `(1, 3)`, or `(steps, 3)` for others at
    each step.
    """

    rows: np.ndarray
    optimizer: str
    learning_rate: float
    w0: float
    written: str

    def __post_init__(self):
        for name, interval in {
            "learning_rate": "(0, inf)",
            "w0": "(-3.4e38, 3.4e38)",
        }.items():
            value = getattr(self, name)
            try:
                check_number(value, name, "minimize_quadratic", interval)
            except ValueError as error:
                raise InputError(str(error)) from None
        if self.written not in ("placeholder", *_WITHOUT_PLACEHOLDER):
            raise InputError(
                "`written` of minimize_quadratic must be 'placeholder', "
                f"'functions' or 'operators'. Received: {self.written!r}"
            )
        if len(self.rows) > 1 and self.written != "placeholder":
            raise InputError(
                "Without a placeholder the coefficients are part of the graph: "
                "they cannot differ from step to step. Say "
                "`written='placeholder'`."
            )
        with tf.Graph().as_default():
            self.method()  # Raises if there is none of that name.

    def variable(self):
        return v1.Variable(
            self.w0, dtype=tf.float32, name="w", use_resource=True
        )

    def placeholder(self):
        if self.written == "placeholder":
            return v1.placeholder(tf.float32, [3, 1], name="x")
        return None

    def cost(self, w, x):
        if x is not None:
            return x[0][0] * w**2 + x[1][0] * w + x[2][0]
        return _WITHOUT_PLACEHOLDER[self.written](w, *self.rows[0].tolist())

    def method(self):
        return optimizer_named(self.optimizer, self.learning_rate)

    def program(self, device=None):
        with new_graph(device) as graph:
            w, x = self.variable(), self.placeholder()
            cost = self.cost(w, x)
            optimizer = self.method()
            train = _train(optimizer, w, cost)
            return LectureProgram(graph, w, x, cost, optimizer, train)

    def row(self, t):
        """Returns the coefficients of a step, as the placeholder takes them."""
        return self.rows[min(t, len(self.rows) - 1)][:, np.newaxis]


def _train(optimizer, w, cost):
    step = v1.train.get_or_create_global_step()
    return optimizer.minimize(cost, global_step=step, var_list=[w])


# The lecture's other two ways of writing the cost.


def _with_functions(w, a, b, c):
    return tf.add(tf.add(tf.multiply(a, w**2), tf.multiply(b, w)), c)


def _with_operators(w, a, b, c):
    return a * w**2 + b * w + c


_WITHOUT_PLACEHOLDER = {
    "functions": _with_functions,
    "operators": _with_operators,
}


def _loop_around_the_graph(lecture, steps, device):
    """Returns `w` and the cost at each step: the lecture's own loop."""
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


def _loop_in_the_graph(lecture, steps, device):
    """Returns the same by one call of the session."""
    with new_graph(device) as graph:
        optimizer = lecture.method()
        if isinstance(optimizer, v1.train.SyncReplicasOptimizer):
            raise InputError(
                "SyncReplicasOptimizer waits for a thread outside of the "
                "graph, so that the loop cannot be inside. Leave `fast` out."
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
                train = _train(optimizer, w, cost)
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


def _rows(coefficients, steps):
    """Returns the coefficients as float32, checked: shape `(1 or steps, 3)`."""
    try:
        with np.errstate(over="ignore"):
            rows = np.asarray(coefficients, "float32")
    except (TypeError, ValueError):
        rows = np.array(np.nan)
    rows = rows[np.newaxis] if rows.ndim == 1 else rows
    if rows.shape not in {(1, 3), (steps, 3)} or not np.isfinite(rows).all():
        raise InputError(
            "`coefficients` of minimize_quadratic must be three finite "
            "numbers, those of w², w and 1, or an array of shape "
            f"(steps, 3) = ({steps}, 3). Received: {coefficients!r}"
        )
    if not (rows[:, 0] > 0).all():
        raise InputError(
            "The leading coefficient must be positive: with "
            f"{six_digits(rows[:, 0].min())} the cost "
            "a w² + b w + c has no minimum. Received: coefficients="
            f"{coefficients!r}"
        )
    return rows


def _check_converging(path, lecture):
    """Raises if `w` goes away from where the minima are."""
    a, b, _ = lecture.rows.astype("float64").T
    minima = -b / (2 * a)
    # Methods with a memory overshoot, and an adaptive one may go back and forth
    # by a few learning rates; none that converges goes a hundred times as far.
    start = np.abs(minima - lecture.w0).max() + lecture.learning_rate
    limit = 100 * start + np.ptp(minima)
    with np.errstate(invalid="ignore"):
        away = np.abs(path.w.astype("float64") - minima.mean())
    diverged = ~(np.isfinite(path.w) & np.isfinite(path.cost) & (away <= limit))
    if diverged.any():
        t = int(diverged.argmax())
        raise InputError(
            f"{lecture.optimizer} diverged: after step {t}, w is "
            f"{path.w[t]:.4g} and the cost {path.cost[t]:.4g}. Choose a "
            "smaller learning rate than "
            f"{lecture.learning_rate:g}; gradient descent needs one below "
            f"1 / a = {1 / a.max():.4g}."
        )


def _write_for_tensorboard(folder, graph, path):
    with graph.as_default():
        writer = v1.summary.FileWriter(str(folder), graph)
    for t, (w, cost) in enumerate(zip(*path, strict=True)):
        values = [
            v1.Summary.Value(tag="w", simple_value=w),
            v1.Summary.Value(tag="cost", simple_value=cost),
        ]
        writer.add_summary(v1.Summary(value=values), t)
    writer.close()
