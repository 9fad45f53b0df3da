"""What flows into what: the layers of a model as one flat graph."""

import dataclasses

import keras

from tfcourse.layers import batch_normalization
from tfcourse.layers.functional_graph import propagate
from tfcourse.utils.keras_private import Call, every_layer, graph_of

ACTIVATION_LAYERS = {
    "ELU": "elu",
    "LeakyReLU": "leaky_relu",
    "PReLU": "prelu",
    "ReLU": "relu",
    "Softmax": "softmax",
}
# The operations of `keras.ops`, as a functional model holds them.
ACTIVATION_OPERATIONS = {
    "Elu": "elu",
    "Gelu": "gelu",
    "LeakyRelu": "leaky_relu",
    "LogSoftmax": "log_softmax",
    "Relu": "relu",
    "Relu6": "relu6",
    "Selu": "selu",
    "Sigmoid": "sigmoid",
    "Silu": "silu",
    "Softmax": "softmax",
    "Softplus": "softplus",
    "Softsign": "softsign",
    "Tanh": "tanh",
}
DROPOUTS = (
    keras.layers.Dropout,
    keras.layers.GaussianDropout,
    keras.layers.AlphaDropout,
)


@dataclasses.dataclass(eq=False)
class Node:
    """One call of a layer, or of an operation of `keras.ops`."""

    layer: object
    before: list
    after: list = dataclasses.field(default_factory=list)
    # Whether what it gives is also an output of the model.
    is_end: bool = False


def layer_graph(model: keras.Model) -> tuple[list[Node], list[Node | None]]:
    """Returns the nodes of a model, nested models opened, and its last ones.

    A subclassed model or layer stays one node: what it does inside cannot be
    seen without running it.

    Returns:
        A list of `Node`s in the order in which they run, and a list with the
        node of each output (`None` where an output is an input).
    """
    nodes = []
    inputs = getattr(model, "inputs", None) or [None]
    ends = _open(model, [None] * len(inputs), nodes)
    for end in ends:
        if end is not None:
            end.is_end = True
    return nodes, ends


def _open(layer, sources, nodes):
    """Adds the nodes of one call, and returns the node of each output."""
    if isinstance(layer, keras.Sequential) and not _overrides_call(layer):
        # Opened by its layers: it need not be built.
        for inner in layer.layers:
            sources = _open(inner, sources, nodes)
        return sources
    graph = graph_of(layer)
    if graph is not None:
        return _open_graph(graph, sources, nodes)
    if isinstance(layer, keras.layers.InputLayer):
        return sources
    node = Node(layer, [source for source in sources if source is not None])
    for source in node.before:
        source.after.append(node)
    nodes.append(node)
    return [node]


def _overrides_call(model):
    return type(model).call is not keras.Sequential.call


def _open_graph(graph, sources, nodes):
    def through(call: Call, given: list) -> list:
        ends = _open(call.operation, given, nodes)
        if len(ends) != len(call.outputs):
            ends = ends[:1] * len(call.outputs)
        return ends

    count = len(graph.inputs)
    sources = [*sources[:count], *[None] * (count - len(sources))]
    return propagate(graph, sources, through)


def hidden_layers(model: keras.Model) -> list[keras.layers.Layer]:
    """Returns the layers inside subclassed parts, whose order is unknown."""
    seen = {id(node.layer) for node in layer_graph(model)[0]}
    return [
        layer
        for layer in every_layer(model)
        if id(layer) not in seen
        and not isinstance(layer, keras.Model | keras.layers.InputLayer)
    ]


def activation(layer: keras.layers.Layer) -> str | None:
    """Returns the name of a layer's activation, `None` if it has none.

    Of a layer such as `Dense`, that of its `activation` argument.
    """
    layer = unwrapped(layer)
    name = type(layer).__name__
    if name in ACTIVATION_LAYERS or name in ACTIVATION_OPERATIONS:
        return ACTIVATION_LAYERS.get(name) or ACTIVATION_OPERATIONS[name]
    function = getattr(layer, "activation", None)
    if isinstance(function, keras.layers.Layer):
        return activation(function)
    return getattr(function, "__name__", None)


def is_linear(layer: keras.layers.Layer) -> bool:
    """Returns whether the layer has an activation argument, unused."""
    return activation(layer) == "linear"


def is_batch_norm(layer: keras.layers.Layer) -> bool:
    """Returns whether a layer, or what it applies to each step, is one."""
    return batch_normalization.is_batch_norm(unwrapped(layer))


def is_dropout(layer: keras.layers.Layer) -> bool:
    """Returns whether the layer drops anything in training."""
    bases = [base.__name__ for base in type(layer).__mro__]
    if "InvertedDropout" in bases:
        return float(keras.ops.convert_to_numpy(layer.keep_prob)) < 1
    return isinstance(layer, DROPOUTS) and layer.rate > 0


def does_nothing(layer: keras.layers.Layer) -> bool:
    """Returns whether the output is the input."""
    return isinstance(layer, keras.layers.Identity) or (
        isinstance(layer, keras.layers.Activation) and is_linear(layer)
    )


def only_reshapes(layer: keras.layers.Layer) -> bool:
    """Returns whether the output has the numbers of the input."""
    shaping = (
        keras.layers.Flatten,
        keras.layers.Reshape,
        keras.layers.Permute,
        keras.layers.RepeatVector,
    )
    return does_nothing(layer) or isinstance(layer, shaping)


def unwrapped(layer: keras.layers.Layer) -> keras.layers.Layer:
    """Returns the layer that a `TimeDistributed` applies."""
    while isinstance(layer, keras.layers.TimeDistributed):
        layer = layer.layer
    return layer
