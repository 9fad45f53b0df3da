"""The errors of what a user gave, and of what cannot be one program."""


class InputError(ValueError):
    """A file, setting or state that cannot be used, explained in one sentence.

    The message says what was wrong, what was expected and what to do. The
    command line prints it without a traceback and exits with 2.
    """


class CannotVectorize(ValueError):  # noqa: N818
    """The models are sound, but cannot be trained as one program.

    The message is a reason that completes the sentence "trained alone,
    because". Train such a model by `fit`.
    """
