"""A model that computes in float64 for a while, whatever it was built in."""

import contextlib
import copy
from collections.abc import Iterator

import keras
import numpy as np

from tfcourse.diagnostics.backend_gradient import float64_allowed
from tfcourse.utils.keras_private import BIT64_TO_BIT32_DTYPE as _PROMOTION
from tfcourse.utils.keras_private import (
    COMPILED_LOSS,
    DTYPE,
    DTYPE_POLICY,
    VALUE,
    clear_losses,
    compiled_loss,
    every_layer,
    loss_weights_of,
)


@contextlib.contextmanager
def lent_float64(model: keras.Model) -> Iterator[None]:
    """A `with` block in which a model computes in float64, gradients too.

    Every variable is given a copy of its value for the time of the block, so
    whatever happens inside (batch norm gathers statistics, dropout draws a
    mask, an error is raised) the model comes out as it went in, bit for bit.
    The optimizer is not touched.

    A copy of the model would need its config, which models with functions or
    classes of one's own often cannot give; this demands nothing of a model.
    """
    floatx = keras.config.floatx()
    policy = keras.DTypePolicy("float64")
    with contextlib.ExitStack() as stack:
        stack.enter_context(float64_allowed())
        stack.callback(keras.config.set_floatx, floatx)
        keras.config.set_floatx("float64")
        # On JAX, Keras answers float64 with float32 even where JAX would not.
        stack.callback(_PROMOTION.update, dict(_PROMOTION))
        _PROMOTION["float64"] = "float64"
        for variable in model.variables:
            lent = _copy_of(variable)
            _lend(stack, variable, VALUE, getattr(lent, VALUE))
            _lend(stack, variable, DTYPE, getattr(lent, DTYPE))
        for layer in every_layer(model):
            _lend(stack, layer, DTYPE_POLICY, policy)
            for entrance in _entrances(layer):
                if keras.backend.is_float_dtype(entrance.dtype):
                    _lend(stack, entrance, DTYPE, "float64")
        if compiled_loss(model) is not None:
            _lend(stack, model, COMPILED_LOSS, _float64_loss(model))
        stack.callback(clear_losses, model)
        yield


def _lend(stack, owner, name, value):
    stack.callback(setattr, owner, name, getattr(owner, name))
    setattr(owner, name, value)


def _copy_of(variable):
    is_float = keras.backend.is_float_dtype(variable.dtype)
    dtype = "float64" if is_float else variable.dtype
    value = keras.ops.convert_to_numpy(variable)
    return keras.Variable(
        np.array(value, dtype if is_float else value.dtype),
        dtype=dtype,
        trainable=variable.trainable,
        name=variable.name,
    )


def _entrances(layer):
    """Returns what holds a dtype to which a model casts what it is given."""
    if isinstance(layer, keras.layers.InputLayer):
        return [layer]
    if isinstance(layer, keras.Model):
        # Neither a subclassed nor a Sequential model need have any.
        return keras.tree.flatten(getattr(layer, "inputs", None) or [])
    return []


def _float64_loss(model):
    """Returns the compiled loss of `model`, computing in float64."""

    def in_float64(loss):
        if not isinstance(loss, keras.Loss):
            return loss
        loss = copy.copy(loss)
        # Sets the dtype and leaves what the class added as it is.
        keras.Loss.__init__(
            loss, name=loss.name, reduction=loss.reduction, dtype="float64"
        )
        return loss

    holder = keras.Model(name="float64_loss")
    if hasattr(model, "output_names"):
        holder.output_names = model.output_names
    holder.compile(
        optimizer=None,
        loss=keras.tree.map_structure(in_float64, model.loss),
        loss_weights=loss_weights_of(model),
        jit_compile=False,
    )
    return compiled_loss(holder)
