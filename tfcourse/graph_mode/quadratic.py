"""The lecture's TensorFlow program: the minimum of a quadratic cost."""

import os
from typing import Any, NamedTuple

import numpy as np
import tensorflow as tf

from tfcourse.errors import InputError
from tfcourse.graph_mode.lecture_program import (
    Lecture,
    checked_rows,
    six_digits,
)
from tfcourse.graph_mode.loops import loop_around_the_graph, loop_in_the_graph
from tfcourse.utils.validation import check_integer

v1 = tf.compat.v1


class Trajectory(NamedTuple):
    """The path of a run: `w` and its cost, at the start and after each step.

    Both have shape `(steps + 1,)` and are float32.
    """

    w: np.ndarray
    cost: np.ndarray


def minimize_quadratic(
    coefficients: Any = (1, -10, 25),
    *,
    optimizer: str = "gradient_descent",
    learning_rate: float = 0.01,
    steps: int = 1000,
    w0: float = 0.0,
    device: str | None = None,
    written: str = "placeholder",
    fast: bool = False,
    tensorboard: str | os.PathLike | None = None,
    verbose: bool = True,
) -> Trajectory:
    r"""Runs the lecture's program: $w$ goes to the minimum of a parabola.

    With coefficients $a, b, c$ the cost is $J(w) = a w^2 + b w + c$, whose
    minimum is at $w = -b / 2a$. The program is a graph of TensorFlow 1 with a
    float32 variable `w` and a placeholder `x` of shape `[3, 1]`, which a
    session runs step by step, feeding the coefficients.

    Args:
        coefficients: $a > 0$, $b$, $c$; or an array of shape `(steps, 3)` to
            feed different ones at each step, as with mini-batches.
        optimizer: The name of one of the course's, `"gradient_descent"`,
            `"momentum"`, `"rmsprop"` or `"adam"`, or of a class of
            `tf.compat.v1.train` such as `"AdamOptimizer"`.
        learning_rate: $\alpha > 0$.
        steps: The number of steps, at least 1.
        w0: The value that $w$ starts from.
        device: Where to compute, e.g. `"/cpu:0"`. `None` lets TensorFlow
            choose.
        written: How the cost is written: with a `"placeholder"`; or without
            one, with `"functions"` (`tf.add`, `tf.multiply`) or with overloaded
            `"operators"`. The path is the same.
        fast: Whether the loop is part of the graph, which a single call of the
            session then runs. The path is the same, bit for bit.
        tensorboard: A folder for TensorBoard: the graph, $w$ and the cost.
        verbose: Whether to print $w$ before, after one step, and at the end.

    Returns:
        A `Trajectory`: `w` and `cost`, each of shape `(steps + 1,)`. The cost
        uses the coefficients of the next step; at the end, those of the last.

    Raises:
        InputError: If an argument cannot be used, if there is no minimum, or if
            the run diverges; the message names the step.
        TypeError: If a number is expected and something else is given.

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
    lecture = Lecture(
        checked_rows(coefficients, steps), optimizer, learning_rate, w0, written
    )
    run = loop_in_the_graph if fast else loop_around_the_graph
    path = Trajectory(*run(lecture, steps, device).T)
    _check_converging(path, lecture)
    if tensorboard is not None:
        _write_for_tensorboard(tensorboard, lecture.program().graph, path)
    if verbose:
        for t in sorted({0, 1, steps}):
            print(six_digits(path.w[t]))
    return path


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
