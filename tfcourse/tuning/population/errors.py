"""Why models cannot be trained as one program."""


class CannotVectorize(ValueError):  # noqa: N818
    """The models are sound, but cannot be trained as one program.

    The message is a reason that completes the sentence "trained alone,
    because". Train such a model by `fit`.
    """
