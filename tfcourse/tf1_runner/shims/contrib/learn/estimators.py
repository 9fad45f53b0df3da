"""The estimators of `tf.contrib.learn`, on those of `tf.estimator`.

They took arrays as well as input functions, features without a name, and
`fit`; and a class or a value was predicted, not a dictionary.
"""

import dataclasses
import inspect
import typing

import numpy as np
import tensorflow as tf


class ModeKeys:
    """What an estimator is asked to do."""

    TRAIN = "train"
    EVAL = "eval"
    INFER = "infer"


class PredictionKey:
    """What a prediction is called."""

    CLASSES = "classes"
    PROBABILITIES = "probabilities"
    LOGITS = "logits"
    LOGISTIC = "logistic"
    SCORES = "scores"


def infer_real_valued_columns_from_input(x):
    """Returns the one numeric column of a matrix, named as arrays are here."""
    width = int(x.shape[1]) if hasattr(x, "shape") else np.shape(x)[1]
    return [tf.feature_column.numeric_column("", shape=[width])]


@dataclasses.dataclass
class MetricSpec:
    """A metric of an evaluation: of which prediction, by which function."""

    metric_fn: typing.Callable
    prediction_key: str | None = None
    label_key: str | None = None

    def __call__(self, labels, predictions):
        key = self.prediction_key
        if isinstance(predictions, dict):
            # A model function gives its own names, an estimator today's.
            if key not in predictions or (
                key == "classes" and "class_ids" in predictions
            ):
                key = "class_ids"
            predictions = predictions[key]
        if self.label_key:
            labels = labels[self.label_key]
        labels = tf.reshape(labels, tf.shape(predictions))
        return self.metric_fn(labels=labels, predictions=predictions)


class ArrayEstimator:
    """An estimator of today that also takes arrays, and has `fit`."""

    def __init__(self, estimator):
        self._estimator = estimator

    def __getattr__(self, name):
        return getattr(self._estimator, name)

    def fit(
        self,
        x=None,
        y=None,
        input_fn=None,
        steps=None,
        batch_size=128,
        monitors=None,
        max_steps=None,
    ):
        inputs = _inputs(x, y, input_fn, batch_size, repeat=True)
        for monitor in monitors or ():
            if hasattr(monitor, "set_estimator"):
                monitor.set_estimator(self)
        self._estimator.train(inputs, monitors, steps, max_steps)
        return self

    partial_fit = fit

    def evaluate(
        self,
        x=None,
        y=None,
        input_fn=None,
        batch_size=128,
        steps=None,
        metrics=None,
        **_,
    ):
        estimator = self._estimator
        if metrics:
            estimator = tf.estimator.add_metrics(
                estimator,
                lambda labels, predictions: {
                    name: metric(labels, predictions)
                    for name, metric in metrics.items()
                },
            )
        return estimator.evaluate(_inputs(x, y, input_fn, batch_size), steps)

    def predict(
        self, x=None, input_fn=None, batch_size=128, as_iterable=True, **_
    ):
        results = map(_predicted, self._predict(x, input_fn, batch_size))
        return results if as_iterable else np.array(list(results))

    predict_classes = predict_scores = predict

    def predict_proba(self, x=None, input_fn=None, batch_size=128, **_):
        results = self._predict(x, input_fn, batch_size)
        return (result["probabilities"] for result in results)

    def get_variable_value(self, name):
        names = self._estimator.get_variable_names()
        return self._estimator.get_variable_value(_name_of_heir(name, names))

    def _predict(self, x, input_fn, batch_size):
        inputs = _inputs(x, None, input_fn, batch_size)
        return self._estimator.predict(inputs, hooks=[_OnceIfEndless()])


class _OnceIfEndless(tf.train.SessionRunHook):
    """Ends after one run where the inputs are constants, with no end."""

    def begin(self):
        graph = tf.get_default_graph()
        self._endless = not graph.get_collection("queue_runners") and not any(
            "Iterator" in operation.type for operation in graph.get_operations()
        )

    def after_run(self, run_context, run_values):
        if self._endless:
            run_context.request_stop()


def _inputs(x, y, input_fn, batch_size, repeat=False):
    """Returns an input function whose features have names."""
    if input_fn is None:
        features = x if isinstance(x, dict) else {"": _array(x)}
        return tf.estimator.inputs.numpy_input_fn(
            features,
            None if y is None else np.asarray(y),
            batch_size=batch_size,
            num_epochs=None if repeat else 1,
            shuffle=repeat,
        )

    def named():
        given = input_fn()
        features, labels = given if isinstance(given, tuple) else (given, None)
        if not isinstance(features, dict):
            features = {"": tf.convert_to_tensor(features)}
        return features if labels is None else (features, labels)

    return named


def _array(x):
    """Returns an array; its float64 become float32, as they did."""
    x = np.asarray(x)
    return x.astype("float32") if x.dtype == np.float64 else x


def _predicted(result):
    """Returns the class or the value, where estimators now give a dict."""
    for key in ("class_ids", "predictions"):
        if isinstance(result, dict) and key in result:
            return result[key][0]
    return result


class SKCompat:
    """An estimator with scikit-learn's methods: predicts arrays, by name."""

    def __init__(self, estimator):
        self._estimator = estimator

    def __getattr__(self, name):
        return getattr(self._estimator, name)

    def fit(self, x, y, batch_size=128, steps=None, **options):
        self._estimator.fit(x, y, None, steps, batch_size, **options)
        return self

    def score(self, x, y, batch_size=128, steps=None, metrics=None):
        return self._estimator.evaluate(x, y, None, batch_size, steps, metrics)

    def predict(self, x, batch_size=128, outputs=None):
        results = list(self._estimator._predict(x, None, batch_size))
        if not isinstance(results[0], dict):
            return np.array(results)
        arrays = {
            name: np.array([result[name] for result in results])
            for name in results[0]
        }
        if "class_ids" in arrays:
            arrays["classes"] = arrays.pop("class_ids")[:, 0]
        elif "predictions" in arrays:
            arrays["scores"] = arrays.pop("predictions")[:, 0]
        return {name: arrays[name] for name in outputs or arrays}


def _name_of_heir(name, names):
    """Returns what a variable of `contrib.learn` is called today."""
    scope, _, last = name.rpartition("/")
    within = scope.replace("linear", "linear/linear_model", 1)
    tries = {
        "weight": f"{within}/weights",
        "weights": f"{within}/weights",
        "bias_weight": f"{within}/bias_weights",
    }
    layers = {"weights": f"{scope}/kernel", "biases": f"{scope}/bias"}
    for new in (tries.get(last), layers.get(last)):
        if name not in names and new in names:
            return new
    return name


def ModelFnOps(  # noqa: N802
    mode, predictions=None, loss=None, train_op=None, eval_metric_ops=None, **_
):
    """Returns what a model function returns today."""
    return tf.estimator.EstimatorSpec(
        mode, predictions, loss, train_op, eval_metric_ops
    )


def Estimator(model_fn, model_dir=None, config=None, params=None):  # noqa: N802
    """Returns an estimator of one's own, which takes arrays too."""
    seen = []

    def call(features, labels, mode):
        if isinstance(features, dict) and set(features) == {""}:
            features = features[""]
        if labels is None and seen:
            # Its model function had labels in prediction, too.
            labels = tf.nest.map_structure(
                lambda label: tf.placeholder(label.dtype, label.shape), seen[-1]
            )
        elif labels is not None:
            seen[:] = [labels]
        options = {"mode": mode, "params": params}
        taken = inspect.signature(model_fn).parameters
        given = {name: options[name] for name in options if name in taken}
        result = model_fn(features, labels, **given)
        if not isinstance(result, tuple) or hasattr(result, "train_op"):
            return result
        return ModelFnOps(mode, *result)

    return ArrayEstimator(tf.estimator.Estimator(call, model_dir, config))
