"""The file of a trial's weights: room for it, what is wrong, and what then."""

import contextlib
import pathlib
from collections.abc import Iterator
from typing import Any

import h5py
import keras

from tfcourse.errors import InputError
from tfcourse.utils.machine.disk import check_room_for_weights
from tfcourse.utils.machine.sentences import machine_error
from tfcourse.utils.shapes import DAMAGED


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
        f"The weights of trial {trial_id} cannot be read: {path} is missing "
        "or damaged. The other trials are intact. To train this one again "
        "with the same hyperparameters, call the tuner's `run_again` and then "
        "its `search`; `tfcourse tune --resume` does so by itself."
    )
    if not path.is_file():
        raise InputError(said)
    try:
        yield
    except (OSError, *DAMAGED, RuntimeError) as error:
        if machine_error(error):
            raise
        raise InputError(said) from error


def are_whole(path: pathlib.Path) -> bool:
    """Returns whether all weights in a file can be read."""
    try:
        _read_all(path)
    except (OSError, *DAMAGED, RuntimeError):
        return False
    return True


def _read_all(path: pathlib.Path) -> None:
    def read(_: str, item: Any) -> None:
        if isinstance(item, h5py.Dataset):
            item[()]

    if not path.is_file():
        raise FileNotFoundError(path)
    with h5py.File(path) as file:
        file.visititems(read)
