"""The course's optimizers for TensorFlow 1 graphs."""

import numbers
from collections.abc import Callable

import tensorflow as tf

from tfcourse.optimizers.adam import adam_step
from tfcourse.optimizers.base import is_kernel
from tfcourse.optimizers.gradient_descent import gradient_descent_step
from tfcourse.optimizers.momentum import momentum_step
from tfcourse.optimizers.rmsprop import rmsprop_step
from tfcourse.utils.validation import check_flag, check_number

v1 = tf.compat.v1

# A number, a scalar tensor such as a placeholder or a decayed learning rate, or
# a function that returns one.
Setting = float | tf.Tensor | Callable[[], float | tf.Tensor]

_INTERVALS = {
    "learning_rate": "[0, inf)",
    "l2": "[0, inf)",
    "beta": "[0, 1)",
    "beta_1": "[0, 1)",
    "beta_2": "[0, 1)",
    "epsilon": "(0, inf)",
}


class _Optimizer(v1.train.Optimizer):
    """The abstract base: a subclass adds its slots and its equation.

    Each of its settings is a `Setting`.
    """

    slots: tuple[str, ...] = ()

    def __init__(
        self,
        name: str,
        use_locking: bool,
        l2: Setting = 0.0,
        **settings: Setting,
    ) -> None:
        super().__init__(use_locking, name)
        for setting, value in {"l2": l2, **settings}.items():
            if not (callable(value) or tf.is_tensor(value)):
                owner, interval = type(self).__name__, _INTERVALS[setting]
                check_number(value, setting, owner, interval)
        self._l2 = l2
        self._settings = settings

    def equation(self, g, *slots, **settings):
        """Returns the step to subtract from the parameter, and its slots."""
        raise NotImplementedError

    def _create_slots(self, var_list):
        for variable in var_list:
            for slot in self.slots:
                self._zeros_slot(variable, slot, self._name)

    def _prepare(self):
        self._tensors = {
            name: _float64(value) for name, value in self._settings.items()
        }
        self._l2_tensor = _float64(self._l2)

    def _apply_dense(self, grad, var):
        # In float16 an epsilon of 1e-8 would be 0.
        dtype = var.dtype.base_dtype
        dtype = dtype if dtype.size >= 4 else tf.float32
        slots = [self.get_slot(var, name) for name in self.slots]
        g = tf.cast(grad, dtype)
        if self._regularizes(var):
            g += tf.cast(self._l2_tensor, dtype) * tf.cast(var, dtype)
        step, *averages = self.equation(
            g, *(tf.cast(slot, dtype) for slot in slots), **self._tensors
        )
        updates = [
            v1.assign(slot, tf.cast(average, slot.dtype.base_dtype))
            for slot, average in zip(slots, averages, strict=True)
        ]
        step = tf.cast(step, var.dtype.base_dtype)
        taken = v1.assign_sub(var, step, use_locking=self._use_locking)
        return tf.group(taken, *updates)

    _resource_apply_dense = _apply_dense

    def _resource_apply_sparse_duplicate_indices(self, grad, handle, indices):
        # The averages of rows without a gradient move too.
        rows = tf.shape(handle)[0]
        grad = tf.math.unsorted_segment_sum(grad, indices, rows)
        return self._apply_dense(grad, handle)

    def _apply_sparse_duplicate_indices(self, grad, var):
        return self._resource_apply_sparse_duplicate_indices(
            grad.values, var, grad.indices
        )

    def _regularizes(self, var):
        absent = isinstance(self._l2, numbers.Real) and self._l2 == 0
        return is_kernel(var) and not absent


def _float64(value):
    value = value() if callable(value) else value
    if tf.is_tensor(value):
        return tf.cast(value, tf.float64)
    return tf.constant(value, tf.float64)


class GradientDescent(_Optimizer):
    r"""Goes down the gradient, in steps proportional to it.

    $$W := W - \alpha \, dW$$

    As `tfcourse.optimizers.GradientDescent`, for `minimize` in a TensorFlow 1
    graph. `tf.compat.v1.train.GradientDescentOptimizer` computes the same, but
    has no `l2`. Rows without a gradient, in a sparse one, are not touched
    unless `l2` shrinks them.

    Args:
        learning_rate: $\alpha \ge 0$: a number, a scalar tensor, or a function
            that returns one.
        l2: $\lambda / m \ge 0$, likewise: $\lambda / m \cdot W$ is added to the
            gradient of every kernel, but never to that of a bias, $\gamma$ or
            $\beta$.
        use_locking: Whether concurrent updates of a variable wait for each
            other.
        name: Name of the operations and slots in the graph.

    Raises:
        TypeError: If a setting is neither a number nor a tensor.
        ValueError: If a number lies outside its interval.

    Example:

    >>> with tf.Graph().as_default(), tf.compat.v1.Session() as session:
    ...     w = tf.compat.v1.Variable([[1.0]], name="kernel")
    ...     train = GradientDescent(0.1, l2=0.5).minimize(2 * w)
    ...     session.run(tf.compat.v1.global_variables_initializer())
    ...     session.run(train)
    ...     round(float(session.run(w)[0, 0]), 6)
    0.75
    """

    def __init__(
        self,
        learning_rate: Setting = 0.01,
        l2: Setting = 0.0,
        use_locking: bool = False,
        name: str = "GradientDescent",
    ) -> None:
        super().__init__(name, use_locking, l2, learning_rate=learning_rate)

    def equation(self, g, learning_rate):
        return (gradient_descent_step(g, learning_rate),)

    def _resource_apply_sparse_duplicate_indices(self, grad, handle, indices):
        if self._regularizes(handle):
            return super()._resource_apply_sparse_duplicate_indices(
                grad, handle, indices
            )
        (step,) = self.equation(grad, **self._tensors)
        return handle.scatter_sub(tf.IndexedSlices(step, indices))


class Momentum(_Optimizer):
    r"""Gradient descent along an exponentially weighted average of gradients.

    With $v = 0$ at first,

    $$v := \beta v + (1 - \beta) \, dW, \qquad W := W - \alpha v.$$

    As `tfcourse.optimizers.Momentum`. `tf.compat.v1.train.MomentumOptimizer`
    sums instead of averaging: its steps are $1 / (1 - \beta)$ times as long.

    Args:
        learning_rate, l2, use_locking, name: As in `GradientDescent`.
        beta: $\beta$, share of the average kept at each step, in [0, 1).

    Raises:
        TypeError: As `GradientDescent`.
        ValueError: As `GradientDescent`.
    """

    slots = ("v",)

    def __init__(
        self,
        learning_rate: Setting = 0.01,
        beta: Setting = 0.9,
        l2: Setting = 0.0,
        use_locking: bool = False,
        name: str = "Momentum",
    ) -> None:
        super().__init__(
            name, use_locking, l2, learning_rate=learning_rate, beta=beta
        )

    def equation(self, g, v, learning_rate, beta):
        return momentum_step(g, v, learning_rate, beta)


class RMSprop(_Optimizer):
    r"""Gradient descent scaled by the root mean square of recent gradients.

    With $s = 0$ at first and all operations elementwise,

    $$s := \beta s + (1 - \beta) \, dW^2, \qquad
      W := W - \alpha \, \frac{dW}{\sqrt{s} + \varepsilon},$$

    or $dW / \sqrt{s + \varepsilon}$ with `epsilon_inside_sqrt=True`.

    As `tfcourse.optimizers.RMSprop`. `tf.compat.v1.train.RMSPropOptimizer` has
    its $\varepsilon$ of $10^{-10}$ inside the root and starts with $s = 1$: its
    first step is, at $\beta = 0.999$ and a gradient of 1, thirty times as
    short.

    Args:
        learning_rate, l2, use_locking, name: As in `GradientDescent`.
        beta: $\beta$, share of the average kept at each step, in [0, 1).
        epsilon: $\varepsilon > 0$, in units of $dW$, squared if inside the
            root.
        epsilon_inside_sqrt: Whether $\varepsilon$ is added before taking the
            root.

    Raises:
        TypeError: As `GradientDescent`.
        ValueError: As `GradientDescent`.
    """

    slots = ("s",)

    def __init__(
        self,
        learning_rate: Setting = 0.001,
        beta: Setting = 0.999,
        epsilon: Setting = 1e-8,
        epsilon_inside_sqrt: bool = False,
        l2: Setting = 0.0,
        use_locking: bool = False,
        name: str = "RMSprop",
    ) -> None:
        check_flag(epsilon_inside_sqrt, "epsilon_inside_sqrt", "RMSprop")
        super().__init__(
            name,
            use_locking,
            l2,
            learning_rate=learning_rate,
            beta=beta,
            epsilon=epsilon,
        )
        self._epsilon_inside_sqrt = epsilon_inside_sqrt

    def equation(self, g, s, **settings):
        return rmsprop_step(
            g, s, **settings, epsilon_inside_sqrt=self._epsilon_inside_sqrt
        )


class Adam(_Optimizer):
    r"""Gradient descent scaled by running moments of the gradient.

    With $m_0 = v_0 = 0$, $t = 1, 2, \dots$ and all operations elementwise,

    $$m_t = \beta_1 m_{t-1} + (1 - \beta_1) \, dW, \qquad
      v_t = \beta_2 v_{t-1} + (1 - \beta_2) \, dW^2,$$

    $$W := W - \alpha \, \frac{m_t / (1 - \beta_1^t)}
      {\sqrt{v_t / (1 - \beta_2^t)} + \varepsilon},$$

    or with $\varepsilon$ under the root if `epsilon_inside_sqrt=True`.

    As `tfcourse.optimizers.Adam`. `tf.compat.v1.train.AdamOptimizer` adds its
    $\varepsilon$ before the correction of $v_t$: its effective value is thirty
    times larger at the first step.

    Args:
        learning_rate, l2, use_locking, name: As in `GradientDescent`.
        beta_1: $\beta_1$, share of the first moment kept at each step, in
            [0, 1).
        beta_2: $\beta_2$, the same for the second moment.
        epsilon: $\varepsilon > 0$, in units of $dW$, squared if inside the
            root.
        epsilon_inside_sqrt: Whether $\varepsilon$ is added before taking the
            root.

    Raises:
        TypeError: As `GradientDescent`.
        ValueError: As `GradientDescent`.

    Reference:
        Kingma and Ba (2015), Algorithm 1, https://arxiv.org/abs/1412.6980.
    """

    slots = ("m", "v")

    def __init__(
        self,
        learning_rate: Setting = 0.001,
        beta_1: Setting = 0.9,
        beta_2: Setting = 0.999,
        epsilon: Setting = 1e-8,
        epsilon_inside_sqrt: bool = False,
        l2: Setting = 0.0,
        use_locking: bool = False,
        name: str = "Adam",
    ) -> None:
        check_flag(epsilon_inside_sqrt, "epsilon_inside_sqrt", "Adam")
        super().__init__(
            name,
            use_locking,
            l2,
            learning_rate=learning_rate,
            beta_1=beta_1,
            beta_2=beta_2,
            epsilon=epsilon,
        )
        self._epsilon_inside_sqrt = epsilon_inside_sqrt

    def equation(self, g, m, v, **settings):
        return adam_step(
            g, m, v, **settings, epsilon_inside_sqrt=self._epsilon_inside_sqrt
        )

    def _create_slots(self, var_list):
        super()._create_slots(var_list)
        self._create_non_slot_variable(
            tf.zeros((), tf.int64),
            name=f"{self._name}/t",
            colocate_with=min(var_list, key=lambda variable: variable.name),
        )

    @property
    def _t(self):
        """The number of finished steps, a variable of the present graph."""
        # In the body of a loop the graph that has the variables is outside.
        with tf.init_scope():
            graph = None if tf.executing_eagerly() else v1.get_default_graph()
            return self._get_non_slot_variable(f"{self._name}/t", graph)

    def _prepare(self):
        super()._prepare()
        self._tensors["t"] = tf.convert_to_tensor(self._t) + 1

    def _finish(self, update_ops, name_scope):
        with tf.control_dependencies(update_ops):
            counted = v1.assign_add(self._t, 1)
        return tf.group(*update_ops, counted, name=name_scope)
