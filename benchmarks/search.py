"""Best score against trials: grid, random, coarse to fine, Bayesian, TPE.

The searches choose points of analytic functions of the unit cube, whose optimum
lies elsewhere for each seed, and settings of a network on two data sets. Of the
network every setting of a finite space is trained once, by `Caviar`, and all
searches look their trials up in that table, so that their scores are those of
real trials and nothing is interpolated.

For each problem and method: the median and the quartiles over the seeds of the
best score after each trial, in a plot, and how often coarse to fine ends better
than random search. The script exits with 1 if its median is not better.

    python benchmarks/search.py --trials 25 --seeds 20 --plot search.png
"""

import argparse
import itertools
import json
import math
import os
import pathlib
import sys
import tempfile
import warnings

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import keras
import keras_tuner
import numpy as np
from sklearn.datasets import load_breast_cancer, load_digits
from sklearn.model_selection import train_test_split

from tfcourse.optimizers import Momentum
from tfcourse.tuning import (
    Caviar,
    CoarseToFineOracle,
    OptunaOracle,
    RandomSearchOracle,
    log_uniform,
    one_minus_log_uniform,
)
from tfcourse.tuning.search_space import regions

OBJECTIVE = keras_tuner.Objective("val_loss", "min")


# Problems: a space, and for each seed a function from its values to a score.


def cube(dimensions):
    hp = keras_tuner.HyperParameters()
    for n in range(dimensions):
        hp.Float(f"x{n}", 0, 1)
    return hp


def bowl(weights):
    """A quadratic; most of its dimensions hardly matter."""
    weights = np.array(weights)

    def of_seed(seed):
        best = np.random.default_rng([seed, 1]).uniform(0.1, 0.9, len(weights))
        return lambda v: weights @ (np.array(list(v.values())) - best) ** 2

    return cube(len(weights)), of_seed


def two_valleys(dimensions):
    """A narrow deep valley and a broad one that is less deep."""

    def of_seed(seed):
        rng = np.random.default_rng([seed, 1])
        deep, broad = rng.uniform(0.1, 0.9, (2, dimensions))

        def score(v):
            x = np.array(list(v.values()))
            return -np.exp(-((x - deep) ** 2).sum() / 0.02) - 0.7 * np.exp(
                -((x - broad) ** 2).sum() / 0.08
            )

        return score

    return cube(dimensions), of_seed


def noisy_cliff():
    """Like a learning rate: a broad optimum, above it a cliff, and noise."""

    def of_seed(seed):
        rng = np.random.default_rng([seed, 1])
        best, others = rng.uniform(0.3, 0.7), rng.uniform(0, 1, 4)

        def score(v):
            rate, *rest = v.values()
            error = 0.02 + 4 * (rate - best) ** 2
            if rate > best + 0.2:
                error = 0.9
            slight = 0.02 * ((np.array(rest) - others) ** 2).sum()
            return error + slight + 0.005 * rng.normal()

        return score

    return cube(5), of_seed


def network(hp, features, classes):
    """A finite space: 17 learning rates, 5 β, 4 widths."""
    quarter = 10**0.25
    rate = log_uniform(hp, "learning_rate", 1e-4, 1.0, step=quarter)
    beta = one_minus_log_uniform(hp, "beta", 0.9, 0.999, step=10**0.5)
    units = hp.Int("units", 16, 64, step=16)
    model = keras.Sequential([keras.Input((features,))])
    for _ in range(2):
        model.add(keras.layers.Dense(units, "relu"))
    model.add(keras.layers.Dense(classes, "softmax"))
    model.compile(Momentum(rate, beta), "sparse_categorical_crossentropy")
    return model


def trained(name, load, epochs, cache):
    """Every setting of the network, trained once."""
    x, y = load(return_X_y=True)
    x = ((x - x.mean(0)) / (x.std(0) + 1e-8)).astype("float32")
    parts = train_test_split(x, y, test_size=0.3, random_state=0, stratify=y)
    x_train, x_dev, y_train, y_dev = parts

    def build(hp):
        return network(hp, x.shape[1], int(y.max()) + 1)

    hp = keras_tuner.HyperParameters()
    build(hp)
    size = sum(1 for _ in regions.points(hp.space))
    path = pathlib.Path(cache) / f"{name}-{epochs}.json"
    if not path.exists():
        tuner = Caviar(
            build,
            # Whoever has tried 340 of 340 points has tried all.
            oracle=RandomSearchOracle(OBJECTIVE, size),
            population=size,
            directory=cache,
            project_name=name,
            overwrite=True,
        )
        tuner.search(
            x_train,
            y_train,
            validation_data=(x_dev, y_dev),
            epochs=epochs,
            batch_size=64,
            verbose=0,
        )
        trials = tuner.oracle.trials.values()
        path.write_text(
            json.dumps([[t.hyperparameters.values, t.score] for t in trials])
        )
    # One that diverged has no score: a failed trial.
    table = {key(v): score for v, score in json.loads(path.read_text())}
    return hp, lambda seed: lambda v: table[key(v)]


def key(values):
    return tuple(
        (name, float(f"{value:.6g}")) for name, value in sorted(values.items())
    )


# Methods: what gives the trials of a seed.


def grid(hp, trials, seed):
    """The lattice of as many points as there are trials, in random order."""
    counts = [1] * len(hp.space)
    while True:
        for n in np.argsort(counts, kind="stable"):
            more = [c + (i == n) for i, c in enumerate(counts)]
            if np.prod(more) <= trials:
                counts = more
                break
        else:
            break
    axes = [
        [regions.value_at(p, (i + 0.5) / count) for i in range(count)]
        for p, count in zip(hp.space, counts, strict=True)
    ]
    names = [p.name for p in hp.space]
    points = [
        dict(zip(names, point, strict=True))
        for point in itertools.product(*axes)
    ]
    np.random.default_rng(seed).shuffle(points)
    return points


def by_oracle(oracle_class, **kwargs):
    def scores(hp, trials, seed, score):
        oracle = oracle_class(
            objective=OBJECTIVE,
            max_trials=trials,
            seed=seed,
            hyperparameters=hp.copy(),
            **kwargs,
        )
        # Nothing of these searches is worth the writing.
        oracle.verbose, oracle.save, oracle._save_trial = 0, *2 * [_nothing]
        while (trial := oracle.create_trial("one")).status == "RUNNING":
            found = score(trial.hyperparameters.values)
            trial.status = "FAILED" if found is None else "COMPLETED"
            if found is not None:
                oracle.update_trial(trial.trial_id, {"val_loss": float(found)})
            oracle.end_trial(trial)
            yield math.inf if found is None else float(found)

    return scores


def _nothing(*_):
    pass


def by_grid(hp, trials, seed, score):
    for values in grid(hp, trials, seed):
        found = score(values)
        yield math.inf if found is None else float(found)


METHODS = {
    "grid": by_grid,
    "random": by_oracle(RandomSearchOracle),
    "coarse to fine": by_oracle(CoarseToFineOracle),
    "Optuna's TPE": by_oracle(OptunaOracle, sampler="tpe"),
    # Its seed 0 is none.
    "keras-tuner's Bayesian": by_oracle(
        keras_tuner.oracles.BayesianOptimizationOracle,
        max_consecutive_failed_trials=10**6,
    ),
}


def problems(cache, epochs, chosen):
    """Yields name, space and functions; tables are made when needed."""
    made = {
        "one dimension of two matters": lambda: bowl([1, 1e-4]),
        "one dimension of five matters": lambda: bowl([1, *4 * [0.01]]),
        "a narrow valley and a broad one": lambda: two_valleys(2),
        "cliff, noise, four slight ones": noisy_cliff,
        "digits": lambda: trained("digits", load_digits, epochs, cache),
        "breast cancer": lambda: trained(
            "breast cancer", load_breast_cancer, epochs, cache
        ),
    }
    for name in chosen or made:
        yield name, *made[name]()


def curves(method, hp, of_seed, trials, seeds):
    """Returns the best score after each trial, shape `(seeds, trials)`."""
    best = np.full((seeds, trials), np.nan)
    for seed in range(seeds):
        scores = list(METHODS[method](hp, trials, seed + 1, of_seed(seed)))
        running = np.minimum.accumulate(scores)
        best[seed] = running[np.minimum(np.arange(trials), len(scores) - 1)]
    return best


def plot(results, path):
    import matplotlib

    matplotlib.use("agg")
    import matplotlib.pyplot as plt

    columns = min(3, len(results))
    rows = -(-len(results) // columns)
    figure, axes = plt.subplots(
        rows,
        columns,
        figsize=(4.6 * columns, 3.6 * rows),
        squeeze=False,
        layout="constrained",
    )
    for panel, (name, found) in zip(axes.flat, results.items(), strict=False):
        everything = np.concatenate([b.ravel() for b in found.values()])
        least = everything[np.isfinite(everything)].min()
        for method, best in found.items():
            # The distance from the best that anyone found, on a log scale.
            low, middle, high = np.quantile(best - least, [0.25, 0.5, 0.75], 0)
            n = np.arange(1, len(middle) + 1)
            color = f"C{list(METHODS).index(method)}"
            panel.plot(n, middle, color=color, label=method)
            panel.fill_between(n, low, high, color=color, alpha=0.15, lw=0)
        panel.set(title=name, xlabel="trials", yscale="log")
    for row in axes:
        row[0].set_ylabel("best score, above the best of all")
    for panel in axes.flat[len(results) :]:
        panel.axis("off")
    handles, labels = axes.flat[0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower center", ncols=5)
    figure.savefig(path, dpi=150)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--trials", type=int, default=25)
    parser.add_argument("--seeds", type=int, default=20)
    parser.add_argument("--epochs", type=int, default=10)
    parser.add_argument("--problems", nargs="*")
    parser.add_argument("--methods", nargs="*", default=list(METHODS))
    parser.add_argument("--plot", default="search.png")
    parser.add_argument("--cache", default=tempfile.gettempdir())
    options = parser.parse_args()
    warnings.simplefilter("ignore")
    results, worse = {}, 0
    for name, hp, of_seed in problems(
        options.cache, options.epochs, options.problems
    ):
        found = results[name] = {}
        print(f"{name}, {options.trials} trials, {options.seeds} seeds")
        for method in options.methods:
            best = curves(method, hp, of_seed, options.trials, options.seeds)
            found[method] = best
            low, middle, high = np.quantile(best[:, -1], [0.25, 0.5, 0.75])
            print(f"  {method:24}{middle:10.4g}   {low:.4g} to {high:.4g}")
            sys.stdout.flush()
        if {"random", "coarse to fine"} <= found.keys():
            ours, theirs = found["coarse to fine"], found["random"]
            wins = (ours[:, -1] < theirs[:, -1]).mean()
            print(f"  coarse to fine is better than random in {wins:.0%}")
            worse += np.median(ours[:, -1]) >= np.median(theirs[:, -1])
        plot(results, options.plot)
    print(f"worse than random search in the median: {worse} problems")
    sys.exit(int(worse > 0))


if __name__ == "__main__":
    main()
