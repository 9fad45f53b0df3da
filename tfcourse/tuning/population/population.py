"""Many models of one structure, trained as one program."""

import contextlib
import time

import keras
import numpy as np
from keras import ops

from tfcourse.tuning.population import data as data_module
from tfcourse.tuning.population.member import (
    Member,
    build,
    check_trains_as_keras_does,
)
from tfcourse.tuning.population.progress import MemberHistory, Patience, Watch
from tfcourse.tuning.population.structure import first_difference

# Below so many steps, counted for every member, compiling costs more time than
# it saves.
_STEPS_WORTH_COMPILING = 4000
# XLA's convolutions on CPUs are no faster than plain ones, which are written
# out member by member up to this number.
_LARGEST_CONVOLVED_PLAINLY = 128


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
        _check(models)
        self._set_up(models[0], len(models), jit_compile, device)
        self._models = models

    @classmethod
    def from_columns(
        cls,
        template,
        columns,
        crops=None,
        jit_compile="auto",
        device=None,
        like=None,
    ):
        """Makes a population of one model and the initial values of many.

        Args:
            template: A compiled and built model. It is not changed.
            columns: A list of arrays `(K, ...)`, the values of the template's
                `trainable_variables`, `non_trainable_variables` and of the
                `variables` of its built optimizer, in that order; see
                `drafts.initial_values`.
            crops: Where a member's variables lie in the columns, if they are
                smaller: for each member a list of tuples of boolean masks, see
                `tfcourse.tuning.widths`.
            jit_compile: As for `Population`.
            device: As for `Population`.
            like: A population of the same template that has been trained. What
                was traced for it is used again, if it has as many members, be
                it with another batch size.
        """
        self = cls.__new__(cls)
        self._set_up(template, len(columns[0]), jit_compile, device)
        self._columns, self._crops, self._like = columns, crops, like
        return self

    def _set_up(self, template, size, jit_compile, device):
        if jit_compile not in (True, False, "auto"):
            raise ValueError(
                "`jit_compile` of Population must be True, False or 'auto'. "
                f"Received: jit_compile={jit_compile!r}"
            )
        self._template = template
        self._crops = self._like = None
        self._jit_compile = jit_compile
        self._device = device
        self._models = self._columns = self._engine = None
        self._size = size
        self._rows = np.arange(size)
        self._done = np.zeros(size, bool)
        self._parked, self._parked_best = {}, {}
        self._best = None
        self._pieces = 1
        self.seconds = 0.0

    def __len__(self):
        return self._size

    @property
    def members(self):
        """The indices of the members that are still in the arrays."""
        return self._rows.copy()

    @property
    def training(self):
        """The indices of the members that `fit` would go on training."""
        return self._rows[~self._done[self._rows]]

    @property
    def report(self):
        """What was done, as a dict.

        `how` is `"vectorised"` or, if some operations went one member after
        another, `"vectorised with a loop"`; `one_by_one` names these; `xla`
        tells whether XLA compiled the step; `remarks` is a list of sentences;
        `pieces` is in how many parts an epoch was run, more than one if
        memory did not suffice; `seconds` were spent in `fit`.
        """
        looped = sorted(self._engine.one_by_one) if self._engine else []
        return {
            "how": "vectorised with a loop" if looped else "vectorised",
            "one_by_one": looped,
            "xla": bool(self._engine and self._engine.xla),
            "remarks": list(self._engine.remarks) if self._engine else [],
            "pieces": self._pieces,
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
    ):
        """Trains all members, as `model.fit` would each.

        All members see the same batches. With `shuffle`, one order is drawn an
        epoch; without, the batches are those of `model.fit(shuffle=False)`.

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

        Returns:
            A list of one `MemberHistory` for each of the K members.

        Raises:
            CannotVectorize: If the models cannot be trained as one program.
            ValueError: If arguments do not go together.
            MemoryError: If a single member does not fit.
        """
        start = time.perf_counter()
        if validation_split:
            train, held_out = data_module.split(
                x, y, sample_weight, validation_split
            )
            (x, y, sample_weight) = train
            validation_data = validation_data or held_out
        with self._on_device():
            training = data_module.read(
                x, y, sample_weight, class_weight, batch_size
            )
            first = training()
            self._build(first[0], epochs - initial_epoch, first)
            validation = self._validation(
                validation_data, validation_batch_size or batch_size
            )
            histories = [MemberHistory() for _ in range(self._size)]
            watch, patience = self._watches(
                keep_best, early_stopping, validation_data is not None
            )
            order = np.random.default_rng(
                np.random.randint(2**31) if seed is None else seed
            )
            for epoch in range(initial_epoch, epochs):
                if not len(self.training):
                    break
                batches = first or training()
                first = None
                logs = self._epoch(batches, validation, shuffle, order)
                self._note(epoch, epochs, logs, histories, watch, patience)
                if verbose:
                    _print(epoch, epochs, logs, self._size)
                if on_epoch_end is not None:
                    on_epoch_end(self, epoch, self._of_rows(logs))
                    self._mark_stopped(epoch, epochs, histories)
            self._finish(patience)
        self.seconds += time.perf_counter() - start
        return histories

    def evaluate(self, x, y=None, batch_size=None, sample_weight=None):
        """Returns the metrics of each member, a list of K dicts."""
        with self._on_device():
            read = data_module.read(x, y, sample_weight, None, batch_size)
            batches = read()
            self._build(batches[0], 0, batches)
            logs = self._evaluate(self._state, batches)[1]
        return self._as_list(logs)

    def predict(self, x, batch_size=256, best=False):
        """Returns the outputs of all members, arrays of shape `(K, m, ...)`.

        Args:
            x: The inputs, as for `model.predict`.
            batch_size: How many examples are computed at once.
            best: Whether with the weights of each member's best epoch, if
                `fit` was told to `keep_best`.
        """
        with self._on_device():
            x = data_module.on_device(x)
            leaf = keras.tree.flatten(x)[0]
            self._need_built()
            outputs = []
            for start in range(0, len(leaf), batch_size):
                part = keras.tree.map_structure(
                    lambda a, s=start: a[s : s + batch_size], x
                )
                out = self._predict_batch(part, best)
                outputs.append(keras.tree.map_structure(np.asarray, out))
        return keras.tree.map_structure(
            lambda *parts: np.concatenate(parts, axis=1), *outputs
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

    @property
    def diverged(self):
        """Which members' loss has ceased to be finite."""
        return getattr(self, "_diverged", np.zeros(self._size, bool)).copy()

    def values(self, k, best=False):
        """Returns the variables' values of member `k`, a list of arrays.

        They are those of the model's `trainable_variables`, of its
        `non_trainable_variables`, and of its optimizer's `variables`.
        """
        values = self._whole(self._index(k), best)
        if self._crops is None:
            return values
        return [
            value[np.ix_(*masks)] if masks else value
            for value, masks in zip(values, self._crops[k], strict=True)
        ]

    def _whole(self, k, best):
        """Returns the values of a member as they stand in the arrays."""
        self._need_built()
        if best and self._best is None and not self._parked_best:
            raise ValueError(
                "The best weights were not kept. Call `fit` with `keep_best`, "
                "e.g. keep_best='val_loss'."
            )
        parked = self._parked_best if best else self._parked
        if k in parked:
            return parked[k]
        row = int(np.flatnonzero(self._rows == k)[0])
        stacked = self._best if best else self._state[: self._member.saved]
        return [ops.convert_to_numpy(value[row]) for value in stacked]

    def assign_to(self, k, model, best=False):
        """Gives a model the variables of member `k`, the optimizer's too.

        Args:
            k: The index of the member.
            model: A model of the population's structure, compiled or not.
            best: Whether those of the best epoch.

        Raises:
            ValueError: If the variables are not of the same shapes.
        """
        values = self.values(k, best)
        variables = [*model.trainable_variables, *model.non_trainable_variables]
        optimizer = getattr(model, "optimizer", None)
        if optimizer is not None:
            if not optimizer.built:
                optimizer.build(model.trainable_variables)
            variables += optimizer.variables
        shapes = [tuple(v.shape) for v in variables]
        wanted = [tuple(v.shape) for v in values][: len(shapes)]
        if shapes != wanted:
            raise ValueError(
                "The model is not of the population's structure: it has "
                f"variables of shapes {shapes}, the population {wanted}."
            )
        for variable, value in zip(variables, values, strict=False):
            variable.assign(value)

    def stop(self, members):
        """Ends the training of members. They keep their present weights."""
        for k in members:
            self._done[self._index(k)] = True

    def keep(self, members):
        """Ends the training of all others, and takes them from the arrays.

        A smaller population trains faster; the next epoch is traced anew. What
        the others have learned stays at hand for `assign_to` and `predict`.
        """
        self._need_built()
        members = {self._index(k) for k in members}
        rows = np.flatnonzero(np.isin(self._rows, list(members)))
        if not len(rows):
            raise ValueError("At least one member must be kept.")
        for k in self._rows:
            if k not in members:
                if self._best is not None:
                    self._parked_best[k] = self._whole(k, best=True)
                self._parked[k] = self._whole(k, best=False)
                self._done[k] = True
        self._rows = self._rows[rows]
        self._state = _take(self._state, rows)
        if self._best is not None:
            self._best = _take(self._best, rows)
        for tracker in self._trackers:
            tracker.take(rows)

    # Set-up

    def _need_built(self):
        if self._engine is None:
            raise ValueError("The population has no variables before `fit`.")

    def _on_device(self):
        if self._device is None:
            return contextlib.nullcontext()
        return keras.device(self._device)

    def _build(self, batches, epochs, all_batches):
        if self._engine is not None:
            return
        head = batches.head()
        for model in self._models or [self._template]:
            check_trains_as_keras_does(model)
            build(model, head)
        if self._models:
            _check_same_structure(self._models)
        like = self._like
        self._member = like._member if like else Member(self._template)
        columns = self._columns or _columns(self._models)
        metrics = [
            np.stack([value] * self._size)
            for value in self._member.initial_metrics()
        ]
        self._state = [
            ops.convert_to_tensor(column, variable.dtype)
            for column, variable in zip(
                [*columns, *metrics], self._member.variables, strict=True
            )
        ]
        # They would hold K models' memory.
        self._models = self._columns = None
        self._initial_metrics = metrics
        self._diverged = np.zeros(self._size, bool)
        steps = epochs * sum(b.steps for b in all_batches) * self._size
        self._engine = (
            like._engine
            if like
            else _engine(self._member, self._compiles(steps))
        )
        self._trackers = []

    def _compiles(self, steps):
        if self._jit_compile != "auto":
            return self._jit_compile
        layers = self._template._flatten_layers()
        convolves = any("Conv" in type(layer).__name__ for layer in layers)
        if convolves and self._size <= _LARGEST_CONVOLVED_PLAINLY:
            return False
        return steps >= _STEPS_WORTH_COMPILING

    def _validation(self, validation_data, batch_size):
        if validation_data is None:
            return None
        if isinstance(validation_data, (tuple, list)):
            x, y, weight = keras.utils.unpack_x_y_sample_weight(
                tuple(validation_data)
            )
            n = len(keras.tree.flatten(x)[0])
            if weight is None and self._member.any_batches_will_do:
                batch_size = max(batch_size or 32, min(n, 65536 // self._size))
            return data_module.read(x, y, weight, None, batch_size)
        return data_module.read(validation_data)

    def _watches(self, keep_best, early_stopping, validates):
        watch = patience = None
        model = self._template
        if isinstance(early_stopping, int):
            if early_stopping < 0:
                raise ValueError(
                    "`early_stopping` of Population.fit must be a patience of "
                    "at least 0 epochs. Received: "
                    f"early_stopping={early_stopping}"
                )
            early_stopping = keras.callbacks.EarlyStopping(
                "val_loss" if validates else "loss", patience=early_stopping
            )
        if early_stopping is not None:
            patience = Patience(model, early_stopping)
            self._restores = early_stopping.restore_best_weights
            if self._restores and keep_best is None:
                keep_best = early_stopping.monitor, early_stopping.mode
        if keep_best is not None:
            name, mode = (
                (keep_best, "auto") if isinstance(keep_best, str) else keep_best
            )
            watch = Watch(model, name, mode)
        self._trackers = [t for t in (watch, patience) if t is not None]
        return watch, patience

    # One epoch

    def _epoch(self, batches, validation, shuffle, order):
        old = self._state
        orders = [
            order.permutation(len(b))
            if shuffle and len(batches) == 1
            else np.arange(len(b))
            for b in batches
        ]
        while True:
            try:
                new, logs = self._in_pieces(batches, orders, validation)
                break
            except MemoryError:
                if self._pieces >= len(self._rows):
                    raise
                self._pieces = min(2 * self._pieces, len(self._rows))
        logs = {k: ops.convert_to_numpy(v) for k, v in logs.items()}
        going = ~self._done[self._rows]
        bad = going & ~np.all(
            [np.isfinite(logs[n]) for n in ("loss", "val_loss") if n in logs], 0
        )
        self._logs_of_bad = bad
        kept = going & ~bad
        if not kept.all():
            new = _where(kept, new, old)
        self._state = new
        return logs

    def _in_pieces(self, batches, orders, validation):
        outcomes = []
        for rows in np.array_split(np.arange(len(self._rows)), self._pieces):
            state = self._state
            if self._pieces > 1:
                state = _take(state, rows)
            outcomes.append(self._train(state, batches, orders, validation))
        if len(outcomes) == 1:
            return outcomes[0]
        states, logs = zip(*outcomes, strict=True)
        return (
            [ops.concatenate(parts) for parts in zip(*states, strict=True)],
            {n: ops.concatenate([log[n] for log in logs]) for n in logs[0]},
        )

    def _train(self, state, batches, orders, validation):
        state = self._reset(state)
        for b, order in zip(batches, orders, strict=True):
            order = ops.convert_to_tensor(order, "int32")
            state = self._engine.train_epoch(
                state, b.arrays, order, b.batch_size
            )
        logs = self._engine.results(state)
        if validation is not None:
            state, more = self._evaluate(state, validation())
            logs |= {f"val_{name}": value for name, value in more.items()}
        return state, logs

    def _evaluate(self, state, batches):
        state = self._reset(state)
        for b in batches:
            order = ops.arange(len(b), dtype="int32")
            state = self._engine.evaluate(state, b.arrays, order, b.batch_size)
        return state, self._engine.results(state)

    def _reset(self, state):
        size, saved = len(state[0]), self._member.saved
        metrics = [
            ops.convert_to_tensor(v[:size], w.dtype)
            for v, w in zip(
                self._initial_metrics,
                self._member.metric_variables,
                strict=True,
            )
        ]
        return [*state[:saved], *metrics]

    def _predict_batch(self, x, best):
        saved = self._member.saved
        stacked = self._best if best else self._state[:saved]
        if self._parked or best:
            columns = zip(
                *(self._whole(k, best) for k in range(self._size)), strict=True
            )
            stacked = [ops.convert_to_tensor(np.stack(c)) for c in columns]
        metrics = [ops.convert_to_tensor(v) for v in self._initial_metrics]
        return self._engine.predict([*stacked, *metrics], x)

    # After an epoch

    def _note(self, epoch, epochs, logs, histories, watch, patience):
        going = ~self._done[self._rows]
        bad = self._logs_of_bad
        names = sorted(logs)
        for row in np.flatnonzero(going):
            history = histories[self._rows[row]]
            history.add(epoch, {n: _python(logs[n][row]) for n in names})
            if bad[row]:
                history.diverged_epoch = epoch
                history.diverged_value = float(
                    logs["loss"][row]
                    if not np.isfinite(logs["loss"][row])
                    else logs["val_loss"][row]
                )
        kept = going & ~bad
        if watch is not None:
            improved = watch.improved(epoch, logs) & kept
            saved = self._state[: self._member.saved]
            if self._best is None:
                self._best = saved
            else:
                self._best = _where(improved, saved, self._best)
            for row in np.flatnonzero(improved):
                histories[self._rows[row]].best_epoch = epoch
        self._diverged[self._rows[bad]] = True
        self._done[self._rows[bad]] = True
        if patience is not None:
            improved = patience.watch.improved(epoch, logs)
            stops = patience.stops(epoch, logs, improved) & kept
            self._done[self._rows[stops]] = True
            self._mark_stopped(epoch, epochs, histories)

    def _mark_stopped(self, epoch, epochs, histories):
        for k in np.flatnonzero(self._done & ~self._diverged):
            history = histories[k]
            trained = history.epoch and history.stopped_epoch is None
            if trained and epoch + 1 < epochs:
                history.stopped_epoch = epoch

    def _finish(self, patience):
        new = self._engine.finish(self._state)
        self._state = _where(~self._diverged[self._rows], new, self._state)
        if patience is not None and self._restores and self._best is not None:
            model = len(self._member.trainable) + len(self._member.others)
            self._state = [*self._best[:model], *self._state[model:]]

    def _of_rows(self, logs):
        return {name: np.asarray(value) for name, value in logs.items()}

    def _as_list(self, logs):
        logs = {n: ops.convert_to_numpy(v) for n, v in logs.items()}
        return [
            {n: _python(logs[n][row]) for n in sorted(logs)}
            for row in range(len(self._rows))
        ]

    def _index(self, k):
        if not 0 <= k < self._size:
            raise ValueError(
                f"Members are numbered 0 to {self._size - 1}. Received: {k}"
            )
        return int(k)


def _engine(member, xla):
    """Returns the engine for Keras's backend."""
    backend = keras.config.backend()
    if backend == "tensorflow":
        from tfcourse.tuning.population.tensorflow_engine import (
            TensorFlowEngine,
        )

        return TensorFlowEngine(member, xla)
    if backend == "jax":
        from tfcourse.tuning.population.jax_engine import JaxEngine

        return JaxEngine(member)
    raise ValueError(
        "A population needs the TensorFlow or the JAX backend of Keras. "
        f"Received: KERAS_BACKEND={backend}"
    )


def _check(models):
    if not models:
        raise ValueError("A Population needs at least one model.")
    for i, model in enumerate(models):
        if not isinstance(model, keras.Model):
            raise TypeError(
                "A Population is made of `keras.Model`s. Received, at "
                f"{i}: {model!r}"
            )
        if not model.compiled or model.optimizer is None:
            raise ValueError(
                "Each model of a Population must be compiled with an "
                f"optimizer. Model {i} ({model.name}) is not: call "
                "`model.compile(optimizer, loss)`."
            )
    if len({id(model) for model in models}) < len(models):
        raise ValueError("A Population was given the same model twice.")
    if all(model.built for model in models):
        _check_same_structure(models)


def _check_same_structure(models):
    for i, model in enumerate(models[1:], start=1):
        difference = first_difference(models[0], model)
        if difference:
            raise ValueError(
                "The models of a Population must be of one structure. Model "
                f"{i} differs from model 0: {difference}"
            )


def _columns(models):
    rows = []
    for model in models:
        if not model.optimizer.built:
            model.optimizer.build(model.trainable_variables)
        rows.append(
            [
                *model.trainable_variables,
                *model.non_trainable_variables,
                *model.optimizer.variables,
            ]
        )
    return [
        np.stack([ops.convert_to_numpy(v) for v in column])
        for column in zip(*rows, strict=True)
    ]


def _take(stacked, rows):
    return [ops.take(value, rows, axis=0) for value in stacked]


def _where(rows, new, old):
    def choose(a, b):
        if a is b:
            return a
        mask = rows.reshape([-1] + [1] * (a.ndim - 1))
        return ops.where(mask, a, b)

    return [choose(a, b) for a, b in zip(new, old, strict=True)]


def _python(value):
    return float(value) if np.ndim(value) == 0 else np.asarray(value)


def _print(epoch, epochs, logs, size):
    numbers = ", ".join(
        f"{name} {np.nanmin(v):.4g} to {np.nanmax(v):.4g}"
        for name, v in sorted(logs.items())
        if np.ndim(v) == 1 and np.isfinite(v).any()
    )
    print(f"Epoch {epoch + 1}/{epochs} of {size} members: {numbers}")
