"""`keras.metrics` of Keras 1: those that were taken out, over one batch."""

from tf_keras.api._v1.keras import backend as K  # noqa: N812

NAMES = (
    "fbeta_score",
    "fmeasure",
    "matthews_correlation",
    "precision",
    "recall",
)


def _counts(y_true, y_pred):
    """Returns how many are right, how many are said, and how many are true."""
    said = K.round(K.clip(y_pred, 0, 1))
    true = K.round(K.clip(y_true, 0, 1))
    return K.sum(said * true), K.sum(said), K.sum(true)


def precision(y_true, y_pred):
    right, said, _ = _counts(y_true, y_pred)
    return right / (said + K.epsilon())


def recall(y_true, y_pred):
    right, _, true = _counts(y_true, y_pred)
    return right / (true + K.epsilon())


def fbeta_score(y_true, y_pred, beta=1):
    r"""Returns $(1 + \beta^2) P R / (\beta^2 P + R)$."""
    p, r = precision(y_true, y_pred), recall(y_true, y_pred)
    square = beta**2
    return (1 + square) * p * r / (square * p + r + K.epsilon())


def fmeasure(y_true, y_pred):
    return fbeta_score(y_true, y_pred)


def matthews_correlation(y_true, y_pred):
    """Returns the correlation of two classes, true and said."""
    right, said, true = _counts(y_true, y_pred)
    count = K.cast(K.prod(K.shape(y_pred)), K.floatx())
    covariance = count * right - said * true
    squares = said * true * (count - said) * (count - true)
    return covariance / (K.sqrt(squares) + K.epsilon())
