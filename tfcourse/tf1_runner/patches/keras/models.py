"""Methods and arguments that models had in Keras 1, and until Keras 2.3."""

import functools
import itertools

import numpy as np
from tf_keras.api._v1 import keras
from tf_keras.src.engine import functional, sequential, training, training_v1
from tf_keras.src.utils import losses_utils

from tfcourse.tf1_runner.shims.keras.merging import Merge

_WORKERS = {
    "max_q_size": "max_queue_size",
    "nb_worker": "workers",
    "pickle_safe": "use_multiprocessing",
}


def apply() -> None:
    """Puts them back."""
    for model in (training.Model, functional.Functional):
        model.__init__ = _taking_input_and_output(model.__init__)
    training.Model.__new__ = _taking_input_and_output(training.Model.__new__)
    for model in (training.Model, training_v1.Model):
        model.compile = _without_class_mode(model.compile)
        model.fit = _fit(model.fit)
        model.evaluate = _evaluate(model.evaluate)
        model.fit_generator = _fit_generator(model.fit_generator)
        model.evaluate_generator = _by_samples(model.evaluate_generator)
        model.predict_generator = _by_samples(model.predict_generator)
    training_v1.Model._prepare_total_loss = _of_weights_that_count(
        training_v1.Model._prepare_total_loss
    )
    training_v1.Model.targets = _Targets()
    sequential.Sequential.predict_classes = _predict_classes
    sequential.Sequential.predict_proba = _predict_proba
    sequential.Sequential.add = _adding_merges(sequential.Sequential.add)


def _taking_input_and_output(make):
    """`Model(input=x, output=y)`."""

    @functools.wraps(make)
    def call(self, *args, **kwargs):
        for old in {"input", "output"} & {*kwargs}:
            kwargs[f"{old}s"] = kwargs.pop(old)
        return make(self, *args, **kwargs)

    return call


def _without_class_mode(compile_):
    @functools.wraps(compile_)
    def call(self, *args, class_mode=None, **kwargs):
        args = [_named(arg) for arg in args]
        kwargs = {key: _named(value) for key, value in kwargs.items()}
        return compile_(self, *args, **kwargs)

    return call


def _named(value):
    """Gives a lambda a name that a graph may have; also within a list."""
    if isinstance(value, list):
        return [_named(inner) for inner in value]
    if getattr(value, "__name__", "") == "<lambda>":
        value.__name__ = "lambda"
    return value


def _fit(fit):
    """`fit(nb_epoch=, show_accuracy=)`; callbacks see the data for validation.

    They were a list of inputs, outputs and weights.
    """

    @functools.wraps(fit)
    def call(self, *args, show_accuracy=False, **kwargs):
        _show_accuracy(self, show_accuracy)
        if "nb_epoch" in kwargs:
            kwargs["epochs"] = kwargs.pop("nb_epoch")
        data = _validation_data(args, kwargs)
        for callback in kwargs.get("callbacks") or ():
            callback.validation_data = data
        return fit(self, *args, **kwargs)

    return call


def _validation_data(args, kwargs):
    given = kwargs.get("validation_data")
    share = kwargs.get("validation_split")
    given_x = [kwargs.get("x"), kwargs.get("y"), *args][-2:]
    if given is None and share and all(_is_array(part) for part in given_x):
        first = int(len(given_x[0]) * (1 - share))
        given = [part[first:] for part in given_x]
    if not isinstance(given, list | tuple) or len(given) < 2:
        return None
    parts = [
        part
        for some in given[:2]
        for part in (some if isinstance(some, list | tuple) else [some])
    ]
    return [*parts, np.ones(len(parts[0]))]


def _is_array(value):
    return isinstance(value, np.ndarray)


def _evaluate(evaluate):
    @functools.wraps(evaluate)
    def call(self, *args, show_accuracy=False, **kwargs):
        _show_accuracy(self, show_accuracy)
        return evaluate(self, *args, **kwargs)

    return call


def _show_accuracy(model, wanted):
    """Measures it, as was asked for when training before Keras 1.0."""
    if wanted and "acc" not in model.metrics_names:
        model.compile(model.optimizer, model.loss, metrics=["accuracy"])


def _fit_generator(fit_generator):
    """`fit_generator(g, samples_per_epoch, nb_epoch)` counted examples."""

    @functools.wraps(fit_generator)
    def call(self, generator, *args, **kwargs):
        kwargs = {_WORKERS.get(k, k): v for k, v in kwargs.items()}
        if "nb_epoch" in kwargs:
            kwargs["epochs"] = kwargs.pop("nb_epoch")
        kwargs.pop("show_accuracy", None)
        if "samples_per_epoch" in kwargs:
            generator, steps = _steps(
                generator, kwargs.pop("samples_per_epoch")
            )
            kwargs["steps_per_epoch"] = steps
        if "nb_val_samples" in kwargs:
            kwargs["validation_data"], kwargs["validation_steps"] = _steps(
                kwargs["validation_data"], kwargs.pop("nb_val_samples")
            )
        return fit_generator(self, generator, *args, **kwargs)

    return call


def _by_samples(function):
    """`evaluate_generator(g, val_samples)` counted examples."""

    @functools.wraps(function)
    def call(self, generator, *args, val_samples=None, **kwargs):
        kwargs = {_WORKERS.get(k, k): v for k, v in kwargs.items()}
        if val_samples is not None:
            generator, kwargs["steps"] = _steps(generator, val_samples)
        return function(self, generator, *args, **kwargs)

    return call


def _steps(generator, samples):
    """Returns a generator, and the batches in which it yields so many."""
    size = getattr(generator, "batch_size", None)
    if size is None and hasattr(generator, "__next__"):
        first = next(generator)
        size = _length(first)
        generator = itertools.chain([first], generator)
        # Keras asks whether it is a generator.
        generator = (batch for batch in generator)
    return generator, int(np.ceil(samples / (size or 1)))


def _length(batch):
    while isinstance(batch, dict | list | tuple):
        batch = next(iter(batch.values() if isinstance(batch, dict) else batch))
    return len(batch)


def _of_weights_that_count(prepare):
    """A loss was the sum over examples, by those whose weight is not 0."""

    @functools.wraps(prepare)
    def call(self, masks):
        apply_mask = losses_utils.apply_valid_mask

        def of_those(losses, weights, mask, reduction):
            if weights is not None and weights is not mask:
                counts = keras.backend.not_equal(weights, 0)
                weights /= keras.backend.mean(counts)
            return apply_mask(losses, weights, mask, reduction)

        losses_utils.apply_valid_mask = of_those
        try:
            return prepare(self, masks)
        finally:
            losses_utils.apply_valid_mask = apply_mask

    return call


class _Targets:
    """The placeholders of labels, unless a model has targets of its own."""

    def __get__(self, model, kind=None):
        return self if model is None else model._targets


def _predict_classes(self, x, batch_size=32, verbose=0):
    """Returns the likeliest class, or whether the only output is over half."""
    outputs = self.predict(x, batch_size=batch_size, verbose=verbose)
    if outputs.shape[-1] > 1:
        return outputs.argmax(axis=-1)
    return (outputs > 0.5).astype("int32")


def _predict_proba(self, x, batch_size=32, verbose=0):
    return self.predict(x, batch_size=batch_size, verbose=verbose)


def _adding_merges(add):
    """`model.add(Merge([left, right]))`: a model that begins as several."""

    @functools.wraps(add)
    def call(self, layer):
        if not isinstance(layer, Merge):
            return add(self, layer)
        self.inputs, output = layer.inputs_and_output()
        self.outputs = [output]
        self.built = self._has_explicit_input_shape = True
        self._init_graph_network(self.inputs, self.outputs)
        self._graph_initialized = True
        return None

    return call
