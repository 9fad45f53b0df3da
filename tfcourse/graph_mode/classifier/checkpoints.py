"""Checkpoints of a session, with the cost curve beside."""

import os
import pathlib

import tensorflow as tf

from tfcourse.errors import InputError
from tfcourse.utils.atomic_files import read_json, write_json
from tfcourse.utils.text import first_line

v1 = tf.compat.v1


class SessionCheckpoints:
    """Writes and reads the variables of the present graph.

    With the weights go the optimizer's averages and the global step. The last
    five checkpoints of a folder are kept.
    """

    def __init__(self) -> None:
        self._saver = v1.train.Saver(max_to_keep=5)

    def save(
        self,
        session: v1.Session,
        folder: str | os.PathLike,
        step: int,
        costs: list[float],
    ) -> str:
        """Writes a checkpoint, and `costs.json`; returns its path."""
        folder = pathlib.Path(folder)
        folder.mkdir(parents=True, exist_ok=True)
        with session.graph.as_default():
            path = self._saver.save(session, str(folder / "classifier"), step)
        write_json(folder / "costs.json", costs)
        return path

    def restore(
        self, session: v1.Session, folder: str | os.PathLike
    ) -> list[float]:
        """Gives a session the values of a checkpoint; returns its costs.

        Args:
            session: The session.
            folder: A folder, for the last checkpoint in it, or the path of one.

        Raises:
            InputError: If there is none, or it is of another network.
        """
        path = v1.train.latest_checkpoint(str(folder)) or str(folder)
        if not pathlib.Path(f"{path}.index").is_file():
            raise InputError(
                f"There is no checkpoint in {folder}. Give the folder that "
                "`save` or `fit(checkpoints=...)` wrote to."
            )
        try:
            with session.graph.as_default():
                self._saver.restore(session, path)
        except (ValueError, tf.errors.OpError) as error:
            raise InputError(
                f"The checkpoint {path} is of another network or optimizer. "
                "Create the classifier with the settings it had then. "
                f"TensorFlow says: {first_line(error)}"
            ) from error
        costs = pathlib.Path(path).with_name("costs.json")
        return read_json(costs) if costs.is_file() else []
