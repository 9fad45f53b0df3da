"""Which numbers a model wants that only knows the shapes of its inputs."""

from typing import Any

import keras


def with_dtypes_of_call(model: keras.Model, inputs: Any) -> Any:
    """Returns inputs with whole numbers where a model makes them such.

    A subclassed model keeps the shapes that it was called with, not the dtypes.
    But where the first thing that becomes of an input is a cast to integers, as
    an `Embedding` does, it takes ids.

    Args:
        model: A built model.
        inputs: A structure of `KerasTensor`, with the dtype of the model.
    """
    if keras.backend.backend() != "tensorflow":
        return inputs
    flat = keras.tree.flatten(inputs)
    try:
        found = _casts(model, inputs, flat)
    # A model may do what it likes; who exports it learns what is wrong.
    except Exception:
        return inputs
    changed = [
        keras.KerasTensor(tensor.shape, own or tensor.dtype, name=tensor.name)
        for tensor, own in zip(flat, found, strict=True)
    ]
    return keras.tree.pack_sequence_as(inputs, changed)


def _casts(model, inputs, flat):
    """Returns for each input the integers that all uses of it begin with."""
    import tensorflow as tf

    @tf.function
    def call(*tensors):
        packed = keras.tree.pack_sequence_as(inputs, tensors)
        return keras.tree.flatten(model(packed, training=False))

    traced = call.get_concrete_function(
        *(tf.TensorSpec(tensor.shape, tensor.dtype) for tensor in flat)
    )
    return [_cast_of(tensor) for tensor in traced.inputs[: len(flat)]]


def _cast_of(tensor):
    """Returns the integer dtype to which a tensor is cast by all uses of it."""
    kinds = set()
    for operation in tensor.consumers():
        if operation.type == "Identity":
            kinds.add(_cast_of(operation.outputs[0]))
        elif operation.type == "Cast":
            kind = operation.outputs[0].dtype
            kinds.add(kind.name if kind.is_integer else None)
        else:
            kinds.add(None)
    return kinds.pop() if len(kinds) == 1 else None
