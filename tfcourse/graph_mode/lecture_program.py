"""The graph of the lecture's program: its cost, and what makes it fall."""

import dataclasses
from typing import Any, NamedTuple

import numpy as np
import tensorflow as tf

from tfcourse.errors import InputError
from tfcourse.graph_mode.named_optimizers import optimizer_named
from tfcourse.graph_mode.session import new_graph
from tfcourse.utils.validation import check_number

v1 = tf.compat.v1


class LectureProgram(NamedTuple):
    """The lecture's graph and what the lecture calls by name in it."""

    graph: tf.Graph
    w: tf.Variable
    x: tf.Tensor | None
    cost: tf.Tensor
    optimizer: v1.train.Optimizer
    train: tf.Operation


def lecture_program(
    coefficients: Any = (1, -10, 25),
    *,
    optimizer: str = "gradient_descent",
    learning_rate: float = 0.01,
    w0: float = 0.0,
    written: str = "placeholder",
) -> LectureProgram:
    """Returns the `LectureProgram`, in a graph of its own, not yet run.

    Args:
        coefficients: $a > 0$, $b$, $c$. Used only where there is no
            placeholder.
        optimizer, learning_rate, w0, written: As in `minimize_quadratic`.
    """
    rows = checked_rows(coefficients, 1)
    return Lecture(rows, optimizer, learning_rate, w0, written).program()


@dataclasses.dataclass(frozen=True)
class Lecture:
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
                "Without a placeholder the coefficients are part of the "
                "graph: they cannot differ from step to step. Use "
                "`written='placeholder'`."
            )
        with tf.Graph().as_default():
            self.method()  # Raises if there is none of that name.

    def variable(self) -> tf.Variable:
        """Returns `w`, made in the present graph."""
        return v1.Variable(
            self.w0, dtype=tf.float32, name="w", use_resource=True
        )

    def placeholder(self) -> tf.Tensor | None:
        """Returns `x` for the coefficients, if the cost is written with it."""
        if self.written == "placeholder":
            return v1.placeholder(tf.float32, [3, 1], name="x")
        return None

    def cost(self, w: tf.Variable, x: tf.Tensor | None) -> tf.Tensor:
        """Returns the cost at `w`, with the coefficients in `x` or its own."""
        if x is not None:
            return x[0][0] * w**2 + x[1][0] * w + x[2][0]
        return _WITHOUT_PLACEHOLDER[self.written](w, *self.rows[0].tolist())

    def method(self) -> v1.train.Optimizer:
        """Returns a new optimizer."""
        return optimizer_named(self.optimizer, self.learning_rate)

    def program(self, device: str | None = None) -> LectureProgram:
        """Returns the program, in a graph of its own."""
        with new_graph(device) as graph:
            w, x = self.variable(), self.placeholder()
            cost = self.cost(w, x)
            optimizer = self.method()
            train = minimize(optimizer, w, cost)
            return LectureProgram(graph, w, x, cost, optimizer, train)

    def row(self, t: int) -> np.ndarray:
        """Returns the coefficients of a step, as the placeholder takes them."""
        return self.rows[min(t, len(self.rows) - 1)][:, np.newaxis]


def minimize(
    optimizer: v1.train.Optimizer, w: tf.Variable, cost: tf.Tensor
) -> tf.Operation:
    """Returns the operation that makes one step, and counts it."""
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


def checked_rows(coefficients: Any, steps: int) -> np.ndarray:
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


def six_digits(value: float) -> str:
    """Returns a float as the lecture's NumPy printed a float32."""
    return np.format_float_positional(
        value, precision=6, unique=False, fractional=False, trim="0"
    )
