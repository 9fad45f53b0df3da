"""Search spaces drawn at random from what Keras has, and data for them."""

import keras
import numpy as np
import tensorflow as tf
from keras import layers, regularizers

EXAMPLES, HELD_OUT = 26, 11

ACTIVATIONS = [
    "relu",
    "tanh",
    "sigmoid",
    "elu",
    "selu",
    "gelu",
    "softplus",
    "softsign",
    "silu",
    "swish",
    "linear",
    "hard_sigmoid",
    "leaky_relu",
    "exponential",
    "mish",
    "relu6",
    "hard_tanh",
    "celu",
]
REGULARIZERS = [
    lambda: None,
    lambda: None,
    lambda: regularizers.L1(0.01),
    lambda: regularizers.L2(0.01),
    lambda: regularizers.L1L2(0.01, 0.02),
]
CONSTRAINTS = [
    lambda: None,
    lambda: None,
    lambda: keras.constraints.MaxNorm(1.0),
    lambda: keras.constraints.NonNeg(),
    lambda: keras.constraints.UnitNorm(),
]
OPTIMIZERS = [
    lambda rate: keras.optimizers.SGD(rate),
    lambda rate: keras.optimizers.SGD(rate, 0.9, nesterov=True),
    lambda rate: keras.optimizers.SGD(rate, clipnorm=0.5),
    lambda rate: keras.optimizers.SGD(rate, global_clipnorm=0.5),
    lambda rate: keras.optimizers.SGD(rate, clipvalue=0.1),
    lambda rate: keras.optimizers.SGD(rate, weight_decay=0.01),
    lambda rate: keras.optimizers.SGD(rate, use_ema=True, ema_momentum=0.9),
    lambda rate: keras.optimizers.SGD(rate, gradient_accumulation_steps=2),
    lambda rate: keras.optimizers.SGD(
        keras.optimizers.schedules.ExponentialDecay(rate, 3, 0.5)
    ),
    lambda rate: keras.optimizers.SGD(
        keras.optimizers.schedules.CosineDecay(rate, 9)
    ),
    lambda rate: keras.optimizers.Adam(rate),
    lambda rate: keras.optimizers.Adam(rate, amsgrad=True),
    lambda rate: keras.optimizers.AdamW(rate),
    lambda rate: keras.optimizers.Adamax(rate),
    lambda rate: keras.optimizers.Nadam(rate),
    lambda rate: keras.optimizers.RMSprop(rate, centered=True),
    lambda rate: keras.optimizers.Adagrad(rate),
    lambda rate: keras.optimizers.Adadelta(rate),
    lambda rate: keras.optimizers.Ftrl(rate),
    lambda rate: keras.optimizers.Lion(rate / 10),
    lambda rate: keras.optimizers.Lamb(rate),
]


def of_vectors(rng):
    """Layers of a vector, as functions that make them."""
    pick = rng.choice
    activation, units = pick(ACTIVATIONS), int(rng.integers(2, 7))
    regularizer, constraint = pick(REGULARIZERS), pick(CONSTRAINTS)
    rate = round(float(rng.uniform(0.1, 0.5)), 2)
    return pick(
        [
            lambda: layers.Dense(units, activation),
            lambda: layers.Dense(units, kernel_regularizer=regularizer()),
            lambda: layers.Dense(units, activity_regularizer=regularizer()),
            lambda: layers.Dense(units, kernel_constraint=constraint()),
            lambda: layers.Dense(units, use_bias=False),
            lambda: layers.Activation(activation),
            lambda: layers.LeakyReLU(negative_slope=rate),
            layers.PReLU,
            layers.BatchNormalization,
            layers.LayerNormalization,
            layers.UnitNormalization,
            lambda: layers.Dropout(rate),
            lambda: layers.AlphaDropout(rate),
            lambda: layers.GaussianNoise(rate),
            lambda: layers.GaussianDropout(rate),
            lambda: layers.ActivityRegularization(l2=0.01),
            lambda: layers.Rescaling(0.5, 0.1),
            lambda: layers.SpectralNormalization(layers.Dense(units)),
            lambda: layers.EinsumDense("ab,bc->ac", units, bias_axes="c"),
        ]
    )


def of_sequences(rng):
    """Two layers from (6, 2) to a vector."""
    units = int(rng.integers(2, 5))
    middle = [
        lambda: layers.Conv1D(units, 3, padding="causal"),
        lambda: layers.SeparableConv1D(units, 2),
        lambda: layers.MaxPooling1D(2),
        lambda: layers.SpatialDropout1D(0.3),
        lambda: layers.ZeroPadding1D(1),
        lambda: layers.Masking(0.0),
        lambda: layers.SimpleRNN(units, return_sequences=True),
        lambda: layers.TimeDistributed(layers.Dense(units)),
    ]
    end = [
        layers.Flatten,
        layers.GlobalAveragePooling1D,
        layers.GlobalMaxPooling1D,
        lambda: layers.LSTM(units, dropout=0.2),
        lambda: layers.GRU(units),
        lambda: layers.Bidirectional(layers.SimpleRNN(units)),
    ]
    return [rng.choice(middle), rng.choice(end)]


def of_images(rng):
    """Two layers from (6, 6, 2) to a vector."""
    filters = int(rng.integers(2, 5))
    middle = [
        lambda: layers.Conv2D(filters, 3, activation="relu"),
        lambda: layers.Conv2D(filters, 2, strides=2, padding="same"),
        lambda: layers.Conv2DTranspose(filters, 2),
        lambda: layers.DepthwiseConv2D(3),
        lambda: layers.SeparableConv2D(filters, 2),
        lambda: layers.AveragePooling2D(2),
        lambda: layers.UpSampling2D(2),
        lambda: layers.GroupNormalization(2),
        layers.BatchNormalization,
        lambda: layers.RandomFlip(),
    ]
    end = [layers.Flatten, layers.GlobalAveragePooling2D]
    return [rng.choice(middle), rng.choice(end)]


def of_words(rng):
    masks = bool(rng.integers(2))
    return [
        lambda: layers.Embedding(9, 3, mask_zero=masks),
        rng.choice([layers.GlobalAveragePooling1D, lambda: layers.LSTM(3)]),
    ]


INPUTS = {
    "vectors": ((5,), lambda rng: []),
    "sequences": ((6, 2), of_sequences),
    "images": ((6, 6, 2), of_images),
    "words": ((6,), of_words),
}
# Loss, outputs, last activation, metrics.
PROBLEMS = {
    "values": (
        ["mse", "mae", "huber", "log_cosh", "mape"],
        (1, None),
        ["mae", "mse", "cosine_similarity", "root_mean_squared_error"],
    ),
    "two classes": (
        ["binary_crossentropy", "hinge", "binary_focal_crossentropy"],
        (1, "sigmoid"),
        ["accuracy", "auc", "precision", "recall"],
    ),
    "classes": (
        ["sparse_categorical_crossentropy"],
        (3, "softmax"),
        ["accuracy", "sparse_categorical_accuracy"],
    ),
    "one-hot": (
        ["categorical_crossentropy", "kl_divergence", "poisson"],
        (3, "softmax"),
        ["accuracy", "f1_score", "categorical_accuracy", "auc"],
    ),
}


def arrays(rng, shape, kind, problem, n):
    x = rng.normal(size=(n, *shape)).astype("float32")
    if kind == "words":
        x = rng.integers(0, 9, size=(n, *shape))
    labels = rng.integers(3, size=n)
    targets = {
        "values": lambda: rng.normal(size=(n, 1)).astype("float32"),
        "two classes": lambda: labels[:, None] % 2,
        "classes": lambda: labels,
        "one-hot": lambda: np.eye(3, dtype="float32")[labels],
    }
    return x, targets[problem]()


def fit_arguments(rng, problem, data, held_out):
    """Arguments of `fit`: each of them is there or not."""
    weights = rng.uniform(0.1, 2, len(data[0])).astype("float32")
    their_weights = rng.uniform(0.1, 2, len(held_out[0])).astype("float32")
    options = [
        {"batch_size": int(rng.integers(3, 15))},
        {"validation_split": 0.3},
        {"validation_data": held_out},
        {"validation_data": (*held_out, their_weights)},
        {"validation_batch_size": 4},
        {"callbacks": lambda: [keras.callbacks.EarlyStopping("loss")]},
        {"callbacks": lambda: [keras.callbacks.ReduceLROnPlateau("loss")]},
        {"steps_per_epoch": 2, "batch_size": 4},
        {"initial_epoch": 1, "epochs": 3},
    ]
    if problem == "classes":
        options.append({"class_weight": {0: 0.5, 1: 2.0}})
    else:
        options.append({"sample_weight": weights})
    chosen = rng.permutation(len(options))[: rng.integers(4)]
    return {k: v for i in chosen for k, v in options[i].items()}


class Space:
    """A search space, drawn from the generator of one case."""

    def __init__(self, rng):
        self.kind = str(rng.choice(list(INPUTS)))
        self.problem = str(rng.choice(list(PROBLEMS)))
        self.shape, first = INPUTS[self.kind]
        losses, self.end, metrics = PROBLEMS[self.problem]
        self.makers = first(rng)
        self.makers += [of_vectors(rng) for _ in range(rng.integers(1, 4))]
        self.loss = str(rng.choice(losses))
        some = rng.permutation(metrics)[: rng.integers(3)].tolist()
        self.weighted = rng.integers(3) == 0
        self.metrics = {
            "weighted_metrics" if self.weighted else "metrics": some
        }
        self.make_optimizer = rng.choice(OPTIMIZERS)
        self.widths = rng.integers(2) == 0
        data = arrays(rng, self.shape, self.kind, self.problem, EXAMPLES)
        other = arrays(rng, self.shape, self.kind, self.problem, HELD_OUT)
        self.kwargs = fit_arguments(rng, self.problem, data, other)
        self.args = data
        taken = {"sample_weight", "batch_size", "validation_split"}
        if not taken & set(self.kwargs) and rng.integers(4) == 0:
            dataset = tf.data.Dataset.from_tensor_slices(data)
            self.args = (dataset.batch(8),)

    def build(self, hp):
        rate = hp.Float("learning_rate", 1e-3, 1e-1, sampling="log")
        model = keras.Sequential(
            [keras.Input(self.shape, dtype=self.dtype)]
            + [make() for make in self.makers]
        )
        if self.widths:
            model.add(layers.Dense(hp.Int("units", 2, 5), "relu"))
        model.add(layers.Dense(*self.end))
        model.compile(self.make_optimizer(rate), self.loss, **self.metrics)
        return model

    @property
    def dtype(self):
        return "int32" if self.kind == "words" else "float32"

    def __str__(self):
        made = [type(make()).__name__ for make in self.makers]
        optimizer = type(self.make_optimizer(0.1)).__name__
        arguments = ",".join(
            [*self.kwargs, *["dataset"] * (len(self.args) < 2)]
        )
        return f"{'-'.join(made)} {self.loss} {optimizer} [{arguments}]"
