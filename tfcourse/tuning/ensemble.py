"""Several trained models that answer as one."""

import os
import warnings
from collections.abc import Mapping, Sequence
from typing import Any

import keras
import numpy as np
from keras import ops

from tfcourse.errors import InputError
from tfcourse.export import class_probabilities, export_saved_model
from tfcourse.export.probabilities import missing_activation
from tfcourse.utils.intervals import bootstrap_interval


class Ensemble:
    r"""The mean of the answers of several models.

    With $\hat p_k(x)$ the probabilities of the $k$-th of $K$ models, or, in a
    regression, its outputs,

    $$\hat p(x) = \frac{1}{K} \sum_{k=1}^{K} \hat p_k(x).$$

    Logits become probabilities first. Mistakes that models make apart from
    each other cancel; those that all make stay. It takes $K$ times as long to
    answer as one.

    Args:
        models: Trained Keras models of the same inputs and outputs, functional
            or sequential, the best first: as of `tuner.get_best_models(5)`.

    Attributes:
        model: The Keras model that returns the mean. It is not compiled.

    Raises:
        InputError: If there are fewer than two, one has no `keras.Input`, or
            their inputs or outputs differ in shape.

    Example:

    >>> def member(bias):
    ...     dense = keras.layers.Dense(
    ...         1, bias_initializer=keras.initializers.Constant(bias)
    ...     )
    ...     model = keras.Sequential([keras.Input((2,)), dense])
    ...     model.compile("sgd", "mse")
    ...     return model
    >>> ensemble = Ensemble([member(1.0), member(4.0)])
    >>> float(ensemble.model(np.zeros((1, 2), "float32"))[0, 0])
    2.5

    Reference:
        Lakshminarayanan et al. (2017), Simple and Scalable Predictive
        Uncertainty Estimation using Deep Ensembles, Section 2.4,
        https://arxiv.org/abs/1612.01474.
    """

    def __init__(self, models: Sequence[keras.Model]) -> None:
        self._models = list(models)
        _check(self._models)
        inputs = keras.tree.map_structure(_like, _input(self._models[0]))
        outputs = _Mean(self._models)(inputs)
        with warnings.catch_warnings():
            # Of a key of a dict that is not its input's name.
            warnings.filterwarnings("ignore", "When providing `inputs` as a")
            self.model = keras.Model(inputs, outputs, name="ensemble")

    def compare(self, x: Any, y: Any) -> dict[str, Any]:
        """Returns how it does beside its first model, by which it is judged.

        Args:
            x: Examples that none of the models was trained on, and by which
                they were not chosen.
            y: Their targets: classes `(m,)` or rows of 0 and 1 `(m, C)` if the
                models' loss is a cross-entropy, else amounts.

        Returns:
            A dict: `metric`, `"accuracy"` or `"mse"`; its values `ensemble`,
            `best_alone` and those of all `members`; `gain`, by how much the
            ensemble is better; and `interval`, the 95 % interval of that, by
            drawing examples again.
        """
        classes = _classifies(self._models[0])
        every = [self.model, *self._models]
        losses = [
            (_mistakes if classes else _squares)(model, x, y) for model in every
        ]
        together, *alone = losses

        def shown(loss):
            return float(1 - loss.mean() if classes else loss.mean())

        return {
            "metric": "accuracy" if classes else "mse",
            "ensemble": shown(together),
            "best_alone": shown(alone[0]),
            "members": [shown(loss) for loss in alone],
            "gain": float((alone[0] - together).mean()),
            "interval": bootstrap_interval(
                lambda gain: float(gain.mean()), alone[0] - together
            ),
        }

    def export(
        self,
        path: str | os.PathLike,
        *,
        labels: Sequence[Any] | None = None,
        overwrite: bool = False,
        metadata: Mapping[str, Any] | None = None,
    ) -> None:
        """Writes it as a SavedModel that loads without tfcourse.

        Args:
            path: As for `export_saved_model`.
            labels: Likewise.
            overwrite: Likewise.
            metadata: Likewise; how many members there are is added.

        Raises:
            InputError: As `export_saved_model`.
        """
        export_saved_model(
            self.model,
            path,
            labels=labels,
            overwrite=overwrite,
            metadata={"members": len(self._models), **(metadata or {})},
        )


class _Mean(keras.layers.Layer):
    """The mean of what models return, logits as probabilities."""

    def __init__(self, models):
        super().__init__(trainable=False, name="mean")
        self.models = models

    def call(self, inputs):
        answers = []
        for model in self.models:
            outputs = model(inputs, training=False)
            missing = missing_activation(model, outputs)
            if missing is not None:
                outputs = ops.cast(outputs, "float32")
                outputs = getattr(ops, missing)(outputs)
            answers.append(outputs)
        return ops.mean(ops.stack(answers), axis=0)

    def compute_output_spec(self, inputs):
        output = self.models[0].outputs[0]
        return keras.KerasTensor(output.shape, output.dtype)


def _input(model):
    # One that is sequential has an `input` only once it was called.
    if isinstance(model, keras.Sequential):
        return model.inputs[0]
    return model.input


def _like(tensor):
    return keras.Input(
        batch_shape=(None, *tensor.shape[1:]),
        dtype=tensor.dtype,
        name=tensor.name,
    )


def _check(models):
    if len(models) < 2:
        raise InputError(
            "An ensemble needs two models or more, such as what "
            f"`tuner.get_best_models(5)` returns. Received: {len(models)}."
        )
    for model in models:
        if not getattr(model, "inputs", None):
            raise InputError(
                f"The model {getattr(model, 'name', model)!r} has no "
                "`keras.Input`, which each model of an ensemble needs."
            )
        if len(model.outputs) > 1:
            raise InputError(
                f"The model {model.name!r} has {len(model.outputs)} outputs. "
                "An ensemble averages a single one."
            )
    shapes = {str(_shapes(model)) for model in models}
    if len(shapes) > 1:
        raise InputError(
            "The models of an ensemble must have the same inputs and outputs. "
            f"Received the shapes {' and '.join(sorted(shapes))}."
        )


def _shapes(model):
    return [tensor.shape for tensor in [*model.inputs, *model.outputs]]


def _classifies(model):
    """Whether a model's loss is a cross-entropy."""
    for loss in keras.tree.flatten(getattr(model, "loss", None)):
        name = loss if isinstance(loss, str) else _name_of(loss)
        if "crossentropy" in name.lower().replace("_", ""):
            return True
    return False


def _name_of(loss):
    if callable(loss) and hasattr(loss, "__name__"):
        return loss.__name__
    return " ".join(base.__name__ for base in type(loss).__mro__)


def _mistakes(model, x, y):
    """Returns 1 for each example that a model gets wrong, or 0."""
    probabilities = _predicted(
        lambda batch: class_probabilities(model, batch), x
    )
    y = np.asarray(y)
    classes = y.argmax(-1) if y.ndim > 1 and y.shape[-1] > 1 else y.reshape(-1)
    return (probabilities.argmax(-1) != classes).astype("float64")


def _squares(model, x, y):
    """Returns the squared error of each example."""
    answers = _predicted(lambda batch: model(batch, training=False), x)
    errors = answers.reshape(len(answers), -1) - np.asarray(y).reshape(
        len(answers), -1
    )
    return (errors**2).mean(axis=-1)


def _predicted(function, x, size=4096):
    """Returns a function of all examples, some at a time."""
    m = len(keras.tree.flatten(x)[0])
    return np.concatenate(
        [
            ops.convert_to_numpy(
                function(
                    keras.tree.map_structure(
                        lambda values, n=n: values[n : n + size], x
                    )
                )
            )
            for n in range(0, m, size)
        ]
    )
