"""Lint: the mistakes that the course warns of, found in a model."""

import functools

import keras

from tfcourse.diagnostics.findings import (
    Finding,
    LintReport,
    small_last_batch,
)
from tfcourse.diagnostics.model_graph import (
    activation,
    does_nothing,
    hidden_layers,
    is_batch_norm,
    is_dropout,
    is_linear,
    layer_graph,
    only_reshapes,
    unwrapped,
)
from tfcourse.utils.validation import check_integer

PROBABILITIES = ("softmax", "sigmoid")
# Of these it is certain that they do not give probabilities.
NO_PROBABILITIES = (
    "elu",
    "gelu",
    "leaky_relu",
    "linear",
    "prelu",
    "relu",
    "relu6",
    "selu",
    "silu",
    "softplus",
    "softsign",
    "tanh",
)
SATURATING = ("sigmoid", "tanh", "hard_sigmoid", "hard_tanh", "softsign")
# A kernel with more weights than this for each example is called large.
WEIGHTS_PER_EXAMPLE = 10


def lint(
    model: keras.Model,
    examples: int | None = None,
    batch_size: int | None = None,
) -> LintReport:
    """Finds what the course warns of in the layers and the loss of a model.

    The rules, each reported as a `Finding` with the layer's name, the reason
    and the remedy:

    - `useless bias`: batch norm subtracts the mean, and with it any bias of the
      layer before it.
    - `batch norm after activation`: the course normalizes z, not a.
    - `dropout before batch norm`: in training the statistics see the larger
      variance that dropout causes, and at test time they meet a smaller one.
    - `softmax and logits`: a softmax or sigmoid output under a loss with
      `from_logits=True`, or neither under one without.
    - `He with sigmoid or tanh`: He doubles the variance to make up for relu.
    - `no regularization`: a dense layer with more than 10 weights for each
      training example, and neither L1, L2, dropout nor weight decay. Only if
      `examples` is given.
    - `small last batch`: batch norm gives the statistics of a few examples the
      same weight as those of a full batch. Only if `examples` and `batch_size`
      are given.

    Nested and branching models are searched, too. What a subclassed model does
    inside cannot be seen, so only the rules about single layers apply there.
    Xavier with relu, Keras's default, is not reported: `signal_propagation`
    measures whether it matters.

    Args:
        model: A Keras model. If it is compiled, its loss is checked, too.
        examples: m, the number of training examples, if known.
        batch_size: The size of the training batches, if known.

    Returns:
        A `LintReport`, a sequence of `Finding`s.

    Raises:
        TypeError: If `model` is not a Keras model, or `examples` or
            `batch_size` not a whole number.
        ValueError: If one of them is not positive.

    Example:

    >>> model = keras.Sequential(
    ...     [
    ...         keras.Input((4,)),
    ...         keras.layers.Dense(8, name="hidden"),
    ...         keras.layers.BatchNormalization(),
    ...         keras.layers.Activation("relu"),
    ...         keras.layers.Dense(2, activation="softmax"),
    ...     ]
    ... )
    >>> for finding in lint(model):
    ...     print(finding.layer, "-", finding.rule)
    hidden - useless bias

    Reference:
        Ng, "Improving Deep Neural Networks", weeks 1 and 3; for dropout before
        batch norm, Li et al. (2019), https://arxiv.org/abs/1801.05134.
    """
    _check(model, examples, batch_size)
    nodes, ends = layer_graph(model)
    alone = [node.layer for node in nodes] + hidden_layers(model)
    found = [
        *_useless_biases(nodes),
        *_batch_norms_after_activation(nodes),
        *_dropouts_before_batch_norm(nodes),
        *_softmax_and_logits(model, ends),
        *_he_with_saturation(alone, nodes),
    ]
    if examples is not None:
        found += _unregularized(model, alone, nodes, examples)
        found += small_last_batch(alone, examples, batch_size)
    # A layer that is called twice is named once.
    return LintReport(tuple(dict.fromkeys(found)))


def _useless_biases(nodes):
    by_layer = {}
    for node in nodes:
        by_layer.setdefault(id(node.layer), []).append(node)
    for calls in by_layer.values():
        layer = unwrapped(calls[0].layer)
        followers = [_next(node) for node in calls]
        if (
            getattr(layer, "use_bias", False)
            and is_linear(layer)
            and not isinstance(layer, keras.layers.RNN)
            and not any(node.is_end for node in calls)
            and all(
                after and all(_cancels(each.layer, layer) for each in after)
                for after in followers
            )
        ):
            names = ", ".join(
                dict.fromkeys(
                    s.layer.name for after in followers for s in after
                )
            )
            yield Finding(
                calls[0].layer.name,
                "useless bias",
                f"Its bias has no effect, because {names} subtracts the mean.",
                "Give it `use_bias=False`: batch norm has a beta of its own.",
            )


def _cancels(norm, layer):
    """Returns whether a batch norm takes out the bias of the layer before."""
    norm = unwrapped(norm)
    # Frozen, it subtracts a constant instead of the mean of the batch.
    if not is_batch_norm(norm) or not norm.trainable:
        return False
    equation = getattr(layer, "equation", None)
    if equation and getattr(layer, "bias_axes", None) != equation[-1]:
        return False
    first = getattr(layer, "data_format", None) == "channels_first"
    axis = getattr(norm, "axis", -1)
    rank = getattr(norm.input_spec, "ndim", None)
    if rank is not None and axis < 0:
        axis += rank
    return axis == (1 if first else -1 if rank is None else rank - 1)


def _batch_norms_after_activation(nodes):
    for node in nodes:
        if not is_batch_norm(node.layer):
            continue
        for before in node.before:
            name = activation(before.layer)
            # Where the activation also goes elsewhere, as around a residual
            # block, the norm belongs to what comes after it.
            shared = before.is_end or len(before.after) > 1
            if name not in (None, "linear") and not shared:
                yield Finding(
                    node.layer.name,
                    "batch norm after activation",
                    f"It normalizes the output of {name} in "
                    f"{before.layer.name}, where the course normalizes z.",
                    "Put it between the linear part and the activation: "
                    "`Dense(n, use_bias=False)`, `BatchNormalization()`, "
                    f'`Activation("{name}")`.',
                )


def _dropouts_before_batch_norm(nodes):
    for node in nodes:
        if is_batch_norm(node.layer):
            for before in _walk(
                node, "before", lambda s: only_reshapes(s) or _is_activation(s)
            ):
                if is_dropout(before.layer):
                    yield Finding(
                        before.layer.name,
                        "dropout before batch norm",
                        f"{node.layer.name} learns a variance that dropout "
                        "inflates, and so is wrong at test time.",
                        "Put dropout after the batch norm and its activation, "
                        "or leave it out.",
                    )


def _softmax_and_logits(model, ends):
    for end, loss in zip(ends, _losses(model, len(ends)), strict=True):
        from_logits = _from_logits(loss)
        if end is None or from_logits is None:
            continue
        heads = [end, *_walk(end, "before", only_reshapes)]
        head = next((s for s in heads if not only_reshapes(s.layer)), end).layer
        name = "linear" if is_batch_norm(head) else activation(head)
        if from_logits and name in PROBABILITIES:
            yield Finding(
                head.name,
                "softmax and logits",
                f"The model ends in {name}, but the loss expects logits "
                f"(`from_logits=True`) and applies {name} itself.",
                "Leave out the activation, or give the loss "
                "`from_logits=False`.",
            )
        elif not from_logits and name in NO_PROBABILITIES:
            yield Finding(
                head.name,
                "softmax and logits",
                f"Its output is {name}, but the loss expects probabilities "
                "(`from_logits=False`).",
                "Give the loss `from_logits=True`, or the layer a softmax "
                "(sigmoid for two classes).",
            )


def _he_with_saturation(layers, nodes):
    node_of = {id(node.layer): node for node in nodes}
    for layer in layers:
        inner = unwrapped(layer)
        if not any(
            _is_he(getattr(inner, name, None))
            for name in ("kernel_initializer", "depthwise_initializer")
        ):
            continue
        names = [activation(inner)]
        if names == ["linear"] and id(layer) in node_of:
            after = _next(node_of[id(layer)])
            names = [
                activation(s.layer) for s in after if _is_activation(s.layer)
            ]
        for name in names:
            if name in SATURATING:
                yield Finding(
                    layer.name,
                    "He with sigmoid or tanh",
                    "He's variance of 2/n makes up for the half that relu "
                    f"cuts off; {name} cuts off nothing, and is driven into "
                    "saturation.",
                    "Use Xavier, variance 1/n: `tfcourse.initializers.Xavier` "
                    'or "glorot_normal".',
                )


def _unregularized(model, layers, nodes, examples):
    if _decays(getattr(model, "optimizer", None)):
        return
    node_of = {id(node.layer): node for node in nodes}
    drops = any(is_dropout(layer) for layer in layers)
    for layer in layers:
        inner = unwrapped(layer)
        if not isinstance(inner, keras.layers.Dense) or not inner.built:
            continue
        size = int(keras.ops.size(inner.kernel))
        node = node_of.get(id(layer))
        if (
            size <= WEIGHTS_PER_EXAMPLE * examples
            or inner.kernel_regularizer
            or inner.activity_regularizer
            or inner.kernel_constraint
            or (_has_dropout_beside(node) if node else drops)
        ):
            continue
        yield Finding(
            layer.name,
            "no regularization",
            f"It has {size:,} weights for {examples:,} examples, and nothing "
            "keeps it from memorizing them.",
            "Give it `kernel_regularizer=tfcourse.regularizers.L2(lambda_, m)` "
            "or dropout, or make it smaller.",
        )


def _has_dropout_beside(node):
    def unweighted(layer):
        return not hasattr(unwrapped(layer), "kernel_initializer")

    return any(
        is_dropout(each.layer)
        for direction in ("before", "after")
        for each in _walk(node, direction, unweighted)
    )


def _decays(optimizer):
    """Returns whether the optimizer itself shrinks the weights."""
    optimizer = getattr(optimizer, "inner_optimizer", optimizer)
    if getattr(optimizer, "weight_decay", None):
        return True
    l2 = getattr(optimizer, "l2", None)
    return l2 is not None and float(keras.ops.convert_to_numpy(l2)) > 0


def _is_he(initializer):
    """Returns whether an initializer draws with a variance of 2 / fan-in."""
    return type(initializer).__name__ in ("He", "HeNormal", "HeUniform") or (
        isinstance(initializer, keras.initializers.VarianceScaling)
        and initializer.scale == 2
        and initializer.mode == "fan_in"
    )


def _is_activation(layer):
    """Returns whether a layer is an activation and nothing else."""
    return not hasattr(unwrapped(layer), "kernel_initializer") and activation(
        layer
    ) not in (None, "linear")


def _next(node):
    """Returns the nodes that take the output, past those that do nothing."""
    found = []
    for after in node.after:
        found += _next(after) if does_nothing(after.layer) else [after]
    return found


def _walk(node, direction, goes_on):
    """Yields the nodes before or after one, as far as `goes_on(layer)`."""
    waiting, seen = list(getattr(node, direction)), set()
    while waiting:
        each = waiting.pop()
        if id(each) in seen:
            continue
        seen.add(id(each))
        yield each
        if goes_on(each.layer):
            waiting.extend(getattr(each, direction))


def _losses(model, outputs):
    """Returns the loss of each output, `None` where there is none."""
    loss = getattr(model, "loss", None)
    if isinstance(loss, dict):
        return [loss.get(name) for name in model.output_names]
    if isinstance(loss, list | tuple):
        return list(loss) if len(loss) == outputs else [None] * outputs
    return [loss] * outputs


def _from_logits(loss):
    """Returns whether a cross-entropy expects logits, `None` if it is none."""
    given = {}
    if isinstance(loss, functools.partial):
        loss, given = loss.func, loss.keywords
    if isinstance(loss, str):
        loss = keras.losses.get(loss)
    name = getattr(loss, "__name__", type(loss).__name__)
    if not name.lower().replace("_", "").endswith("crossentropy"):
        return None
    return bool(given.get("from_logits", getattr(loss, "from_logits", False)))


def _check(model, examples, batch_size):
    if not isinstance(model, keras.Model):
        raise TypeError(
            f"`model` of lint must be a Keras model. Received: {model!r}"
        )
    if examples is not None:
        check_integer(examples, "examples", "lint")
    if batch_size is not None:
        check_integer(batch_size, "batch_size", "lint")
