"""What ends a network, and how it is trained, by the task."""

import keras

from tfcourse.tuning.search_space.metrics import CrossEntropy, metric


def compile_with_output(
    model: keras.Sequential,
    optimizer: keras.optimizers.Optimizer,
    task: str,
    classes: int,
    score: str | None = None,
    penalty: keras.regularizers.Regularizer | None = None,
    penalized: bool = False,
) -> keras.Sequential:
    """Returns a model with the last layer, the loss and the metric of a task.

    Two classes have one sigmoid, more a softmax, amounts one linear unit.

    Args:
        model: All but the last layer.
        optimizer: What trains it.
        task: `"classification"` or `"regression"`.
        classes: How many classes there are.
        score: Name of one more metric of Keras's, see `metric`.
        penalty: On the weights of the last layer.
        penalized: Whether any layer has a penalty. The loss of classes is then
            also reported without, as `cross_entropy`.
    """
    units, activation, loss, usual = _of_task(task, classes)
    model.add(keras.layers.Dense(units, activation, kernel_regularizer=penalty))
    more = None if score in (None, usual) else metric(score, units)
    metrics = [usual] if more is None else [usual, more]
    if penalized and task == "classification" and score != "cross_entropy":
        metrics.append(CrossEntropy(units))
    model.compile(optimizer, loss, metrics=metrics)
    return model


def _of_task(task, classes):
    """Returns units and activation of the last layer, loss and metric."""
    if task == "regression":
        return 1, None, "mean_squared_error", "mean_absolute_error"
    if classes == 2:
        return 1, "sigmoid", "binary_crossentropy", "accuracy"
    return classes, "softmax", "sparse_categorical_crossentropy", "accuracy"
