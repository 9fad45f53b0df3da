"""`StringIO` and `cStringIO`: text was bytes."""

import io


def StringIO(initial=""):  # noqa: N802
    """Returns a file in memory, of bytes if it begins with them."""
    if isinstance(initial, bytes):
        return io.BytesIO(initial)
    return io.StringIO(initial)
