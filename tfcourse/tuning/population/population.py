"""Many models of one structure, trained as one program."""

import contextlib
import dataclasses
import time

import keras
import numpy as np
from keras import ops

from tfcourse.tuning.population import batches as data_module
from tfcourse.tuning.population import validation as checks
from tfcourse.tuning.population.engines import engine_of
from tfcourse.tuning.population.history import (
    LOSSES,
    TrainingLog,
    print_epoch,
    python_value,
)
from tfcourse.tuning.population.member import Member, build
from tfcourse.tuning.population.state import State, assign, columns_of
from tfcourse.tuning.population.training_loop import TrainingLoop

# Examples times members of an evaluation, where batches make no difference.
_EVALUATED_AT_ONCE = 65536


@dataclasses.dataclass
class Traced:
    """What a population has traced, for others of the same template.

    Attributes:
        member: The `Member`.
        engine: What computes.
        size: The number of members that it was traced for.
    """

    member: Member
    engine: object
    size: int

    @property
    def any_size(self):
        """Whether it serves another number of members, too."""
        return self.engine.any_number


class Population:
    """K compiled Keras models of one structure, trained at once.

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

    def __init__(self, models, jit_compile="auto", device=None):
        models = list(models)
        checks.check_models(models)
        self._set_up(models[0], len(models), jit_compile, device)
        self._models = models

    @classmethod
    def from_columns(cls, template, columns, crops=None, **settings):
        """Makes a population of one model and the initial values of many.

        Args:
            template: A compiled and built model. It is not changed.
            columns: A list of arrays `(K, ...)`, the values of the template's
                `trainable_variables`, `non_trainable_variables` and of the
                `variables` of its built optimizer, in that order; see
                `drafts.initial_values`.
            crops: What the members' own variables are, if they differ from
                the template's: for each member a list of pairs, which of the
                template's variables holds one of its own, and the boolean
                masks, one an axis, of where; see `tfcourse.tuning.supernet`.
            **settings: Passed to `from_template`.
        """
        return cls.from_template(
            template, len(columns[0]), lambda: (columns, crops), **settings
        )

    @classmethod
    def from_template(
        cls,
        template,
        size,
        draw,
        jit_compile="auto",
        device=None,
        like=None,
        any_batch_size=False,
    ):
        """Makes a population of one model, and what draws the members' values.

        Args:
            template: As for `from_columns`.
            size: K, how many members there are.
            draw: A function that returns the columns and the crops, see there.
                It is called while XLA compiles, if it does.
            jit_compile: As for `Population`.
            device: As for `Population`.
            like: What a trained population of the same template has `traced`.
                It serves another number of members and another batch size.
            any_batch_size: Whether others will be made `like` this one that
                have other batch sizes; XLA then compiles only what serves them
                all, the optimizer's update.
        """
        self = cls.__new__(cls)
        self._set_up(template, size, jit_compile, device)
        self._any_batch_size = any_batch_size
        self._draw = draw
        if like is not None:
            self._member, self._engine = like.member, like.engine
        return self

    def _set_up(self, template, size, jit_compile, device):
        checks.check_jit_compile(jit_compile)
        self._template = template
        self._size = size
        self._jit_compile = jit_compile
        self._any_batch_size = False
        self._device = device
        self._models = self._draw = self._crops = None
        self._member = self._engine = self._state = self._epochs = (
            self._record
        ) = None
        self._done = np.zeros(size, bool)
        self._diverged = np.zeros(size, bool)
        self.seconds = 0.0

    def __len__(self):
        return self._size

    @property
    def members(self):
        """The indices of the members that are still in the arrays."""
        if self._state is None:
            return np.arange(self._size)
        return self._state.rows.copy()

    @property
    def training(self):
        """The indices of the members that `fit` would go on training."""
        return self.members[~self._done[self.members]]

    @property
    def diverged(self):
        """Which members' loss has ceased to be finite."""
        return self._diverged.copy()

    @property
    def traced(self):
        """What was traced for it: a `Traced`, without any member's values."""
        return Traced(self._member, self._engine, self._size)

    @property
    def report(self):
        """What was done, as a dict.

        `how` is `"vectorised"` or, if some operations went one member after
        another, `"vectorised with a loop"`; `one_by_one` names these; `xla`
        tells whether XLA compiled the step; `remarks` is a list of sentences;
        `pieces` is in how many parts an epoch was run, more than one if
        memory did not suffice; `seconds` were spent in `fit`.
        """
        engine, epochs = self._engine, self._epochs
        looped = sorted(engine.one_by_one) if engine else []
        return {
            "how": "vectorised with a loop" if looped else "vectorised",
            "one_by_one": looped,
            "xla": bool(epochs and epochs.xla),
            "remarks": list(engine.remarks) if engine else [],
            "pieces": epochs.pieces if epochs else 1,
            "members": self._size,
            "seconds": self.seconds,
        }

    def fit(
        self,
        x,
        y=None,
        batch_size=None,
        epochs=1,
        verbose=0,
        validation_split=0.0,
        validation_data=None,
        shuffle=True,
        class_weight=None,
        sample_weight=None,
        initial_epoch=0,
        validation_batch_size=None,
        early_stopping=None,
        keep_best=None,
        on_epoch_end=None,
        seed=None,
        subsets=None,
    ):
        """Trains all members, as `model.fit` would each.

        All members see the same batches, or with `subsets` those of their own
        examples. With `shuffle`, one order is drawn an epoch, for all members;
        without, the batches are those of `model.fit(shuffle=False)`.

        Args:
            x: As for `model.fit`: an array, nested arrays, a
                `tf.data.Dataset` of batches or a `keras.utils.PyDataset`.
            y: The targets.
            batch_size: The size of a mini-batch, 32 by default.
            epochs: The epoch at which to end, so many if `initial_epoch` is 0.
            verbose: 1 prints a line an epoch.
            validation_split: The share of the last examples to validate on.
            validation_data: `(x, y)`, `(x, y, sample_weight)` or a dataset.
            shuffle: Whether arrays are shuffled anew in each epoch.
            class_weight: A dict from class to weight in the loss.
            sample_weight: One weight an example.
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

        Returns:
            A list of one `MemberHistory` for each of the K members.

        Raises:
            CannotVectorize: If the models cannot be trained as one program.
            ValueError: If arguments do not go together.
            MemoryError: If a single member does not fit.
        """
        start = time.perf_counter()
        inside = outside = None
        if subsets is not None:
            if validation_split or validation_data is not None:
                raise ValueError(
                    "`subsets` of Population.fit say what to validate on. "
                    "Leave `validation_data` and `validation_split` out."
                )
            inside, outside = data_module.check_subsets(subsets, self._size, x)
            with self._on_device():
                # Once, for training and for validation.
                x, y, sample_weight = validation_data = data_module.on_device(
                    (x, y, sample_weight)
                )
        elif validation_split:
            train, held_out = data_module.split(
                x, y, sample_weight, validation_split
            )
            (x, y, sample_weight) = train
            validation_data = validation_data or held_out
        with self._on_device():
            training = data_module.read(
                x, y, sample_weight, class_weight, batch_size, inside
            )
            first = training()
            self._build(first[0].head())
            any_size = self._member.any_batches_will_do
            validation = data_module.read_validation(
                validation_data,
                validation_batch_size or batch_size,
                _EVALUATED_AT_ONCE // self._size if any_size else 1,
                outside,
            )
            self._epochs.plan(
                epochs - initial_epoch, first, validation, self._fill
            )
            self._record = TrainingLog(
                self._template,
                self._size,
                epochs,
                keep_best,
                early_stopping,
                validation is not None,
            )
            orders = data_module.orders(shuffle, seed)
            for epoch in range(initial_epoch, epochs):
                if not len(self.training):
                    break
                # A dataset's batches are not kept from epoch to epoch.
                batches, first = first or training(), None
                logs = self._epoch(epoch, batches, orders(batches), validation)
                if verbose:
                    print_epoch(epoch, epochs, logs, self._size)
                if on_epoch_end is not None:
                    on_epoch_end(self, epoch, logs)
                self._record.note_stopped(epoch, self._stopped())
            self._finish()
        self.seconds += time.perf_counter() - start
        return self._record.histories

    def evaluate(self, x, y=None, batch_size=None, sample_weight=None):
        """Returns the metrics of each member, a list of K dicts."""
        with self._on_device():
            batches = data_module.read(x, y, sample_weight, None, batch_size)()
            self._build(batches[0].head())
            self._fill()
            arrays = self._state.everyone(best=False)
            logs = self._epochs.evaluate(arrays, batches)[1]
        logs = {n: ops.convert_to_numpy(logs[n]) for n in sorted(logs)}
        return [
            {n: python_value(values[k]) for n, values in logs.items()}
            for k in range(self._size)
        ]

    def predict(self, x, batch_size=256, best=False):
        """Returns the outputs of all members, arrays of shape `(K, m, ...)`.

        Args:
            x: The inputs, as for `model.predict`.
            batch_size: How many examples are computed at once.
            best: Whether with the weights of each member's best epoch, if
                `fit` was told to `keep_best`.
        """
        with self._on_device():
            self._need_built()
            arrays = self._state.everyone(best)
            outputs = [
                keras.tree.map_structure(
                    np.asarray, self._engine.predict(arrays, part)
                )
                for part in data_module.parts(x, batch_size)
            ]
        return keras.tree.map_structure(
            lambda *some: np.concatenate(some, axis=1), *outputs
        )

    def ensemble_predict(self, x, batch_size=256, weights=None, best=False):
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

        def mean(out):
            # A member without weight may be NaN, which times 0 is NaN.
            counted = np.flatnonzero(weights)
            return np.average(out[counted], 0, weights[counted])

        return keras.tree.map_structure(mean, outputs)

    def values(self, k, best=False):
        """Returns the variables' values of member `k`, a list of arrays.

        They are those of the model's `trainable_variables`, of its
        `non_trainable_variables`, and of its optimizer's `variables`.
        """
        self._need_built()
        values = self._state.values(self._index(k), best)
        if self._crops is None:
            return values
        return [
            values[i][np.ix_(*masks)] if masks else values[i]
            for i, masks in self._crops[k]
        ]

    def assign_to(self, k, model, best=False):
        """Gives a model the variables of member `k`, the optimizer's too.

        Args:
            k: The index of the member.
            model: A model of the population's structure, compiled or not.
            best: Whether those of the best epoch.

        Raises:
            ValueError: If the variables are not of the same shapes.
        """
        assign(self.values(k, best), model)

    def stop(self, members):
        """Ends the training of members. They keep their present weights."""
        for k in members:
            self._done[self._index(k)] = True

    def keep(self, members):
        """Ends the training of all others, and takes them from the arrays.

        A smaller population trains faster. What the others have learned stays
        at hand for `assign_to` and `predict`.
        """
        self._need_built()
        members = [self._index(k) for k in members]
        stays = np.isin(self._state.rows, members)
        if not stays.any():
            raise ValueError("At least one member must be kept.")
        self._done[self._state.rows[~stays]] = True
        rows = np.flatnonzero(stays)
        self._state.keep(rows)
        if self._record is not None:
            self._record.take(rows)

    # Set-up

    def _need_built(self):
        if self._state is None or self._state.arrays is None:
            raise ValueError("The population has no variables before `fit`.")

    def _on_device(self):
        if self._device is None:
            return contextlib.nullcontext()
        return keras.device(self._device)

    def _build(self, head):
        """Makes all but the members' values."""
        if self._state is not None:
            return
        for model in self._models or [self._template]:
            checks.check_trains_as_keras_does(model)
            build(model, head)
        if self._models:
            checks.check_same_structure(self._models)
            columns = columns_of(self._models)
            # Longer kept, they would hold K models' memory.
            self._models, self._draw = None, lambda: (columns, None)
        if self._engine is None:
            self._member = Member(self._template)
            self._engine = engine_of(self._member)
        self._state = State(self._member, self._size)
        self._epochs = TrainingLoop(
            self._member,
            self._engine,
            self._state,
            self._jit_compile,
            self._any_batch_size,
        )

    def _fill(self):
        """Gives the members their initial values, if they have none yet."""
        if self._state.arrays is None:
            columns, self._crops = self._draw()
            self._draw = None
            self._state.fill(columns)

    # Training

    def _epoch(self, epoch, batches, orders, validation):
        """Trains an epoch, and returns its metrics, one value a row."""
        state, going = self._state, ~self._done[self._state.rows]
        arrays, logs = self._epochs.run(batches, orders, validation)
        losses = [logs[name] for name in LOSSES if name in logs]
        kept = going & np.all(np.isfinite(losses), axis=0)
        state.update(kept, arrays)
        improved, stops = self._record.note(
            epoch, logs, state.rows, going, kept
        )
        if self._record.keeps_best:
            state.note_best(improved)
        self._diverged[state.rows[going & ~kept]] = True
        self._done[state.rows[(going & ~kept) | stops]] = True
        return logs

    def _stopped(self):
        return np.flatnonzero(self._done & ~self._diverged)

    def _finish(self):
        state = self._state
        if self._member.finishes:
            sound = ~self._diverged[state.rows]
            state.update(sound, self._engine.finish(state.arrays))
        if self._record.restores_best:
            state.restore_best()

    def _index(self, k):
        if not 0 <= k < self._size:
            raise ValueError(
                f"Members are numbered 0 to {self._size - 1}. Received: {k}"
            )
        return int(k)
