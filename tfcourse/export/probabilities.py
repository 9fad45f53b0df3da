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
    return probabilities_of(outputs, missing_activation(model))


def missing_activation(model: "keras.Model") -> str | None:
    """Returns what makes probabilities of a model's outputs, or None.

    Returns:
        `"sigmoid"` or `"softmax"` if the loss takes the outputs as logits, as
        it does itself. Keras goes back to the logits of a last layer that has
        an activation, whose outputs are probabilities all the same.
    """
    from keras import tree

    losses = [
        loss
        for loss in tree.flatten(getattr(model, "loss", None))
        if getattr(loss, "from_logits", False)
    ]
    if not losses or _last_activation(model) in ("sigmoid", "softmax"):
        return None
    binary = type(losses[0]).__name__.startswith("Binary")
    return "sigmoid" if binary else "softmax"


def _last_activation(model: "keras.Model") -> str:
    operations = getattr(model, "operations", None) or model.layers
    if not operations:
        return ""
    last = operations[-1]
    activation = getattr(last, "activation", last)
    name = getattr(activation, "__name__", type(activation).__name__)
    return name.lower()


def probabilities_of(outputs: Any, activation: str | None) -> Any:
    """Returns the probability of each class for a classifier's outputs.

    Args:
        outputs: Shape `(m, ...)`.
        activation: What `missing_activation` gives for its model.
    """
    from keras import ops

    # Under mixed precision a model may answer in float16.
    p = ops.cast(outputs, "float32")
    if p.shape[-1] == 1:
        p = ops.sigmoid(p) if activation else p
        return ops.concatenate([1 - p, p], axis=-1)
    return getattr(ops, activation)(p) if activation else p
