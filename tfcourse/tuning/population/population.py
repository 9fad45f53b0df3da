"""Many models of one structure, trained as one program."""

from collections.abc import Callable, Iterable, Sequence
from typing import Any

import keras
import numpy as np

from tfcourse.tuning.population.built import Batch, Columns, JitCompile
from tfcourse.tuning.population.functional.build import build
from tfcourse.tuning.population.history import MemberHistory
from tfcourse.tuning.population.state import assign, columns_of
from tfcourse.tuning.population.trainer import PopulationTrainer
from tfcourse.tuning.population.validation import (
    check_models,
    check_same_structure,
    check_trains_as_keras_does,
)


class Population:
    """K compiled Keras models of the same structure, trained at once.

    All variables of the models, those of the optimizers and metrics included,
    are stacked on a new first axis, and one step is mapped over that axis. A
    member's weights, losses and metrics are those of the same model trained by
    `model.fit` on the same batches, to float32 rounding; a model trained alone
    costs some ten times more.

    Args:
        models: A list of compiled `keras.Model`s that differ in nothing but
            the values of variables: weights, learning rates,
            hyperparameters of tfcourse's layers and optimizers.
        jit_compile: Whether XLA compiles the step: True, False, or `"auto"`
            for where it is expected to pay.
        device: The device to train on, e.g. `"gpu:0"`; by default Keras's.

    Raises:
        ValueError: If there are no models, one is not compiled, or two differ
            in structure; the first difference is named.
        CannotVectorize: In `fit`, if the models cannot be trained as one
            program.

    Example:

    >>> def model():
    ...     model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(1)])
    ...     model.compile("sgd", "mse")
    ...     return model
    >>> x, y = np.eye(3), np.ones((3, 1))
    >>> population = Population([model() for _ in range(5)])
    >>> histories = population.fit(x, y, epochs=2)
    >>> len(histories), len(histories[0].history["loss"])
    (5, 2)
    >>> population.predict(x).shape
    (5, 3, 1)
    """

    def __init__(
        self,
        models: Iterable[keras.Model],
        jit_compile: JitCompile = "auto",
        device: str | None = None,
    ) -> None:
        models = list(models)
        check_models(models)
        source = _Models(models)
        self._trainer = PopulationTrainer(
            models[0],
            len(models),
            source.draw,
            jit_compile,
            device,
            build_template=source.build,
        )

    def __repr__(self) -> str:
        left, diverged = len(self.training), int(np.sum(self.diverged))
        return (
            f"<Population of {len(self)} members: {left} to train, "
            f"{diverged} diverged, {self.seconds:.1f} s in `fit`>"
        )

    def __len__(self) -> int:
        return len(self._trainer)

    @property
    def members(self) -> np.ndarray:
        """The indices of the members that are still in the arrays."""
        return self._trainer.members

    @property
    def training(self) -> np.ndarray:
        """The indices of the members that `fit` would continue to train."""
        return self._trainer.training

    @property
    def diverged(self) -> np.ndarray:
        """Which members' loss has ceased to be finite."""
        return self._trainer.diverged

    @property
    def seconds(self) -> float:
        """How long `fit` has taken."""
        return self._trainer.seconds

    @property
    def report(self) -> dict[str, Any]:
        """What was done, as a dict.

        `how` is `"vectorised"` or, if some operations went one member after
        another, `"vectorised with a loop"`; `one_by_one` names these; `xla`
        tells whether XLA compiled the step; `remarks` is a list of sentences;
        `pieces` is in how many parts an epoch was run, more than one if there
        was not enough memory; `seconds` were spent in `fit`.
        """
        return self._trainer.report

    def fit(
        self,
        x: Any,
        y: Any = None,
        batch_size: int | None = None,
        epochs: int = 1,
        verbose: int = 0,
        validation_split: float = 0.0,
        validation_data: Any = None,
        shuffle: bool = True,
        class_weight: dict[int, float] | None = None,
        sample_weight: Any = None,
        initial_epoch: int = 0,
        validation_batch_size: int | None = None,
        early_stopping: int | keras.callbacks.EarlyStopping | None = None,
        keep_best: str | tuple[str, str] | None = None,
        on_epoch_end: Callable[..., None] | None = None,
        seed: int | None = None,
        subsets: Sequence[Any] | None = None,
        steps_per_epoch: int | None = None,
        validation_steps: int | None = None,
        validation_freq: int | list[int] = 1,
    ) -> list[MemberHistory]:
        """Trains all members, as `model.fit` would each.

        All members see the same batches, or with `subsets` those of their own
        examples. With `shuffle`, one order is drawn per epoch, for all members;
        without, the batches are those of `model.fit(shuffle=False)`.

        Args:
            x: As for `model.fit`: an array, nested arrays, a
                `tf.data.Dataset` of batches or a `keras.utils.PyDataset`.
            y: The targets.
            batch_size: The size of a mini-batch, 32 by default.
            epochs: The epoch at which to end; if `initial_epoch` is 0, the
                number of epochs.
            verbose: 1 prints a line per epoch.
            validation_split: The share of the last examples to validate on.
            validation_data: `(x, y)`, `(x, y, sample_weight)` or a dataset.
            shuffle: Whether arrays are shuffled anew in each epoch.
            class_weight: A dict from class to weight in the loss.
            sample_weight: One weight per example.
            initial_epoch: The epoch at which to begin.
            validation_batch_size: Mini-batch size of the evaluation.
            early_stopping: The patience, in epochs, with respect to
                `val_loss` (`loss` without validation data); or a
                `keras.callbacks.EarlyStopping`. Each member stops by itself.
            keep_best: A metric's name, or `(name, mode)` with mode `"min"` or
                `"max"`: the weights of each member's best epoch are kept for
                `assign_to`, `predict` and `values` with `best=True`.
            on_epoch_end: Called with `(population, epoch, logs)` after each
                epoch, `logs` a dict from metric to one value for each of
                `population.members`. It may call `stop` or `keep`.
            seed: Seed of the shuffling; by default from NumPy's global state,
                so that `keras.utils.set_random_seed` makes it repeatable.
            subsets: `(train, held_out)`, in place of validation data: which of
                the examples each member trains on, and is evaluated on. Two
                arrays of indices, of shapes `(K, n)` and `(K, p)`; see
                `fold_indices`.
            steps_per_epoch: How many mini-batches an epoch has at most, for
                data without end; the next epoch goes on where it ended.
            validation_steps: How many mini-batches an evaluation has at most.
            validation_freq: Evaluate after every this many epochs, or after the
                epochs in a list.

        Returns:
            A list of one `MemberHistory` for each of the K members.

        Raises:
            CannotVectorize: If the models cannot be trained as one program.
            ValueError: If arguments do not go together.
            MemoryError: If a single member does not fit.
        """

        def after_epoch(
            _: PopulationTrainer, epoch: int, logs: dict[str, np.ndarray]
        ) -> None:
            if on_epoch_end is not None:
                on_epoch_end(self, epoch, logs)

        return self._trainer.fit(
            x,
            y,
            batch_size=batch_size,
            epochs=epochs,
            verbose=verbose,
            validation_split=validation_split,
            validation_data=validation_data,
            shuffle=shuffle,
            class_weight=class_weight,
            sample_weight=sample_weight,
            initial_epoch=initial_epoch,
            validation_batch_size=validation_batch_size,
            early_stopping=early_stopping,
            keep_best=keep_best,
            on_epoch_end=after_epoch,
            seed=seed,
            subsets=subsets,
            steps_per_epoch=steps_per_epoch,
            validation_steps=validation_steps,
            validation_freq=validation_freq,
        )

    def evaluate(
        self,
        x: Any,
        y: Any = None,
        batch_size: int | None = None,
        sample_weight: Any = None,
    ) -> list[dict[str, Any]]:
        """Returns the metrics of each member, a list of K dicts."""
        return self._trainer.evaluate(x, y, batch_size, sample_weight)

    def predict(self, x: Any, batch_size: int = 256, best: bool = False) -> Any:
        """Returns the outputs of all members, arrays of shape `(K, m, ...)`.

        Args:
            x: The inputs, as for `model.predict`.
            batch_size: How many examples are computed at once.
            best: Whether with the weights of each member's best epoch, if
                `fit` was given `keep_best`.
        """
        return self._trainer.predict(x, batch_size, best)

    def ensemble_predict(
        self,
        x: Any,
        batch_size: int = 256,
        weights: Any = None,
        best: bool = False,
    ) -> Any:
        """Returns the mean of the members' outputs, of shape `(m, ...)`.

        Args:
            x: The inputs.
            batch_size: How many examples are computed at once.
            weights: K shares of the members in the mean, by default equal
                ones for all that have not diverged.
            best: As for `predict`.
        """
        outputs = self.predict(x, batch_size, best)
        if weights is None:
            weights = ~self.diverged
        weights = np.asarray(weights, float)
        if not weights.any():
            raise ValueError("All members have diverged: there is no mean.")

        def mean(out: np.ndarray) -> np.ndarray:
            # A member without weight may be NaN, which times 0 is NaN.
            counted = np.flatnonzero(weights)
            return np.average(out[counted], 0, weights[counted])

        return keras.tree.map_structure(mean, outputs)

    def values(self, k: int, best: bool = False) -> list[np.ndarray]:
        """Returns the variables' values of member `k`, a list of arrays.

        They are those of the model's `trainable_variables`, of its
        `non_trainable_variables`, and of its optimizer's `variables`.
        """
        return self._trainer.values(k, best)

    def assign_to(self, k: int, model: keras.Model, best: bool = False) -> None:
        """Gives a model the variables of member `k`, the optimizer's too.

        Args:
            k: The index of the member.
            model: A model of the population's structure, compiled or not.
            best: Whether those of the best epoch.

        Raises:
            ValueError: If the variables are not of the same shapes.
        """
        assign(self.values(k, best), model)

    def stop(self, members: Iterable[int]) -> None:
        """Ends the training of members. They keep their current weights."""
        self._trainer.stop(members)

    def keep(self, members: Iterable[int]) -> None:
        """Ends the training of all others, and takes them from the arrays.

        A smaller population trains faster. What the others have learned stays
        at hand for `assign_to` and `predict`.
        """
        self._trainer.keep(members)


class _Models:
    """The models of a population, until their variables are stacked."""

    def __init__(self, models: list[keras.Model]) -> None:
        self._models = models
        self._columns: Columns = []

    def build(self, head: Batch) -> None:
        for model in self._models:
            check_trains_as_keras_does(model)
            build(model, head)
        check_same_structure(self._models)
        self._columns = columns_of(self._models)
        # Longer kept, they would hold K models' memory.
        self._models = []

    def draw(self) -> tuple[Columns, None]:
        columns, self._columns = self._columns, []
        return columns, None
