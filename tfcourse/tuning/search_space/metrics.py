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
            y_true = _one_hot(y_true, self.outputs)
        return super().update_state(y_true, y_pred, sample_weight)

    def get_config(self):
        return {**super().get_config(), "outputs": self.outputs}


@keras.saving.register_keras_serializable(package="tfcourse")
class CrossEntropy(keras.metrics.Mean):
    """The cross-entropy of integer classes.

    What a model of classes is trained on, without the penalties that its loss
    has in it.

    Args:
        outputs: How many outputs a model has, 1 for two classes.
        name: In the logs.
        **kwargs: Passed to `keras.metrics.Mean`.
    """

    def __init__(self, outputs, name="cross_entropy", **kwargs):
        super().__init__(name=name, **kwargs)
        self.outputs = outputs

    def update_state(self, y_true, y_pred, sample_weight=None):
        if self.outputs == 1:
            y_true = ops.reshape(y_true, (-1, 1))
            of_each = keras.losses.binary_crossentropy
        else:
            of_each = keras.losses.sparse_categorical_crossentropy
        return super().update_state(of_each(y_true, y_pred), sample_weight)

    def get_config(self):
        return {**super().get_config(), "outputs": self.outputs}


@keras.saving.register_keras_serializable(package="tfcourse")
class MulticlassAUC(keras.metrics.AUC):
    """The area under the ROC curve of many classes: each against the rest.

    The mean over the classes, each as likely as the others, of integer classes,
    where Keras's own wants one column a class.

    Args:
        outputs: How many classes there are, 3 or more.
        name: In the logs.
        **kwargs: Passed to `keras.metrics.AUC`.
    """

    def __init__(self, outputs, name="auc", **kwargs):
        own = {"multi_label": True, "num_labels": outputs}
        super().__init__(name=name, **{**kwargs, **own})
        self.outputs = outputs

    def update_state(self, y_true, y_pred, sample_weight=None):
        y_true = _one_hot(y_true, self.outputs)
        return super().update_state(y_true, y_pred, sample_weight)

    def get_config(self):
        return {**super().get_config(), "outputs": self.outputs}


class _MeanOverClasses(keras.metrics.Metric):
    """A ratio of counts of each class; one without any counts as 0.

    Args:
        outputs: How many classes there are, 3 or more.
        name: In the logs.
        **kwargs: Passed to `keras.metrics.Metric`.
    """

    def __init__(self, outputs, name=None, **kwargs):
        super().__init__(name=name, **kwargs)
        self.outputs = outputs
        self.right, self.counted = (
            self.add_variable((outputs,), "zeros", name=what)
            for what in ("right", "counted")
        )

    def update_state(self, y_true, y_pred, sample_weight=None):
        true = _one_hot(y_true, self.outputs)
        predicted = _one_hot(ops.argmax(y_pred, axis=-1), self.outputs)
        weight = 1.0
        if sample_weight is not None:
            weight = ops.reshape(ops.cast(sample_weight, "float32"), (-1, 1))
        self.right.assign_add(ops.sum(weight * true * predicted, axis=0))
        own = self.counts(true, predicted)
        self.counted.assign_add(ops.sum(weight * own, axis=0))

    def result(self):
        return ops.mean(ops.divide_no_nan(self.right, self.counted))

    def get_config(self):
        return {**super().get_config(), "outputs": self.outputs}


@keras.saving.register_keras_serializable(package="tfcourse")
class MeanPrecision(_MeanOverClasses):
    """Of those predicted to be of a class the share that is: mean over all."""

    def counts(self, true, predicted):
        return predicted


@keras.saving.register_keras_serializable(package="tfcourse")
class MeanRecall(_MeanOverClasses):
    """Of those of a class the share that is predicted so: mean over all."""

    def counts(self, true, predicted):
        return true


def _one_hot(classes, outputs):
    classes = ops.cast(ops.reshape(classes, (-1,)), "int32")
    return ops.one_hot(classes, outputs, dtype="float32")


# Where Keras's own are for two classes only.
_OF_MANY_CLASSES = {
    "auc": MulticlassAUC,
    "precision": MeanPrecision,
    "recall": MeanRecall,
}
# Keras's own want targets of the shape of the outputs.
_CROSS_ENTROPIES = (
    "cross_entropy",
    "binary_crossentropy",
    "sparse_categorical_crossentropy",
)
# What is said more often than Keras's own name.
_ALIASES = {
    "r2": "r2_score",
    "rmse": "root_mean_squared_error",
    "mae": "mean_absolute_error",
    "mse": "mean_squared_error",
}


def metric(name: str, outputs: int = 1) -> keras.metrics.Metric | None:
    """Returns Keras's metric of a name, which it keeps in the logs.

    Of many classes AUC, precision and recall are means over the classes.

    Args:
        name: As `"auc"`, `"recall"`, `"f1"`, `"mean_absolute_error"`.
        outputs: How many outputs the model has.

    Returns:
        The metric, or `None` if there is none that needs no setting.
    """
    if name in ("f1", "f1_score"):
        return F1(outputs, name)
    if name in _CROSS_ENTROPIES:
        return CrossEntropy(outputs, name)
    if outputs > 1 and name in _OF_MANY_CLASSES:
        return _OF_MANY_CLASSES[name](outputs, name)
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
