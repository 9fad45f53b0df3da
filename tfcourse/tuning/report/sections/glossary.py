"""What the words of the page mean."""

import html
import re

WORDS = {
    "trial": "One choice of all hyperparameters, and the model trained "
    "with it.",
    "hyperparameter": "What is chosen before training, such as the learning "
    "rate; the weights are learned in training.",
    "epoch": "One pass over all training examples.",
    "best epoch": "The epoch after which a trial scored best; its weights are "
    "kept.",
    "training set": "The examples that the weights learn from.",
    "development set": "The examples by which trials are compared; Keras calls "
    "it validation, so that its scores begin with val_.",
    "test set": "Examples by which nothing was chosen; they show how good the "
    "model is on new ones.",
    "95 % interval": "If the set were drawn again and again, 95 of 100 such "
    "intervals would contain the score on all examples there are.",
    "bias": "The error in training above the least that is possible: the "
    "network does not fit what it has seen.",
    "variance": "By how much the error is larger on examples not trained on.",
    "importance": "How clearly a hyperparameter separates the best trials from "
    "the others.",
    "learning_rate": "α: the length of a training step.",
    "beta": "β of momentum: gradients are averaged over about "
    "1 / (1 − β) steps.",
    "batch_size": "The number of examples from which a step takes its "
    "gradient.",
    "units": "The number of units in a hidden layer.",
    "layers": "The number of hidden layers.",
    "decay_rate": "d: in epoch n the learning rate is α / (1 + d n).",
    "activation": "What a hidden unit makes of its sum: relu, max(0, z), or z "
    "itself, linear.",
    "keep_prob": "The share of units that dropout leaves in a step.",
    "lambda": "λ of L2 regularization: how much large weights cost.",
    "filters": "The number of patterns that the first convolution looks for.",
    "blocks": "How many convolutions the network has, each before a pooling.",
    "accuracy": "The share of examples whose class is right.",
    "precision": "Of the examples predicted to be of a class, the share "
    "that are.",
    "recall": "Of the examples of a class, the share predicted to be of it.",
    "F1": "The harmonic mean of precision and recall.",
    "R²": "The share of the variance of the target that the model explains: 1 "
    "is all, 0 no more than their mean does.",
    "RMSE": "The root of the mean squared error, in the target's unit.",
    "residual": "The true value minus the predicted one.",
    "diverged": "The loss grew beyond all bounds; mostly the learning rate was "
    "too large.",
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
