"""TensorFlow's start-up lines, kept out of a notebook or a script.

Some of them are written before TensorFlow reads any setting, so no variable of
the environment stops them: the descriptor that they go to has to lead elsewhere
for a moment. A library must not do so on its own, as the lines of others would
be held back too; so this is asked for.
"""

import contextlib
import os
import re
import sys
import tempfile
from collections.abc import Iterator

from tfcourse.utils.streams import stderr_held

_START_UP = re.compile(
    rb"All log messages before absl::InitializeLog"
    rb"|oneDNN custom operations are on"
    rb"|Could not find cuda drivers"
    rb"|failed call to cuInit"
    rb"|This TensorFlow binary is optimized"
    rb"|^To enable the following instructions"
)


@contextlib.contextmanager
def quiet_start() -> Iterator[None]:
    """Drops TensorFlow's start-up lines while a block imports Keras.

    ```python
    import tfcourse

    with tfcourse.quiet_start():
        import keras
    ```

    All other lines are written to `stderr` at the end of the block. Nothing is
    dropped if TensorFlow has been imported already, or if the environment says
    `TF_CPP_MIN_LOG_LEVEL=0`, which asks for every line. Results stay the same:
    oneDNN is left on.
    """
    all_of_them = os.environ.get("TF_CPP_MIN_LOG_LEVEL") == "0"
    if "tensorflow" in sys.modules or all_of_them:
        yield
        return
    # Later ones too, such as those of the first model on a machine with no GPU.
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    with tempfile.TemporaryFile() as held:
        try:
            with stderr_held(held.fileno()):
                yield
        finally:
            held.seek(0)
            for line in held:
                if not _START_UP.search(line):
                    os.write(2, line)
