"""Files that callbacks of several trials write, as one after the other would.

Alone, a trial writes its files once those before it have written theirs. Where
trials are trained side by side, their files wait until all have been trained.
"""

import pathlib
import shutil
import tempfile

from keras.callbacks import Callback, ModelCheckpoint


class WaitingFiles:
    """The files of one trial, in a folder that is gone at the end."""

    def __init__(self) -> None:
        self._folder = pathlib.Path(tempfile.mkdtemp(prefix="tfcourse-"))

    def redirect(self, callback: Callback) -> None:
        """Lets a callback write its files here."""
        if isinstance(callback, ModelCheckpoint):
            path = pathlib.Path(callback.filepath)
            kind = "absolute" if path.is_absolute() else "relative"
            place = self._folder / kind / path.relative_to(path.anchor)
            callback.filepath = str(place)

    def release(self) -> None:
        """Puts the files where they are to be."""
        roots = {"absolute": pathlib.Path("/"), "relative": pathlib.Path()}
        for kind, root in roots.items():
            for path in sorted((self._folder / kind).rglob("*")):
                if path.is_file():
                    target = root / path.relative_to(self._folder / kind)
                    target.parent.mkdir(parents=True, exist_ok=True)
                    shutil.move(path, target)

    def remove(self) -> None:
        """Deletes what has not been released."""
        shutil.rmtree(self._folder, ignore_errors=True)
