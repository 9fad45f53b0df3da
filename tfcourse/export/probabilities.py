"""From a classifier's outputs to the probability of each class."""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import keras


def outputs_match_classes(outputs: int, classes: int) -> bool:
    """Returns whether a model of that many outputs can classify."""
    return outputs == classes or (outputs == 1 and classes == 2)


def class_probabilities(model: "keras.Model", features: Any) -> Any:
    """Returns the probability of each class.

    Args:
        model: A Keras classifier. Its outputs are taken as logits if its loss
            has `from_logits=True`. A single output is that of the second of
            two classes.
        features: Shape `(m, ...)`.

    Returns:
        A float32 tensor of shape `(m, C)`.
    """
    outputs = model(features, training=False)
    return probabilities_of(outputs, takes_logits(model))


def takes_logits(model: "keras.Model") -> bool:
    """Returns whether the loss of a model takes its outputs as logits."""
    from keras import tree

    losses = tree.flatten(getattr(model, "loss", None))
    return any(getattr(loss, "from_logits", False) for loss in losses)


def probabilities_of(outputs: Any, logits: bool) -> Any:
    """Returns the probability of each class for a classifier's outputs."""
    from keras import ops

    # Under mixed precision a model may answer in float16.
    outputs = ops.cast(outputs, "float32")
    if outputs.shape[-1] == 1:
        p = ops.sigmoid(outputs) if logits else outputs
        return ops.concatenate([1 - p, p], axis=-1)
    return ops.softmax(outputs) if logits else outputs
