"""The norm of a gradient inside a compiled step."""

import contextlib
from typing import Any

import keras
from keras import ops

from tfcourse.hyperparameter import current_value
from tfcourse.tuning.panda.state.model import inner_optimizer


class GradientNorm:
    """Keeps the Euclidean norm of the gradients that the optimizer gets.

    On TensorFlow. Before they are clipped, and without loss scaling.
    """

    def attach(self, model: keras.Model) -> None:
        """Lets the optimizer write it down; the step is traced once anew."""
        optimizer = inner_optimizer(model)
        with _scope_of(model):
            norm = keras.Variable(
                0.0,
                dtype="float32",
                trainable=False,
                aggregation="mean",
                name="gradient_norm",
            )
        apply = optimizer.apply

        def apply_and_record(grads, trainable_variables=None):
            squares = [
                ops.sum(ops.square(ops.cast(_dense(g), "float32")))
                for g in grads
                if g is not None
            ]
            norm.assign(ops.sqrt(sum(squares)))
            return apply(grads, trainable_variables)

        # Keras would track what is set in the usual way.
        vars(optimizer)["apply"] = apply_and_record
        self._optimizer, self._norm = optimizer, norm
        model.make_train_function(force=True)

    def detach(self) -> None:
        """Leaves the optimizer as it was."""
        vars(self._optimizer).pop("apply", None)

    @property
    def value(self) -> float:
        """That of the last step."""
        return current_value(self._norm)


def _dense(gradient: Any) -> Any:
    # An `Embedding` gives a sparse one, whose rows may come twice.
    return ops.convert_to_tensor(gradient)


def _scope_of(model: keras.Model) -> contextlib.AbstractContextManager:
    strategy = getattr(model, "distribute_strategy", None)
    return strategy.scope() if strategy else contextlib.nullcontext()
