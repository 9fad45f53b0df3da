"""K models as one program against K calls of `fit`, and a bound by hand.

For each network, interleaved in one process on the same data: the seconds a
member that a `Population` takes, compilation and drawing of initial weights
included; those that building the model and `model.fit` take; and, for the first
network, those of the same mathematics written by hand in `jax.vmap`.

    python benchmarks/population.py --members 64 --repeats 3
"""

import argparse
import os
import statistics
import time

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import keras
import numpy as np
from keras import layers
from spaces import BATCH, digits

from tfcourse.tuning.population import build_deferred, initial_values
from tfcourse.tuning.population.trainer import PopulationTrainer

EPOCHS = 10


def network(*hidden):
    def build():
        model = keras.Sequential([keras.Input((64,))])
        for make in hidden:
            model.add(make())
        model.add(layers.Dense(10, activation="softmax"))
        rate = float(10 ** np.random.uniform(-3, -0.5))
        model.compile(
            keras.optimizers.SGD(rate, momentum=0.9),
            "sparse_categorical_crossentropy",
            metrics=["accuracy"],
        )
        return model

    return build


def square(*shape):
    return lambda: layers.Reshape(shape)


NETWORKS = {
    "MLP 64-64 with batch norm": network(
        *[
            lambda: layers.Dense(64),
            layers.BatchNormalization,
            lambda: layers.Activation("relu"),
        ]
        * 2
    ),
    "CNN 8-16": network(
        square(8, 8, 1),
        lambda: layers.Conv2D(8, 3, activation="relu"),
        lambda: layers.Conv2D(16, 3, activation="relu"),
        layers.MaxPooling2D,
        layers.Flatten,
    ),
    "LSTM 32": network(square(8, 8), lambda: layers.LSTM(32)),
    "GRU 32": network(square(8, 8), lambda: layers.GRU(32)),
}


def as_population(build, members, train, held_out, epochs):
    start = time.perf_counter()
    deferred = [build_deferred(build, seed) for seed in range(members)]
    template = build()
    template.optimizer.build(template.trainable_variables)
    drawn = time.perf_counter()
    columns = initial_values(template, deferred)
    population = PopulationTrainer(template, members, lambda: (columns, None))
    built = time.perf_counter()
    population.fit(
        *train,
        epochs=epochs,
        batch_size=BATCH,
        validation_data=held_out,
        keep_best="val_loss",
    )
    end = time.perf_counter()
    parts = drawn - start, built - drawn, end - built
    return (end - start) / members, parts, population.report


def alone(build, train, held_out, epochs):
    start = time.perf_counter()
    build().fit(
        *train,
        epochs=epochs,
        batch_size=BATCH,
        validation_data=held_out,
        verbose=0,
    )
    keras.backend.clear_session()
    return time.perf_counter() - start


def by_hand(members, train, held_out, epochs):
    """Seconds a member of the first network, in JAX without Keras."""
    import jax
    import jax.numpy as jnp

    x, y = map(jnp.asarray, train)
    sizes = [(64, 64), (64, 64), (64, 10)]

    def initial(key):
        keys = jax.random.split(key, 3)
        return [
            (
                jax.random.normal(k, size) * size[0] ** -0.5,
                jnp.zeros(size[1]),
                jnp.ones(size[1]),
                jnp.zeros(size[1]),
            )
            for k, size in zip(keys, sizes, strict=True)
        ]

    def outputs(w, averages, x, training):
        new = []
        for i, (kernel, bias, gamma, beta) in enumerate(w):
            x = x @ kernel + bias
            if i == 2:
                return x, new
            moments = (x.mean(0), x.var(0)) if training else averages[i]
            x = (x - moments[0]) * jax.lax.rsqrt(moments[1] + 1e-3)
            x = jax.nn.relu(x * gamma + beta)
            pairs = zip(averages[i], moments, strict=True)
            new.append([0.99 * a + 0.01 * m for a, m in pairs])

    def loss(w, averages, x, y, training=True):
        x, averages = outputs(w, averages, x, training)
        taken = jnp.take_along_axis(jax.nn.log_softmax(x), y[:, None], 1)
        return -taken.mean(), (averages, (x.argmax(-1) == y).mean())

    def step(w, v, averages, rate, x, y):
        (value, (averages, right)), g = jax.value_and_grad(loss, has_aux=True)(
            w, averages, x, y
        )
        v = jax.tree.map(lambda v, g: 0.9 * v - rate * g, v, g)
        return jax.tree.map(jnp.add, w, v), v, averages, value, right

    steps = jax.vmap(step, (0, 0, 0, 0, None, None))
    evaluate = jax.vmap(lambda w, a: loss(w, a, *held_out, training=False))

    @jax.jit
    def epoch(w, v, averages, rate, order, best, least):
        whole = len(order) // BATCH

        def body(carry, indices):
            *carry, value, right = steps(*carry, rate, x[indices], y[indices])
            return carry, (value, right)

        batches = order[: whole * BATCH].reshape(whole, BATCH)
        carry, _ = jax.lax.scan(body, [w, v, averages], batches)
        last = order[whole * BATCH :]
        w, v, averages, value, right = steps(*carry, rate, x[last], y[last])
        held_out_loss, _ = evaluate(w, averages)
        better = held_out_loss < least

        def kept(new, old):
            mask = better.reshape([-1] + [1] * (new.ndim - 1))
            return jnp.where(mask, new, old)

        best = jax.tree.map(kept, w, best)
        least = jnp.minimum(held_out_loss, least)
        return w, v, averages, best, least, value, right

    start = time.perf_counter()
    w = best = jax.vmap(initial)(jax.random.split(jax.random.key(0), members))
    v = jax.tree.map(jnp.zeros_like, w)
    averages = [[jnp.zeros((members, 64)), jnp.ones((members, 64))]] * 2
    rate, least = jnp.full(members, 0.05), jnp.full(members, jnp.inf)
    rng = np.random.default_rng(0)
    for _ in range(epochs):
        order = jnp.asarray(rng.permutation(len(x)))
        w, v, averages, best, least, *_ = epoch(
            w, v, averages, rate, order, best, least
        )
    jax.block_until_ready(best)
    return (time.perf_counter() - start) / members


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--members", type=int, default=64)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--epochs", type=int, default=EPOCHS)
    parser.add_argument("--networks", nargs="*", default=list(NETWORKS))
    options = parser.parse_args()
    train, held_out = digits()
    for name in options.networks:
        build = NETWORKS[name]
        ours, theirs, bound = [], [], []
        alone(build, train, held_out, 1)
        for _ in range(options.repeats):
            seconds, parts, report = as_population(
                build, options.members, train, held_out, options.epochs
            )
            ours.append(seconds)
            theirs.append(alone(build, train, held_out, options.epochs))
            if name == next(iter(NETWORKS)):
                bound.append(
                    by_hand(options.members, train, held_out, options.epochs)
                )
        ours, theirs = statistics.median(ours), statistics.median(theirs)
        deferred, draws, fit = parts
        print(
            f"{name}: {1e3 * ours:.1f} ms a member, alone "
            f"{1e3 * theirs:.0f} ms: {theirs / ours:.0f} times "
            f"(deferred {deferred:.2f} s, initial weights {draws:.2f} s, fit "
            f"{fit:.2f} s; {report['how']}, XLA {report['xla']})"
        )
        if bound:
            bound = statistics.median(bound)
            print(f"  by hand in JAX: {1e3 * bound:.1f} ms a member")


if __name__ == "__main__":
    main()
