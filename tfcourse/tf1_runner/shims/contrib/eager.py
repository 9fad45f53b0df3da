"""`tf.contrib.eager`: eager execution, as it first was."""

import tensorflow as tf
from tensorflow.python.eager.backprop import (  # noqa: F401
    gradients_function,
)
from tensorflow.python.eager.backprop import (
    implicit_grad as implicit_gradients,  # noqa: F401
)
from tensorflow.python.eager.backprop import (
    implicit_val_and_grad as implicit_value_and_gradients,  # noqa: F401
)
from tensorflow.python.eager.backprop import (
    val_and_grad_function as value_and_gradients_function,  # noqa: F401
)
from tensorflow.python.ops.resource_variable_ops import (
    ResourceVariable as Variable,  # noqa: F401
)

from tfcourse.tf1_runner.imports.symbol_names import names_from

__getattr__ = names_from("tf.contrib.eager", "tensorflow")

defun = tf.function
in_eager_mode = tf.executing_eagerly
run = tf.app.run
Sequential = tf.keras.Sequential
Checkpoint = tf.train.Checkpoint


def get_optimizer_variables(optimizer):
    return optimizer.variables()


def list_devices():
    """Returns the names of the devices."""
    return [device.name for device in tf.config.list_logical_devices()]


def num_gpus():
    """Returns how many GPUs there are."""
    return len(tf.config.list_physical_devices("GPU"))


class Iterator:
    """Goes through a dataset; `next` is a method as well."""

    def __init__(self, dataset):
        self._elements = iter(dataset)

    def __iter__(self):
        return self

    def __next__(self):
        return next(self._elements)

    next = __next__


class EagerVariableStore:
    """Keeps the variables of `tf.layers` between calls."""

    def __init__(self):
        from tensorflow.python.ops import variable_scope

        self._store = variable_scope.EagerVariableStore()

    def __getattr__(self, name):
        return getattr(self._store, name)


class Network(tf.keras.Model):
    """A model whose layers are told one by one."""

    def track_layer(self, layer):
        """Returns the layer, whose variables are the network's from now on."""
        if not hasattr(self, "_told"):
            self._told = []
        self._told.append(layer)
        return layer
