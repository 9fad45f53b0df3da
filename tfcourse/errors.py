"""The one error for what a user gave and tfcourse cannot use."""


class InputError(ValueError):
    """A file, setting or state that cannot be used, told in one sentence.

    The message says what was wrong, what was expected and what to do. The
    command line prints it without a traceback and exits with 2.
    """
