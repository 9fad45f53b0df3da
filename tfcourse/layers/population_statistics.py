"""The exact mean and variance that batch normalization stands in for."""

import contextlib
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import keras
import numpy as np
from keras import ops

from tfcourse.data.adapters import InputBatches
from tfcourse.layers.batch_normalization import is_batch_norm
from tfcourse.layers.graph_sweep import GraphSweep, NotAGraph
from tfcourse.utils.keras_private import every_layer


def estimate_population_statistics(
    model: keras.Model,
    data: Any,
    batch_size: int = 256,
    layers: Sequence[keras.layers.Layer] | None = None,
    unbiased: bool = False,
    verbose: int = 1,
) -> dict[keras.layers.Layer, tuple[np.ndarray, np.ndarray]]:
    r"""Sets the averages of all batch-norm layers to those of the training set.

    Over all values $z$ of a feature in the training set, of $m$ examples,

    $$\mu = \frac{1}{m} \sum z, \qquad
      \sigma^2 = \frac{1}{m} \sum (z - \mu)^2,$$

    become $\bar\mu$ and $\bar\sigma^2$ of each
    `tfcourse.layers.BatchNormalization` and `keras.layers.BatchNormalization`,
    where training leaves weighted averages over the last mini-batches. The
    values are those at inference, dropout off, and a layer sees inputs that the
    layers before it have normalized with their own exact statistics: the
    result is that of one training step on the whole set as one batch, but needs
    the memory of one mini-batch. It does not depend on `batch_size`. Sums are
    in float64, and batches are combined by their means and squared deviations,
    so that a large common offset does no harm.

    A functional or sequential model, nested ones included, is swept once: each
    example passes once through each layer, and values that wait for the
    statistics of the whole set are held in memory up to 1 GiB, and in a
    temporary file beyond that. Any other model is run once for each batch-norm
    layer, in the order in which it calls them; then `data` must give the same
    batches each time.

    Args:
        model: A Keras model.
        data: The inputs of the training set: an array, a list or dict of arrays
            for a model of several inputs, or batches: a `tf.data.Dataset`, a
            `keras.utils.PyDataset`, or any iterable of them. Of a tuple
            `(x, y)` or `(x, y, weight)` only `x` is used.
        batch_size: Number of examples at once, if `data` are arrays.
        layers: The batch-norm layers to set. By default all in the model,
            including frozen ones; name the ones to set if a frozen part was
            trained with the averages it has.
        unbiased: Whether to divide $\sigma^2$ by $m - 1$. Ioffe and Szegedy
            average the unbiased variances of mini-batches; for the whole set,
            the plain variance is what the layer uses in training.
        verbose: 1 shows a progress bar, 0 nothing.

    Returns:
        A dict from each layer to its mean and variance, arrays of float64.

    Raises:
        TypeError: If `model` or `data` is none of these.
        ValueError: If the model has no batch-norm layer or one that depends on
            its own output, if `data` are empty or endless, or if they cannot be
            read again where that is needed. The model is then as it was before.

    Example:

    >>> model = keras.Sequential([keras.Input((1,)), BatchNormalization()])
    >>> x = np.array([[1.0], [2.0], [6.0]])
    >>> _ = estimate_population_statistics(model, x, batch_size=2, verbose=0)
    >>> np.asarray(model.layers[0].moving_mean).tolist()
    [3.0]

    Reference:
        Ioffe and Szegedy (2015), Algorithm 2,
        https://arxiv.org/abs/1502.03167. Batches are combined as in Chan,
        Golub and LeVeque (1983), equation 2.1.
    """
    if not isinstance(model, keras.Model):
        raise TypeError(
            "`model` of estimate_population_statistics must be a Keras model. "
            f"Received: {model!r}"
        )
    data = InputBatches(data, batch_size)
    if not model.built:
        model(data.first(), training=False)
    targets = _targets(model, layers)
    result = {}
    with contextlib.ExitStack() as stack:
        stack.enter_context(_unchanged_on_error(targets))
        try:
            rounds = GraphSweep(model, targets, data)
        except NotAGraph:
            rounds = _Reruns(model, targets, data)
        stack.callback(rounds.close)
        progress = _Progress(len(rounds.order), data.length, verbose)
        for layers_of_round in rounds.order:
            moments = {layer: _Moments() for layer in layers_of_round}
            with _observed(layers_of_round, _adding_to(moments)):
                progress.run(rounds.batches())
            for layer in layers_of_round:
                result[layer] = moments[layer].result(layer, unbiased)
                _assign(layer, *result[layer])
    return result


class _Reruns:
    """Runs of the whole model, one for each layer in the order of its calls."""

    def __init__(
        self,
        model: keras.Model,
        layers: Sequence[keras.layers.Layer] | None,
        data: Any,
    ) -> None:
        self._model, self._data = model, data
        calls = self._calls(layers)
        self.order = [[layer] for layer in calls]
        for layer, inputs in calls.items():
            if len(inputs) > 1:
                self._check_not_circular(layer, inputs)

    def _calls(self, layers):
        """Returns the inputs of each call, by layer, for the first batch."""
        calls = {}

        def note(layer, inputs, mask):
            calls.setdefault(layer, []).append(_to_array(inputs, layer))

        with _observed(layers, note):
            self._model(self._data.first(), training=False)
        return calls

    def _check_not_circular(self, layer, inputs):
        state = [
            ops.convert_to_numpy(variable) for variable in _statistics_of(layer)
        ]
        _assign(layer, state[0] + 1, 4 * state[1] + 1)
        others = self._calls([layer])[layer]
        for variable, value in zip(_statistics_of(layer), state, strict=True):
            variable.assign(value)
        if not all(map(np.array_equal, inputs, others)):
            raise ValueError(
                f"{layer.path} is called on its own output, so its inputs "
                "have no statistics until it has been set. Use a separate "
                "layer for each place."
            )

    def batches(self) -> Iterator[None]:
        for x in self._data:
            self._model(x, training=False)
            yield

    def close(self) -> None:
        pass


class _Moments:
    """Number, mean and summed squared deviations of all values so far."""

    def __init__(self) -> None:
        self.count, self.mean, self.squares = 0, 0.0, 0.0

    def add(self, x: Any, mask: Any = None) -> None:
        """Adds an array of values by features, those where `mask` is true."""
        if mask is None:
            count, n = len(x), max(len(x), 1)
            mean = x.sum(axis=0) / n
            squares = np.square(x - mean).sum(axis=0)
        else:
            count = mask.sum(axis=0)
            n = np.maximum(count, 1)
            mean = np.where(mask, x, 0).sum(axis=0) / n
            squares = np.where(mask, np.square(x - mean), 0).sum(axis=0)
        difference = mean - self.mean
        share = count / np.maximum(self.count + count, 1)
        self.mean = self.mean + share * difference
        self.squares = (
            self.squares + squares + share * self.count * difference**2
        )
        self.count = self.count + count

    def result(
        self, layer: keras.layers.Layer, unbiased: bool
    ) -> tuple[np.ndarray, np.ndarray]:
        least = 2 if unbiased else 1
        if np.min(self.count) < least:
            raise ValueError(
                f"The data have {np.min(self.count)} values for a feature of "
                f"{layer.path}, whose statistics need {least} or more."
            )
        variance = self.squares / (self.count - (1 if unbiased else 0))
        if not np.all(np.isfinite(self.mean) & np.isfinite(variance)):
            raise ValueError(
                f"The inputs of {layer.path} are not all finite. Look for NaN "
                "or infinity in the data and the weights."
            )
        return self.mean, variance


def _adding_to(moments):
    """Returns a function that adds the inputs of a layer to its moments."""

    def add(layer, inputs, mask):
        x = _to_array(inputs, layer).astype("float64")

        def by_features(array):
            array = np.moveaxis(array, layer.axis, -1)
            return array.reshape(-1, array.shape[-1])

        if mask is not None:
            mask = _to_array(mask, layer).astype(bool)[..., None]
            mask = by_features(np.broadcast_to(mask, x.shape))
        moments[layer].add(by_features(x), mask)

    return add


@contextlib.contextmanager
def _observed(layers, on_call):
    """Calls `on_call(layer, inputs, mask)` at each call of one of `layers`."""

    def observed(layer, call):
        def wrapper(inputs, training=None, mask=None):
            on_call(layer, inputs, mask)
            return call(inputs, training=training, mask=mask)

        return wrapper

    for layer in layers:
        # Not tracked by Keras, and gone with `__delattr__`.
        object.__setattr__(layer, "call", observed(layer, layer.call))
    try:
        yield
    finally:
        for layer in layers:
            object.__delattr__(layer, "call")


@contextlib.contextmanager
def _unchanged_on_error(layers):
    before = [
        (variable, _copied(variable))
        for layer in layers
        for variable in _statistics_of(layer)
    ]
    try:
        yield
    except BaseException:
        for variable, value in before:
            variable.assign(value)
        raise


def _statistics_of(layer):
    names = ["moving_mean", "moving_variance", "moving_weight", "moving_stddev"]
    variables = [getattr(layer, name, None) for name in names]
    return [variable for variable in variables if variable is not None]


def _copied(variable):
    return np.asarray(variable).copy()


def _assign(layer, mean, variance):
    layer.moving_mean.assign(mean)
    layer.moving_variance.assign(variance)
    if hasattr(layer, "moving_weight"):
        # As after endless batches: the next one has its usual share.
        layer.moving_weight.assign(np.ones_like(mean))
    if hasattr(layer, "moving_stddev"):
        # Keras's batch renormalization derives the variance from it.
        layer.moving_stddev.assign(np.sqrt(variance + layer.epsilon))


def _targets(model, layers):
    found = list(dict.fromkeys(filter(is_batch_norm, every_layer(model))))
    if layers is None:
        layers = found
    strangers = [layer for layer in layers if layer not in found]
    if strangers:
        raise ValueError(
            "`layers` must be batch-normalization layers of the model. "
            f"Received: {strangers}"
        )
    if not layers:
        raise ValueError(
            f"{model.name} has no batch-normalization layer to set."
        )
    return list(layers)


def _to_array(tensor, layer):
    try:
        return ops.convert_to_numpy(tensor)
    except (NotImplementedError, TypeError) as error:
        raise ValueError(
            f"{layer.path} is called inside a compiled function or a layer "
            "that maps over steps, where the values of its inputs cannot be "
            "seen."
        ) from error


class _Progress:
    """A bar over the batches of all rounds, known after the first round."""

    def __init__(self, rounds: int, length: int | None, verbose: int) -> None:
        self._rounds, self._seen = rounds, 0
        self._bar = keras.utils.Progbar(
            None if length is None else rounds * length,
            verbose=verbose,
            unit_name="batch",
        )

    def run(self, batches: Iterable[None]) -> None:
        """Runs one round."""
        for _ in batches:
            self._seen += 1
            self._bar.update(self._seen)
        if self._bar.target is None:
            self._bar.target = self._rounds * self._seen
            if self._rounds == 1:
                self._bar.update(self._seen, finalize=True)
