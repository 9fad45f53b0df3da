"""Learning-rate decay, per epoch or per mini-batch.

Each rule comes twice: as a plain function of the number of the epoch, for
numbers and NumPy arrays, and as a schedule to give to an optimizer in place of
its learning rate. The constants of a schedule are scalar variables: setting
one takes effect in the next step, without retracing. An optimizer of
`tfcourse.optimizers` lists them among its `hyperparameters` and saves them.
With one of Keras's own they only take effect on TensorFlow, and are not saved.

A schedule counts epochs from 0, as `fit` does: with `steps_per_epoch=n`, the
epoch of the steps 0 to n - 1 is 0. Without, it counts steps instead.
"""

import itertools
import numbers

import keras
import numpy as np
from keras import ops

from tfcourse.hyperparameter import (
    Hyperparameter,
    check_number,
    current_value,
    current_values,
    hyperparameters_of,
)
from tfcourse.saving import register


def inverse_time_decay(
    epoch_num, initial_learning_rate, decay_rate, interval=None
):
    r"""Returns $\alpha_0 / (1 + d \cdot n)$, with $n$ the number of the epoch.

    With an `interval`, $n$ is $\lfloor \text{epoch} / \text{interval} \rfloor$:
    a staircase. At epoch 0 it is $\alpha_0$.

    >>> [round(inverse_time_decay(n, 0.2, 1.0), 3) for n in range(1, 5)]
    [0.1, 0.067, 0.05, 0.04]
    """
    _check_epochs(epoch_num, "inverse_time_decay")
    _check(
        "inverse_time_decay",
        InverseTimeDecay,
        initial_learning_rate=initial_learning_rate,
        decay_rate=decay_rate,
        interval=1 if interval is None else interval,
    )
    n = epoch_num if interval is None else epoch_num // interval
    return initial_learning_rate / (1 + decay_rate * n)


def exponential_decay(
    epoch_num, initial_learning_rate, base=0.95, interval=None
):
    r"""Returns $b^n \alpha_0$, with $n$ the number of the epoch.

    With an `interval`, $n$ is $\lfloor \text{epoch} / \text{interval} \rfloor$:
    with a base of 0.5, the rate is halved every `interval` epochs. At epoch 0
    it is $\alpha_0$.
    """
    _check_epochs(epoch_num, "exponential_decay")
    _check(
        "exponential_decay",
        ExponentialDecay,
        initial_learning_rate=initial_learning_rate,
        base=base,
        interval=1 if interval is None else interval,
    )
    n = epoch_num if interval is None else epoch_num // interval
    return base**n * initial_learning_rate


def inverse_sqrt_decay(epoch_num, initial_learning_rate, k=1.0):
    r"""Returns $k / \sqrt{n} \cdot \alpha_0$, with $n$ the number of the epoch.

    Give the number of the mini-batch, from 1, for the course's $k / \sqrt{t}$.
    At epoch 0, where this has no value, it is that of epoch 1, $k \alpha_0$.
    """
    _check_epochs(epoch_num, "inverse_sqrt_decay")
    _check(
        "inverse_sqrt_decay",
        InverseSqrtDecay,
        initial_learning_rate=initial_learning_rate,
        k=k,
    )
    return _inverse_sqrt(np.maximum(epoch_num, 1), initial_learning_rate, k)


def piecewise_constant_decay(epoch_num, boundaries, values):
    """Returns the value of the interval that the epoch lies in.

    `values[0]` before the epoch `boundaries[0]` (at epoch 0, that is),
    `values[i]` from `boundaries[i - 1]` on.
    """
    _check_epochs(epoch_num, "piecewise_constant_decay")
    _check_pieces(boundaries, values, "piecewise_constant_decay")
    index = np.searchsorted(boundaries, epoch_num, side="right")
    return np.asarray(values, "float64")[index]


def _inverse_sqrt(n, initial_learning_rate, k):
    return k / n**0.5 * initial_learning_rate


def _check_epochs(epoch_num, owner):
    """Raises unless all of `epoch_num`, if it has values yet, are 0 or more."""
    if ops.is_tensor(epoch_num):
        return
    epochs = np.asarray(epoch_num)
    message = (
        f"`epoch_num` of {owner} must be 0 or more. Received: "
        f"epoch_num={epoch_num!r}"
    )
    if epochs.dtype.kind not in "iuf":
        raise TypeError(message)
    if not (epochs >= 0).all():
        raise ValueError(message)


def _check(owner, schedule, **constants):
    """Raises unless a `schedule` may have the constants."""
    for name, value in constants.items():
        # A schedule gives its variables' values, which were checked when set.
        if not ops.is_tensor(value):
            getattr(schedule, name).check(value, owner)


def _check_pieces(boundaries, values, owner):
    """Raises unless `owner` may have the boundaries with the values."""
    if len(values) != len(boundaries) + 1:
        raise ValueError(
            f"`values` of {owner} must be one more than `boundaries`. "
            f"Received: boundaries={boundaries}, values={values}"
        )
    _check_rising(boundaries, owner)
    for i, boundary in enumerate(boundaries):
        check_number(boundary, f"boundary_{i}", owner, "(0, inf)")
    for i, value in enumerate(values):
        check_number(value, f"value_{i}", owner, "[0, inf)")


def _check_rising(boundaries, owner):
    if any(a >= b for a, b in itertools.pairwise(boundaries)):
        raise ValueError(
            f"`boundaries` of {owner} must rise. Received: "
            f"boundaries={boundaries}"
        )


class _Schedule(keras.optimizers.schedules.LearningRateSchedule):
    """The abstract base: a subclass gives the `rate` of an epoch."""

    def __init__(self, steps_per_epoch=None, name=None):
        if steps_per_epoch is not None:
            _check_steps_per_epoch(steps_per_epoch, type(self).__name__)
        self.steps_per_epoch = steps_per_epoch
        self.name = name or type(self).__name__

    def rate(self, epoch_num):
        """Returns the learning rate in the epoch, a scalar tensor."""
        raise NotImplementedError

    hyperparameters = property(hyperparameters_of)

    def _constants(self):
        return {
            name: ops.convert_to_tensor(variable)
            for name, variable in self.hyperparameters.items()
        }

    def __call__(self, step):
        # Divided as integers: a float32 does not hold all numbers of steps.
        epoch_num = ops.floor_divide(step, self.steps_per_epoch or 1)
        return self.rate(ops.cast(epoch_num, keras.config.floatx()))

    def get_config(self):
        return {
            **current_values(self),
            "steps_per_epoch": self.steps_per_epoch,
            "name": self.name,
        }


def _check_steps_per_epoch(steps, owner):
    message = (
        f"`steps_per_epoch` of {owner} must be a positive whole number, or "
        f"None to count steps. Received: steps_per_epoch={steps!r}"
    )
    if isinstance(steps, bool) or not isinstance(steps, numbers.Integral):
        raise TypeError(message)
    if steps < 1:
        raise ValueError(message)


@keras.saving.register_keras_serializable(package="tfcourse")
class InverseTimeDecay(_Schedule):
    r"""Lowers the learning rate as $1 / (1 + d \cdot n)$.

    With $\alpha_0$ the initial learning rate, $d$ the decay rate and $e$ the
    number of the epoch,

    $$\alpha = \frac{\alpha_0}{1 + d \cdot \lfloor e / i \rfloor}.$$

    In epoch 0, $\alpha = \alpha_0$. With an interval $i > 1$ it is the
    assignments' staircase.

    `keras.optimizers.schedules.InverseTimeDecay` divides the step by
    `decay_steps` without rounding, so that with as many steps to an epoch it
    has lost half of the first epoch's decay in the middle of it; with
    `staircase=True` it computes the same. Its constants are fixed once a step
    has been compiled.

    Args:
        initial_learning_rate: $\alpha_0 \ge 0$. Can be set during training.
        decay_rate: $d \ge 0$, per epoch. Can be set during training.
        interval: $i > 0$, in epochs. Can be set during training.
        steps_per_epoch: Mini-batches to an epoch, positive. If `None`, steps
            are counted in place of epochs.
        name: Name of the schedule, and scope of its variables.

    Raises:
        TypeError: If an argument is not a number.
        ValueError: If an argument lies outside its interval.

    Example:

    >>> schedule = InverseTimeDecay(0.2, decay_rate=1.0, steps_per_epoch=100)
    >>> [round(float(schedule(step)), 3) for step in (0, 99, 100, 250)]
    [0.2, 0.2, 0.1, 0.067]

    Reference:
        Andrew Ng, Improving Deep Neural Networks, week 2, "Learning rate
        decay".
    """

    initial_learning_rate = Hyperparameter("[0, inf)")
    decay_rate = Hyperparameter("[0, inf)")
    interval = Hyperparameter("(0, inf)")

    def __init__(
        self,
        initial_learning_rate,
        decay_rate=1.0,
        interval=1,
        steps_per_epoch=None,
        name=None,
    ):
        super().__init__(steps_per_epoch, name)
        self.initial_learning_rate = initial_learning_rate
        self.decay_rate = decay_rate
        self.interval = interval

    def rate(self, epoch_num):
        return inverse_time_decay(epoch_num, **self._constants())


@keras.saving.register_keras_serializable(package="tfcourse")
class ExponentialDecay(_Schedule):
    r"""Multiplies the learning rate by the same number every epoch.

    With $\alpha_0$ the initial learning rate, $b$ the base and $e$ the number
    of the epoch,

    $$\alpha = b^{\lfloor e / i \rfloor} \alpha_0.$$

    In epoch 0, $\alpha = \alpha_0$. With a base of 0.5 and an interval $i$ it
    is halved every $i$ epochs.

    `keras.optimizers.schedules.ExponentialDecay` with `decay_rate=b`, as many
    `decay_steps` as there are to $i$ epochs and `staircase=True` computes the
    same; without, it has gone half the way to the next epoch's rate, down to
    0.975 of this epoch's, in the middle of an epoch. Its constants are fixed
    once a step has been compiled.

    Args:
        initial_learning_rate: $\alpha_0 \ge 0$. Can be set during training.
        base: $b$, in (0, 1]. Can be set during training.
        interval: $i > 0$, in epochs. Can be set during training.
        steps_per_epoch: Mini-batches to an epoch, positive. If `None`, steps
            are counted in place of epochs.
        name: Name of the schedule, and scope of its variables.

    Raises:
        TypeError: If an argument is not a number.
        ValueError: If an argument lies outside its interval.

    Example:

    >>> schedule = ExponentialDecay(0.2, base=0.5, steps_per_epoch=100)
    >>> [round(float(schedule(step)), 3) for step in (0, 99, 100, 250)]
    [0.2, 0.2, 0.1, 0.05]

    Reference:
        Andrew Ng, Improving Deep Neural Networks, week 2, "Learning rate
        decay".
    """

    initial_learning_rate = Hyperparameter("[0, inf)")
    base = Hyperparameter("(0, 1]")
    interval = Hyperparameter("(0, inf)")

    def __init__(
        self,
        initial_learning_rate,
        base=0.95,
        interval=1,
        steps_per_epoch=None,
        name=None,
    ):
        super().__init__(steps_per_epoch, name)
        self.initial_learning_rate = initial_learning_rate
        self.base = base
        self.interval = interval

    def rate(self, epoch_num):
        return exponential_decay(epoch_num, **self._constants())


@keras.saving.register_keras_serializable(package="tfcourse")
class InverseSqrtDecay(_Schedule):
    r"""Lowers the learning rate with the root of the epoch, or of the step.

    With $\alpha_0$ the initial learning rate and $e$ the number of the epoch,

    $$\alpha = \frac{k}{\sqrt{e}} \alpha_0;$$

    without `steps_per_epoch`, with $t = 1, 2, \dots$ the number of the
    mini-batch,

    $$\alpha = \frac{k}{\sqrt{t}} \alpha_0.$$

    In epoch 0, where the first has no value, $\alpha = k \alpha_0$ as in
    epoch 1. The first step of all, Keras's step 0, is $t = 1$. Keras has no
    such schedule.

    Args:
        initial_learning_rate: $\alpha_0 \ge 0$. Can be set during training.
        k: $k > 0$, the square root of an epoch's or a mini-batch's number. Can
            be set during training.
        steps_per_epoch: Mini-batches to an epoch, positive. If `None`, steps
            are counted in place of epochs.
        name: Name of the schedule, and scope of its variables.

    Raises:
        TypeError: If an argument is not a number.
        ValueError: If an argument lies outside its interval.

    Example:

    >>> per_step = InverseSqrtDecay(0.2)
    >>> [round(float(per_step(step)), 3) for step in (0, 3)]
    [0.2, 0.1]
    >>> per_epoch = InverseSqrtDecay(0.2, steps_per_epoch=100)
    >>> [round(float(per_epoch(step)), 3) for step in (0, 100, 400)]
    [0.2, 0.2, 0.1]

    Reference:
        Andrew Ng, Improving Deep Neural Networks, week 2, "Learning rate
        decay".
    """

    initial_learning_rate = Hyperparameter("[0, inf)")
    k = Hyperparameter("(0, inf)")

    def __init__(
        self, initial_learning_rate, k=1.0, steps_per_epoch=None, name=None
    ):
        super().__init__(steps_per_epoch, name)
        self.initial_learning_rate = initial_learning_rate
        self.k = k

    def rate(self, epoch_num):
        if self.steps_per_epoch is None:
            n = epoch_num + 1
        else:
            n = ops.maximum(epoch_num, 1)
        return _inverse_sqrt(n, **self._constants())


@keras.saving.register_keras_serializable(package="tfcourse")
class PiecewiseConstantDecay(_Schedule):
    r"""Takes the learning rates that were laid down by hand.

    With $e$ the number of the epoch, boundaries $b_1 < \dots < b_k$ and values
    $\alpha_0, \dots, \alpha_k$, the learning rate is $\alpha_i$ for
    $b_i \le e < b_{i+1}$, and $\alpha_0$ before epoch $b_1$, so in epoch 0.

    A boundary is the first epoch with the new rate. In
    `keras.optimizers.schedules.PiecewiseConstantDecay` it is the last step
    with the old one: what begins here at step 100 begins there at 101.

    Args:
        boundaries: $b_1, \dots, b_k$, positive and rising, in epochs. Can be
            set during training, to as many.
        values: $\alpha_0, \dots, \alpha_k \ge 0$, one more than `boundaries`.
            Can be set during training, to as many.
        steps_per_epoch: Mini-batches to an epoch, positive. If `None`, steps
            are counted in place of epochs.
        name: Name of the schedule, and scope of its variables.

    Raises:
        TypeError: If a boundary or a value is not a number.
        ValueError: If one lies outside its interval, the boundaries do not
            rise, or there are not one more values than boundaries.

    Example:

    >>> schedule = PiecewiseConstantDecay([10, 20], [0.1, 0.01, 0.001])
    >>> [round(float(schedule(step)), 3) for step in (0, 9, 10, 20)]
    [0.1, 0.1, 0.01, 0.001]

    Reference:
        Andrew Ng, Improving Deep Neural Networks, week 2, "Learning rate
        decay", on manual decay.
    """

    def __init__(self, boundaries, values, steps_per_epoch=None, name=None):
        super().__init__(steps_per_epoch, name)
        _check_pieces(boundaries, values, type(self).__name__)
        self._count = len(boundaries)
        self.boundaries = boundaries
        self.values = values

    @property
    def boundaries(self):
        """The first epochs of the new rates: scalar variables."""
        return [getattr(self, f"_boundary_{i}") for i in range(self._count)]

    @boundaries.setter
    def boundaries(self, boundaries):
        _check_rising(boundaries, type(self).__name__)
        _set_all(self, "boundary", "(0, inf)", boundaries, self._count)

    @property
    def values(self):
        """The learning rates: scalar variables."""
        return [getattr(self, f"_value_{i}") for i in range(self._count + 1)]

    @values.setter
    def values(self, values):
        _set_all(self, "value", "[0, inf)", values, self._count + 1)

    @property
    def hyperparameters(self):
        """The boundaries and values, as `boundary_0`, ..., `value_0`, ..."""
        return {
            variable.name: variable
            for variable in [*self.boundaries, *self.values]
        }

    def rate(self, epoch_num):
        rate, *others = map(ops.convert_to_tensor, self.values)
        for boundary, value in zip(self.boundaries, others, strict=True):
            begun = ops.greater_equal(epoch_num, boundary)
            rate = ops.where(begun, value, rate)
        return rate

    def get_config(self):
        return {
            **super().get_config(),
            "boundaries": [current_value(b) for b in self.boundaries],
            "values": [current_value(v) for v in self.values],
        }


def _set_all(schedule, name, interval, values, count):
    """Sets the variables `name_0`, `name_1`, ... of `schedule`; makes them."""
    if len(values) != count:
        raise ValueError(
            f"{type(schedule).__name__} has {count} of `{name}`. Received: "
            f"{values}"
        )
    settings = [Hyperparameter(interval) for _ in values]
    for i, (setting, value) in enumerate(zip(settings, values, strict=True)):
        setting.__set_name__(type(schedule), f"{name}_{i}")
        setting.check(value, type(schedule).__name__)
    for setting, value in zip(settings, values, strict=True):
        setting.__set__(schedule, value)


register()
