"""A network with batch normalization and softmax, as a TensorFlow 1 graph."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import tensorflow as tf

v1 = tf.compat.v1

ACTIVATIONS = {"relu": tf.nn.relu, "tanh": tf.nn.tanh}


class Network(NamedTuple):
    """The nodes of the graph that are fed and fetched."""

    x: tf.Tensor
    training: tf.Tensor
    keep_prob: tf.Tensor
    logits: tf.Tensor
    kernels: list[tf.Variable]
    variables: list[tf.Variable]


def softmax_network(
    shape: tuple[int, ...],
    units: tuple[int, ...],
    classes: int,
    *,
    activation: str,
    momentum: float,
    epsilon: float,
    seed: int,
) -> Network:
    r"""Writes the network into the present graph.

    Each hidden layer is $a = g(\mathrm{BN}(W a_{prev}))$ with dropout after it;
    it has no bias, which batch normalization would take away again. The logits
    are $W a + b$.

    Args:
        shape: Of one example.
        units: Of the hidden layers.
        classes: How many.
        activation: A key of `ACTIVATIONS`.
        momentum, epsilon: As in `batch_normalization`.
        seed: Of the initial weights and of dropout.
    """
    x = v1.placeholder(tf.float32, [None, *shape], name="features")
    training = v1.placeholder_with_default(False, [], name="training")
    keep_prob = v1.placeholder_with_default(1.0, [], name="keep_prob")
    step = v1.train.get_or_create_global_step()
    before = set(v1.global_variables())
    kernels = []

    def linear(a, n, scale):
        # Numbers of one seed would be the same numbers in each layer.
        layer_seed = seed + len(kernels)
        kernels.append(_kernel(a.shape[-1], n, scale, layer_seed))
        return tf.matmul(a, kernels[-1])

    a = tf.reshape(x, [-1, tf.TensorShape(shape).num_elements()])
    for i, n in enumerate(units):
        with v1.variable_scope(f"layer_{i + 1}"):
            # He's variance is for the half that ReLU lets through.
            z = linear(a, n, scale=2.0 if activation == "relu" else 1.0)
            z = batch_normalization(z, training, momentum, epsilon)
            a = ACTIVATIONS[activation](z)
            a = inverted_dropout(a, keep_prob, (seed + i, step))
    with v1.variable_scope("output"):
        logits = linear(a, classes, scale=1.0)
        logits += _variable("bias", [classes], tf.zeros_initializer())
    variables = [v for v in v1.global_variables() if v not in before]
    return Network(x, training, keep_prob, logits, kernels, variables)


def batch_normalization(
    z: tf.Tensor, training: tf.Tensor, momentum: float, epsilon: float
) -> tf.Tensor:
    r"""Returns $\gamma (z - \mu) / \sqrt{\sigma^2 + \varepsilon} + \beta$.

    With `training`, $\mu$ and $\sigma^2$ are those of the batch; else they are
    weighted averages, with bias correction, of those of all batches so far, as
    in `tfcourse.layers.BatchNormalization`. The operations that update them are
    in the graph's collection `UPDATE_OPS`.

    Args:
        z: Shape `(m, n)`.
        training: A scalar tensor, boolean.
        momentum: $\rho$, share of the averages kept at each batch, in [0, 1).
        epsilon: $\varepsilon > 0$.
    """
    n = [z.shape[-1]]
    gamma = _variable("gamma", n, tf.ones_initializer())
    beta = _variable("beta", n, tf.zeros_initializer())
    batch = tf.nn.moments(z, axes=[0])
    averages = [
        _variable("moving_mean", n, tf.zeros_initializer(), trainable=False),
        _variable("moving_variance", n, tf.ones_initializer(), trainable=False),
    ]
    weight = _variable(
        "moving_weight", n, tf.zeros_initializer(), trainable=False
    )
    # The weight is 1 - momentum**t after t batches: it corrects the bias.
    new_weight = momentum * weight + (1 - momentum)
    share = (1 - momentum) / new_weight
    updates = [v1.assign(weight, new_weight)]
    for average, statistic in zip(averages, batch, strict=True):
        new = (1 - share) * average + share * statistic
        updates.append(v1.assign(average, new))
    for update in updates:
        v1.add_to_collection(v1.GraphKeys.UPDATE_OPS, update)
    mean, variance = tf.cond(
        training,
        lambda: tuple(batch),
        lambda: tuple(map(tf.convert_to_tensor, averages)),
    )
    return tf.nn.batch_normalization(z, mean, variance, beta, gamma, epsilon)


def inverted_dropout(
    a: tf.Tensor, keep_prob: tf.Tensor, seed: Sequence[Any]
) -> tf.Tensor:
    """Returns `a * d / keep_prob`, with `d` 1 by that probability, else 0.

    The numbers follow from `seed`, two integers of which one may be the global
    step: training that goes on from a checkpoint draws what it would have.
    """
    seed = [tf.cast(part, tf.int64) for part in seed]
    kept = keep_prob > tf.random.stateless_uniform(tf.shape(a), seed)
    return tf.where(kept, a / keep_prob, tf.zeros_like(a))


def _kernel(n_in, n_out, scale, seed):
    initializer = v1.variance_scaling_initializer(
        scale, mode="fan_in", distribution="untruncated_normal", seed=seed
    )
    return _variable("kernel", [n_in, n_out], initializer)


def _variable(name, shape, initializer, trainable=True):
    return v1.get_variable(
        name,
        shape,
        tf.float32,
        initializer,
        trainable=trainable,
        use_resource=True,
    )
