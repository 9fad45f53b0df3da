"""The whole state of a model in training: what it is, to read, to restore.

The private names of Keras that Panda needs are all here; a test holds each.
"""

import random

import keras
import numpy as np
from keras.src.random.seed_generator import global_seed_generator

from tfcourse.errors import InputError


def begin_at(model, epoch):
    """Lets the present `fit` begin at an epoch; `None` forgets it.

    As `keras.callbacks.BackupAndRestore` does, in `on_train_begin`.
    """
    model._initial_epoch = epoch


def every_layer(model):
    """Returns the model and all layers in it, at any depth."""
    return model._flatten_layers()


def inner_optimizer(model):
    """Returns the optimizer, without the loss scaling of mixed precision."""
    optimizer = model.optimizer
    return getattr(optimizer, "inner_optimizer", optimizer)


def loss_tracker(model):
    """Returns the metric that holds the mean loss, or `None`."""
    found = (m for m in model.metrics if m.name == "loss")
    return next((m for m in found if isinstance(m, keras.metrics.Mean)), None)


def synchronize(model):
    """Lets the variables have the values of the last step.

    On JAX `fit` keeps them elsewhere while it goes on.
    """
    if keras.config.backend() == "jax":
        model.jax_state_sync()


def build_optimizer(model):
    """Makes the optimizer's variables, if the model's are there."""
    if model.optimizer is not None and not model.optimizer.built:
        model.optimizer.build(model.trainable_variables)


def build_on(model, batch):
    """Makes all variables of a model in training, on a batch of its data."""
    x, y, sample_weight = keras.utils.unpack_x_y_sample_weight(batch)
    model.test_on_batch(x, y, sample_weight)
    # The batch is none of those that the epoch has trained on.
    model.reset_metrics()
    build_optimizer(model)


def variables_of(model, settings, metrics):
    """Returns all variables that training changes, by a name of their own.

    Args:
        model: A built model with a built optimizer.
        settings: The hyperparameters, a dict from name to `Setting`.
        metrics: Whether to include those of the metrics.
    """
    optimizer = [] if model.optimizer is None else model.optimizer.variables
    groups = {
        "model": model.variables,
        "optimizer": optimizer,
        # Keras's optimizers do not know the constants of our schedules.
        "setting": [one.variable for one in settings.values()],
        # Also draws for whatever has no seed of its own.
        "seed": [global_seed_generator().state],
        "metric": model.metrics_variables if metrics else [],
    }
    return {
        f"{group}/{n}": variable
        for group, variables in groups.items()
        for n, variable in enumerate(variables)
        if variable is not None
    }


def read(variables):
    """Returns the values of variables, as NumPy arrays."""
    return {name: np.asarray(variable) for name, variable in variables.items()}


def held(variables):
    """Returns copies of the present values of variables, on their device."""
    return {name: keras.ops.copy(value) for name, value in variables.items()}


def assign(variables, arrays):
    """Gives variables the values of arrays of the same names."""
    for name, variable in variables.items():
        value = arrays[name]
        if value.dtype.kind == "V":
            # NumPy's files know no bfloat16.
            value = value.view(np.asarray(variable).dtype)
        variable.assign(value)


def first_not_finite(arrays):
    """Returns the name of an array with a NaN or infinity, or `None`.

    Metrics do not count: they are reset.
    """
    for name, array in arrays.items():
        is_float = np.issubdtype(array.dtype, np.floating)
        counts = is_float and not name.startswith(("metric/", "setting/"))
        # The sum is not finite if an entry is not, and quicker to compute.
        if counts and not np.isfinite(array.sum(dtype="float64")):
            return name
    return None


def random_state():
    """Returns the state of Python's and NumPy's generators, for JSON."""
    version, numbers, gauss = random.getstate()
    name, keys, *rest = np.random.get_state()
    return {
        "python": [version, list(numbers), gauss],
        "numpy": [name, keys.tolist(), *rest],
    }


def set_random_state(state):
    """Restores what `random_state` gave."""
    version, numbers, gauss = state["python"]
    random.setstate((version, tuple(numbers), gauss))
    name, keys, *rest = state["numpy"]
    np.random.set_state((name, np.array(keys, "uint32"), *rest))


def fingerprint(model):
    """Returns what makes two models the same one, for JSON.

    Names that Keras numbers by itself do not count: they depend on what else
    was built before.
    """
    optimizer = inner_optimizer(model)
    return {
        "optimizer": type(optimizer).__name__,
        "variables": [
            [variable.path, list(variable.shape), str(variable.dtype)]
            for variable in model.variables
        ],
    }


def require_same(known, model, folder):
    """Raises unless a run's model is this one; names the first difference.

    Raises:
        InputError: If they differ.
    """
    difference = _difference(known, fingerprint(model))
    if difference:
        raise InputError(
            f"The run in {folder} is of another model: {difference}. Choose "
            "another folder, or bring the model back."
        )


def _difference(old, new):
    pairs = zip(old["variables"], new["variables"], strict=False)
    for (path, *kind), (new_path, *new_kind) in pairs:
        if kind != new_kind or _leaf(path) != _leaf(new_path):
            return (
                f"{path} was {_kind(*kind)}, and in its place is {new_path}, "
                f"{_kind(*new_kind)}"
            )
    counts = [len(old["variables"]), len(new["variables"])]
    if counts[0] != counts[1]:
        longer = max(old["variables"], new["variables"], key=len)
        path, *kind = longer[min(counts)]
        where = "this model" if counts[1] < counts[0] else "that run"
        return f"{path}, {_kind(*kind)}, is not in {where}"
    if old["optimizer"] != new["optimizer"]:
        return (
            f"its optimizer was {old['optimizer']}, and is {new['optimizer']}"
        )
    return None


def _leaf(path):
    return path.rpartition("/")[-1]


def _kind(shape, dtype):
    return f"{tuple(shape)} of {dtype}"
