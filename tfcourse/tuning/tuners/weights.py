"""The file of a trial's weights: room for it, and what is wrong with it."""

import contextlib
import pathlib
from collections.abc import Iterator

import keras

from tfcourse.errors import InputError
from tfcourse.tuning.results.manifest import DAMAGED
from tfcourse.utils.machine.disk import check_room_for_weights
from tfcourse.utils.machine.sentences import machine_error


class RoomForWeights(keras.callbacks.Callback):
    """Ends a trial before Keras writes its weights on a disk that is full."""

    def __init__(self, path: str) -> None:
        super().__init__()
        self._path = path

    def on_epoch_end(self, epoch: int, logs: dict | None = None) -> None:
        optimizer = getattr(self.model, "optimizer", None)
        variables = [
            *self.model.variables,
            *getattr(optimizer, "variables", []),
        ]
        check_room_for_weights(self._path, [v.shape for v in variables])


@contextlib.contextmanager
def weights_readable(path: pathlib.Path, trial_id: str) -> Iterator[None]:
    """Turns the errors of loading a trial's weights into a sentence.

    Raises:
        InputError: If they are damaged or not there.
    """
    said = (
        f"The weights of trial {trial_id} cannot be read: {path} is missing or "
        f"damaged. Delete the folder {path.parent} and go on with the search: "
        "it runs that trial again, as it was."
    )
    if not path.is_file():
        raise InputError(said)
    try:
        yield
    except (OSError, *DAMAGED, RuntimeError) as error:
        if machine_error(error):
            raise
        raise InputError(said) from error
