"""From a classifier's outputs to the probability of each class."""

from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    import keras

Activation = Literal["sigmoid", "softmax"]


def outputs_match_classes(outputs: int, classes: int) -> bool:
    """Returns whether a model of that many outputs can classify."""
    return outputs == classes or (outputs == 1 and classes == 2)


def class_probabilities(model: "keras.Model", features: Any) -> Any:
    """Returns the probability of each class.

    Args:
        model: A Keras classifier; `missing_activation` tells what its outputs
            are. A single output is that of the second of two classes.
        features: Shape `(m, ...)`.

    Returns:
        A float32 tensor of shape `(m, C)`.
    """
    outputs = model(features, training=False)
    return probabilities_of(outputs, missing_activation(model, outputs))


def missing_activation(model: "keras.Model", outputs: Any) -> Activation | None:
    """Returns what makes probabilities of a model's outputs, if they are none.

    By Keras's own rule: a loss with `from_logits=True` takes outputs as logits,
    but for those that a sigmoid or a softmax has just made, of which it takes
    the logits before.

    Args:
        model: A Keras classifier.
        outputs: What it has returned when it was called.

    Returns:
        `"sigmoid"` for a single output or a binary loss, else `"softmax"`.
    """
    from keras import tree

    from tfcourse.utils.keras_private import made_from_logits

    losses = [
        loss
        for loss in tree.flatten(getattr(model, "loss", None))
        if getattr(loss, "from_logits", False)
    ]
    if not losses or made_from_logits(outputs):
        return None
    binary = any("binary" in type(loss).__name__.lower() for loss in losses)
    return "sigmoid" if binary or outputs.shape[-1] == 1 else "softmax"


def probabilities_of(outputs: Any, missing: Activation | None) -> Any:
    """Returns the probability of each class for a classifier's outputs.

    Args:
        outputs: Shape `(m, C)`, or `(m, 1)` for two classes.
        missing: As `missing_activation` returns it.
    """
    from keras import ops

    # Under mixed precision a model may answer in float16.
    outputs = ops.cast(outputs, "float32")
    if missing is not None:
        outputs = getattr(ops, missing)(outputs)
    if outputs.shape[-1] == 1:
        return ops.concatenate([1 - outputs, outputs], axis=-1)
    return outputs
