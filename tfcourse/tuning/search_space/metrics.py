"""Keras's metrics, by the names that a person writes."""

import inspect
import re

import keras
from keras import ops


@keras.saving.register_keras_serializable(package="tfcourse")
class F1(keras.metrics.F1Score):
    r"""The $F_1$ score, $2 P R / (P + R)$ of precision and recall.

    Of integer classes, as `"accuracy"` is, where Keras's own wants one column a
    class: of the second of two, for a single output; else the mean over the
    classes, each as likely as the others.

    Args:
        outputs: How many outputs a model has, 1 for two classes.
        name: In the logs.
        **kwargs: Passed to `keras.metrics.F1Score`.
    """

    def __init__(self, outputs, name="f1", **kwargs):
        own = {"average": "macro", "threshold": 0.5 if outputs == 1 else None}
        super().__init__(name=name, **{**own, **kwargs})
        self.outputs = outputs

    def update_state(self, y_true, y_pred, sample_weight=None):
        y_true = ops.reshape(y_true, (-1,))
        if self.outputs == 1:
            y_true = ops.expand_dims(y_true, -1)
        else:
            y_true = ops.one_hot(ops.cast(y_true, "int32"), self.outputs)
        return super().update_state(y_true, y_pred, sample_weight)

    def get_config(self):
        return {**super().get_config(), "outputs": self.outputs}


# What is said more often than Keras's own name.
_ALIASES = {
    "r2": "r2_score",
    "rmse": "root_mean_squared_error",
    "mae": "mean_absolute_error",
    "mse": "mean_squared_error",
}


def metric(name: str, outputs: int = 1) -> keras.metrics.Metric | None:
    """Returns Keras's metric of a name, which it keeps in the logs.

    Args:
        name: As `"auc"`, `"recall"`, `"f1"`, `"mean_absolute_error"`.
        outputs: How many outputs the model has.

    Returns:
        The metric, or `None` if there is none that needs no setting.
    """
    if name in ("f1", "f1_score"):
        return F1(outputs, name)
    known = {
        _snake(found.__name__): found
        for found in vars(keras.metrics).values()
        if inspect.isclass(found) and issubclass(found, keras.metrics.Metric)
    }
    found = known.get(_ALIASES.get(name, name))
    if found is None:
        return None
    try:
        return found(name=name)
    except TypeError:  # It needs a setting, the number of classes say.
        return None


def _snake(name):
    ends = r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])"
    return re.sub(ends, "_", name).lower()
