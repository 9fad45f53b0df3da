"""A callback that averages the weights of a model over the batches."""

import contextlib
from collections.abc import Iterator
from typing import Any

import keras
import numpy as np
from keras import ops

from tfcourse.averages.exponential import check_settings, total_weight

# Where a model notes whose averages it holds; Keras does not track it there.
_HOLDER = "_tfcourse_averages_of"


class WeightAverage(keras.callbacks.Callback):
    r"""Keeps the running average of a model's weights, and evaluates with it.

    After each batch every trainable weight $\theta$ enters

    $$v_t = \beta v_{t-1} + (1 - \beta) \theta_t, \qquad
      \hat v_t = v_t / (1 - \beta^t).$$

    While the model is evaluated or predicts with this callback (as in the
    validation after each epoch of `fit`), the averages stand in for the
    weights. `keras.callbacks.SwapEMAWeights` does so for an optimizer that was
    made with `use_ema=True`, whose average starts at the first weights without
    bias correction: after 10 steps at $\beta = 0.99$ it is still 0.91 of them.
    This callback works with any optimizer.

    The moving statistics of batch norm are not averaged: they belong to the
    trained weights. Call `tfcourse.layers.estimate_population_statistics`
    inside `swapped` for the statistics under the averaged weights.

    Args:
        beta: $\beta$, share of the average kept at each batch, in [0, 1). With
            `steps_per_execution=k`, at each k-th batch.
        bias_correction: Whether to divide by $1 - \beta^t$.
        swap_on_epoch: Whether the averages stay in the model from the end of an
            epoch to the start of the next, so that a `ModelCheckpoint` placed
            after this callback saves them, and `fit` ends with them.

    Raises:
        TypeError: If a setting is of the wrong kind.
        ValueError: If `beta` lies outside its interval; when evaluating, if the
            model holds the averages of another `WeightAverage`.

    Example:

    ```python
    average = WeightAverage(beta=0.99)
    model.fit(x, y, validation_split=0.2, callbacks=[average])
    with average.swapped():
        model.save("averaged.keras")
    ```

    Reference:
        Polyak and Juditsky (1992), https://doi.org/10.1137/0330046, averaged
        with equal weights; here they are exponential.
    """

    def __init__(
        self,
        beta: float = 0.99,
        bias_correction: bool = True,
        swap_on_epoch: bool = False,
    ) -> None:
        super().__init__()
        check_settings(beta, bias_correction, type(self).__name__)
        self.beta = float(beta)
        self.bias_correction = bias_correction
        self.swap_on_epoch = swap_on_epoch
        self.t = 0
        self._v = None
        self._trained_weights = None
        self._swapped_for_a_call = False

    @property
    def averages(self) -> list[np.ndarray]:
        """The averages, NumPy arrays in order of `trainable_variables`."""
        if not self.t:
            raise ValueError(
                "WeightAverage has no averages yet: `fit` collects them."
            )
        weight = total_weight(self.beta, self.t) if self.bias_correction else 1
        return [ops.convert_to_numpy(v) / weight for v in self._v]

    @property
    def is_swapped(self) -> bool:
        """Whether the averages now stand in for the model's weights."""
        return self._trained_weights is not None

    def swap(self) -> None:
        """Puts the averages into the model, or the trained weights back."""
        variables = self.model.trainable_variables
        if self.is_swapped:
            new, self._trained_weights = self._trained_weights, None
            self.model.__dict__.pop(_HOLDER, None)
        else:
            if _HOLDER in self.model.__dict__:
                raise ValueError(
                    f"{self.model.name} holds the averages of another "
                    "WeightAverage, so its trained weights cannot be set "
                    "aside. Evaluate with one of them at a time."
                )
            new = self.averages
            self.model.__dict__[_HOLDER] = self
            # Copied: on JAX the next step may reuse the memory of a weight.
            self._trained_weights = [
                np.array(ops.convert_to_numpy(variable))
                for variable in variables
            ]
        for variable, value in zip(variables, new, strict=True):
            variable.assign(value)

    @contextlib.contextmanager
    def swapped(self) -> Iterator[None]:
        """A `with` block in which the model has the averaged weights."""
        change = not self.is_swapped
        if change:
            self.swap()
        try:
            yield
        finally:
            if change:
                self.swap()

    def get_state(self) -> dict[str, Any]:
        """Returns what `set_state` needs to continue from here, as arrays."""
        v = [] if self._v is None else self._v
        return {
            "t": self.t,
            "v": [np.array(ops.convert_to_numpy(a)) for a in v],
        }

    def set_state(self, state: dict[str, Any]) -> None:
        """Continues from a state that `get_state` returned."""
        if self.is_swapped:
            self.swap()
        self.t = int(state["t"])
        self._v = [ops.convert_to_tensor(a) for a in state["v"]] or None

    def on_train_batch_end(
        self, batch: int, logs: dict[str, Any] | None = None
    ) -> None:
        self._synchronize()
        variables = self.model.trainable_variables
        theta = [_at_least_float32(variable) for variable in variables]
        if self._v is None:
            self._v = [ops.zeros_like(value) for value in theta]
        self._v = [
            self.beta * v + (1 - self.beta) * value
            for v, value in zip(self._v, theta, strict=True)
        ]
        self.t += 1

    def on_train_begin(self, logs: dict[str, Any] | None = None) -> None:
        # Whoever put averages there, from them it is trained.
        self.model.__dict__.pop(_HOLDER, None)
        # `fit` calls no callback when its validation has failed.
        self.model.__dict__["evaluate"] = self._guarded(self.model.evaluate)

    def on_train_end(self, logs: dict[str, Any] | None = None) -> None:
        self.model.__dict__.pop("evaluate", None)

    def _guarded(self, evaluate):
        """Returns `evaluate`, which puts the trained weights back on error."""

        def guarded(*args, **kwargs):
            try:
                return evaluate(*args, **kwargs)
            except BaseException:
                self._synchronize()
                self.on_test_end()
                self.on_train_end()
                raise

        return guarded

    def on_epoch_begin(
        self, epoch: int, logs: dict[str, Any] | None = None
    ) -> None:
        if self.is_swapped:
            self.swap()

    def on_epoch_end(
        self, epoch: int, logs: dict[str, Any] | None = None
    ) -> None:
        if self.swap_on_epoch and not self.is_swapped:
            self.swap()

    def _synchronize(self):
        if hasattr(self.model, "jax_state_sync"):
            # On JAX the weights live outside the model during an epoch.
            self.model.jax_state_sync()

    def on_test_begin(self, logs: dict[str, Any] | None = None) -> None:
        self._swapped_for_a_call = self.t > 0 and not self.is_swapped
        if self._swapped_for_a_call:
            self.swap()

    def on_test_end(self, logs: dict[str, Any] | None = None) -> None:
        if self._swapped_for_a_call:
            self.swap()
            self._swapped_for_a_call = False

    on_predict_begin = on_test_begin
    on_predict_end = on_test_end


def _at_least_float32(variable):
    dtype = keras.backend.result_type(variable.dtype, "float32")
    return ops.cast(variable, dtype)
