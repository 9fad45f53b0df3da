"""What the words of the page mean."""

import html
import re

WORDS = {
    "trial": "One setting of all hyperparameters, and the model trained with "
    "it.",
    "hyperparameter": "A setting chosen before training, such as the learning "
    "rate; weights are learned during training.",
    "schedule": "The values that a hyperparameter has from epoch to epoch.",
    "epoch": "One pass over all training examples.",
    "best epoch": "The epoch after which a trial scored best; its weights are "
    "kept.",
    "training set": "The examples that the weights learn from.",
    "development set": "The examples on which trials are compared; Keras "
    "calls them validation data, so their scores begin "
    "with val_.",
    "test set": "Examples that played no part in any choice; they show how "
    "good the model is on new ones.",
    "95 % interval": "If the set were drawn again and again, 95 of 100 such "
    "intervals would contain the true score.",
    "bias": "How far the training error is above the lowest possible error: "
    "the network does not fit what it has seen.",
    "variance": (
        "How much larger the error is on examples that the network "
        "was not trained on."
    ),
    "importance": "How clearly a hyperparameter separates the best trials from "
    "the others.",
    "learning_rate": "α: how large a training step is.",
    "beta": "β of momentum: gradients are averaged over about "
    "1 / (1 − β) steps.",
    "batch_size": "The number of examples from which one step computes its "
    "gradient.",
    "units": "The number of units in a hidden layer.",
    "layers": "The number of hidden layers.",
    "decay_rate": "d: in epoch n the learning rate is α / (1 + d n).",
    "activation": "The function that a hidden unit applies to its weighted "
    "sum z: relu is max(0, z), linear is z itself.",
    "keep_prob": "The share of units that dropout keeps in each step.",
    "lambda": (
        "λ of L2 regularization: how strongly large weights are penalized."
    ),
    "filters": (
        "The number of patterns that the first convolutional layer looks for."
    ),
    "blocks": (
        "How many blocks the network has, each a convolution followed "
        "by pooling."
    ),
    "accuracy": "The share of examples whose class is predicted correctly.",
    "precision": "Of the examples predicted to be in a class, the share that "
    "really are.",
    "recall": "Of the examples in a class, the share that the model finds.",
    "F1": "The harmonic mean of precision and recall.",
    "R²": "The share of the target's variance that the model explains: 1 is "
    "all of it, 0 no more than always predicting the mean.",
    "RMSE": "The square root of the mean squared error, in the target's unit.",
    "residual": "The true value minus the predicted one.",
    "diverged": "The loss grew without bound, usually because the learning "
    "rate was too large.",
    "program": "Compiled code that trains many models at once.",
}


def glossary(page: str) -> str:
    """Returns the words that a page uses, with what they mean.

    Args:
        page: The HTML of its parts.
    """
    text = html.unescape(re.sub("<[^>]*>", " ", page))
    rows = "".join(
        f"<dt>{html.escape(word)}</dt><dd>{html.escape(meaning)}</dd>"
        for word, meaning in WORDS.items()
        if re.search(rf"(?<!\w){re.escape(word)}", text)
    )
    return f"<dl>{rows}</dl>"
