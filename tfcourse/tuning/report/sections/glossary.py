"""What the words of the page mean."""

import html
import re

WORDS = {
    "trial": "One choice of all hyperparameters, and the model that it gives.",
    "hyperparameter": "What is chosen before training, as the learning rate; "
    "training itself learns the weights.",
    "epoch": "One pass over all examples for training.",
    "best epoch": "The epoch after which a trial scored best; its weights are "
    "kept.",
    "training set": "The examples that the weights learn from.",
    "development set": "The examples by which trials are compared; Keras calls "
    "it validation, so that its scores begin with val_.",
    "test set": "Examples by which nothing was chosen: how good the model is "
    "on new ones.",
    "95 % interval": "Were the set drawn anew, again and again, 95 of 100 such "
    "intervals would hold the score on all examples there are.",
    "bias": "The error in training above the least that is possible: the "
    "network does not fit what it has seen.",
    "variance": "By how much the error is larger on examples not trained on.",
    "importance": "How far the best trials lie apart from the others on a "
    "hyperparameter.",
    "learning_rate": "α: how long a step is that training takes.",
    "beta": "β of momentum: the mean of gradients is over some 1 / (1 − β) "
    "steps.",
    "batch_size": "Of how many examples the gradient of a step is.",
    "units": "How many units a hidden layer has.",
    "layers": "How many hidden layers the network has.",
    "decay_rate": "d: in epoch n the learning rate is α / (1 + d n).",
    "activation": "What a hidden unit makes of its sum: relu, max(0, z), or z "
    "itself, linear.",
    "keep_prob": "The share of units that dropout leaves in a step.",
    "lambda": "λ of L2 regularization: how much large weights cost.",
    "filters": "How many patterns the first convolution looks for.",
    "blocks": "How many convolutions the network has, each before a pooling.",
    "accuracy": "The share of examples whose class is right.",
    "precision": "Of those predicted to be of a class, the share that is.",
    "recall": "Of those of a class, the share that is predicted so.",
    "F1": "The harmonic mean of precision and recall.",
    "R²": "The share of the variance of the target that the model explains: 1 "
    "is all, 0 no more than their mean does.",
    "RMSE": "The root of the mean squared error, in the target's unit.",
    "residual": "What is true less what is predicted.",
    "diverged": "The loss grew beyond all bounds; mostly the learning rate was "
    "too large.",
    "program": "What trains many models at once, as one.",
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
