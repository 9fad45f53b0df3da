"""Gradient checking of a Keras model: is what trains it the gradient?"""

from typing import Any

import keras
import numpy as np
from keras import ops

from tfcourse.diagnostics.backend_gradient import compiled, training_gradient
from tfcourse.diagnostics.flat_vector import FlatVector
from tfcourse.diagnostics.float64 import lent_float64
from tfcourse.diagnostics.numerical_gradient import (
    GradientCheck,
    check_settings,
)
from tfcourse.diagnostics.precision import compare_as_computed
from tfcourse.utils.keras_private import every_layer


def gradient_check(
    model: keras.Model,
    x: Any,
    y: Any = None,
    epsilon: float = 1e-7,
    sample_weight: Any = None,
    sample: int | None = None,
    seed: int = 0,
    hold_dropout: bool = False,
    gradients: Any = None,
) -> GradientCheck:
    r"""Compares the gradient that trains a model with two-sided differences.

    With $J$ the compiled loss of the batch, regularizers and `add_loss`
    included, $\theta$ all trainable parameters and $a$ the gradient that the
    backend finds, through every custom gradient on the way,

    $$b_i = \frac{J(\theta + \varepsilon e_i) - J(\theta - \varepsilon e_i)}
      {2 \varepsilon}, \qquad
      \text{ratio} = \frac{\lVert a - b \rVert_2}
      {\lVert a \rVert_2 + \lVert b \rVert_2}.$$

    Keras has nothing of the kind. During the check the model computes in
    float64, whatever its dtype, and in training mode: batch norm uses the
    statistics of this batch. Afterwards weights, statistics, random state and
    optimizer are as before. A small batch and a few layers of each kind are
    enough: every parameter costs two forward passes. Check at the initial
    weights and again after some training, when they are no longer near 0.

    Args:
        model: A built and compiled Keras model.
        x: Inputs of one batch: an array, or a list or dict of arrays.
        y: Targets of the batch, likewise.
        epsilon: $\varepsilon > 0$, in units of the parameters. If the gradient
            is very small, 1e-5 leaves less rounding error. If part of the loss
            casts to float32 or less, the check uses a wider one and says so.
        sample_weight: Weights of the examples, as `fit` takes them.
        sample: How many parameters to check; all by default. Every variable
            gets an equal share of the sample, so that no bias vector is left
            out.
        seed: The seed for drawing the sample.
        hold_dropout: Whether to check a model with dropout or other noise,
            using the same mask in all passes, instead of refusing it.
        gradients: Your own gradients, to be checked instead of the backend's:
            arrays in order of `model.trainable_variables`.

    Returns:
        A `GradientCheck`.

    Raises:
        TypeError: If `model` is not a Keras model.
        ValueError: If the model is not built or compiled or has nothing to
            train, is random in training (unless `hold_dropout`), if a setting
            lies outside its interval, or if the loss is not finite.

    Example:

    ```python
    check = gradient_check(model, x[:32], y[:32])
    print(check)  # names the worst parameters
    assert check.verdict == "good"
    ```

    Reference:
        Ng, "Improving Deep Neural Networks", week 1, "Gradient checking".
    """
    _check_model(model)
    check_settings("gradient_check", epsilon, sample, seed)
    variables = model.trainable_variables
    layout = FlatVector(
        [variable.path for variable in variables],
        [variable.shape for variable in variables],
    )
    indices = layout.sample(sample, seed)
    with lent_float64(model):
        loss = _loss_of_batch(model, x, y, sample_weight)
        if not hold_dropout:
            _refuse_randomness(model, loss)
        start = layout.join(ops.convert_to_numpy(v) for v in variables)
        if gradients is None:
            # Lent once more, for the pass leaves new statistics and masks.
            with lent_float64(model):
                gradients = training_gradient(model, loss)
        gradients = [ops.convert_to_numpy(gradient) for gradient in gradients]
        return compare_as_computed(
            layout,
            indices,
            layout.join(gradients, "gradients")[indices],
            _compiled_losses(model, layout, loss, start),
            epsilon,
        )


def _loss_of_batch(model, x, y, sample_weight):
    """Returns a function that runs the model as training does, to its loss."""
    x, y, sample_weight = (_tensors(each) for each in (x, y, sample_weight))

    def loss(training=True):
        return model.compute_loss(
            x=x,
            y=y,
            y_pred=model(x, training=training),
            sample_weight=sample_weight,
        )

    # Some losses make variables at their first call, which no scope allows.
    loss(training=False)
    return loss


def _compiled_losses(model, layout, loss, start):
    """Returns the function of indices and a step that `compare` takes."""
    start = ops.convert_to_tensor(start)

    def loss_of(flat):
        tensors = layout.split(flat, ops.reshape)
        state = zip(model.trainable_variables, tensors, strict=True)
        with keras.StatelessScope(state, collect_losses=True):
            return loss()

    def run(indices, steps):
        def at(move):
            index, step = move
            move = step * ops.one_hot(index, layout.size, dtype="float64")
            return loss_of(start + move)

        return ops.map(at, (indices, steps))

    run = compiled(run, ([None], "int64"), ([None], "float64"))

    def losses_at(indices, step):
        # One after the other, so that the model is traced for one pass.
        steps = np.tile([step, -step], len(indices))
        losses = run(
            ops.convert_to_tensor(np.repeat(indices, 2), "int64"),
            ops.convert_to_tensor(steps, "float64"),
        )
        return ops.convert_to_numpy(losses).reshape(-1, 2)

    return losses_at


def _refuse_randomness(model, loss):
    """Raises if another random state would give another loss."""

    trained = [(v, v.value) for v in model.trainable_variables]

    def run(state):
        state = trained + state
        with keras.StatelessScope(state, collect_losses=True) as scope:
            value = float(loss())
        seeds = [
            (variable, scope.get_current_value(variable))
            for variable in model.non_trainable_variables
            if keras.backend.is_int_dtype(variable.dtype)
        ]
        return value, [pair for pair in seeds if pair[1] is not None]

    (present, seeds), (again, _) = run([]), run([])
    if not np.isclose(present, again, rtol=1e-9, atol=0, equal_nan=True):
        raise ValueError(
            f"The loss of {model.name} changes from call to call, so it has "
            "no gradient to check. Draw its random numbers with a "
            "`keras.random.SeedGenerator`, whose state the check can hold "
            "fixed."
        )
    # More than once, as two small masks may well be alike.
    for _ in range(5 if seeds else 0):
        other, seeds = run(seeds)
        if other != present:
            names = ", ".join(_layers_with(model, [v for v, _ in seeds]))
            raise ValueError(
                f"{model.name} is random in training because of {names}, so "
                "the loss is a different function in each pass and its "
                "differences are not a gradient. Set the rate to 0, or give "
                "`hold_dropout=True` to check it with the same mask in all "
                "passes."
            )


def _layers_with(model, variables):
    """Returns the names of the innermost layers that hold the variables."""

    def holders(variable):
        return [
            layer
            for layer in every_layer(model)
            if any(each is variable for each in layer.variables)
        ]

    innermost = [
        min(holders(variable), key=lambda layer: len(layer.variables)).name
        for variable in variables
    ]
    return list(dict.fromkeys(innermost))


def _tensors(arrays):
    """Returns arrays, however nested, as tensors, floats as float64."""

    def tensor(array):
        if array is None:
            return None
        if not hasattr(array, "dtype"):
            array = np.asarray(array)
        is_float = keras.backend.is_float_dtype(array.dtype)
        return ops.convert_to_tensor(
            ops.convert_to_numpy(array), "float64" if is_float else None
        )

    return keras.tree.map_structure(tensor, arrays)


def _check_model(model):
    if not isinstance(model, keras.Model):
        raise TypeError(
            "`model` of gradient_check must be a Keras model. For a function "
            f"of arrays, use `check_gradient`. Received: {model!r}"
        )
    if not model.built:
        raise ValueError(
            f"{model.name} has no weights yet. Call it on a batch, or start "
            "it with `keras.Input`, before the gradient check."
        )
    if not model.compiled:
        raise ValueError(
            f"{model.name} has no loss. Call `compile` before the gradient "
            "check."
        )
    if not model.trainable_variables:
        raise ValueError(f"{model.name} has no trainable parameters to check.")
