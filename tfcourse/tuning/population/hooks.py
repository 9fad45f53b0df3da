"""What is called for the members of a population, between its epochs."""

import abc
from typing import Any

import numpy as np

# The `PopulationTrainer`, which calls them.
Trainer = Any


class Hooks(abc.ABC):
    """Is called while a population trains, and may change its members."""

    @abc.abstractmethod
    def begin(self, trainer: Trainer, steps: int) -> None:
        """Called before the first epoch.

        Args:
            trainer: The `PopulationTrainer`.
            steps: How many mini-batches an epoch has.
        """

    @abc.abstractmethod
    def epoch_begins(self, trainer: Trainer, epoch: int) -> None:
        """Called before each epoch."""

    @abc.abstractmethod
    def epoch_ends(
        self,
        trainer: Trainer,
        epoch: int,
        logs: dict[str, np.ndarray],
        kept: np.ndarray,
    ) -> np.ndarray:
        """Called after each epoch, before its metrics are noted.

        Args:
            trainer: The `PopulationTrainer`.
            epoch: The number of the epoch.
            logs: A dict from metric to one value a row, which may be changed.
            kept: Which rows have been trained in it.

        Returns:
            Which rows are to stop.
        """

    @abc.abstractmethod
    def epoch_noted(
        self, trainer: Trainer, epoch: int, kept: np.ndarray
    ) -> tuple[np.ndarray, dict[int, dict[str, Any]]]:
        """Called after each epoch, once the best weights are kept.

        Args:
            trainer: The `PopulationTrainer`.
            epoch: The number of the epoch.
            kept: Which rows have been trained in it.

        Returns:
            Which rows are to stop, and for members what is to be noted of the
            epoch besides, or instead.
        """

    @abc.abstractmethod
    def end(self, trainer: Trainer) -> None:
        """Called after the last epoch."""
