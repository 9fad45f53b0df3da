"""What evolution costs, and what it finds, beside other searches.

Cost: the seconds a member and step of `Evolution`, and of `Caviar` with the
same members. The script exits with 1 if evolution takes more than 1.1 times as
long.

Quality: the best validation loss on four problems after as many epochs in all
as the population trains, for random search, coarse to fine, halving and
evolution; of each the median and the quartiles over the seeds.

    python benchmarks/evolution.py --seeds 20 --population 32 --epochs 30
"""

import argparse
import os
import sys
import tempfile
import time

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import keras
import numpy as np
from sklearn.datasets import (
    load_breast_cancer,
    load_diabetes,
    load_digits,
    load_wine,
)
from sklearn.model_selection import train_test_split

from tfcourse import tuning

OBJECTIVE = "val_loss"
BATCH = 32
# How often the worst are replaced, in epochs.
INTERVAL = 3
MOST_TIMES_CAVIAR = 1.1


def problem(load, is_regression=False):
    """Returns a space, and arrays: inputs of unit variance, targets, twice."""
    x, y = load(return_X_y=True)
    x = (x - x.mean(0)) / (x.std(0) + 1e-6)
    if is_regression:
        y = (y - y.mean()) / y.std()
    outputs = 1 if is_regression else int(y.max()) + 1
    parts = train_test_split(
        x.astype("float32"),
        y.astype("float32" if is_regression else "int32"),
        test_size=0.3,
        random_state=0,
    )

    def build(hp):
        l2 = tuning.log_uniform(hp, "l2", 1e-6, 1e-1)
        model = keras.Sequential(
            [
                keras.Input((x.shape[1],)),
                keras.layers.Dense(
                    64, "relu", kernel_regularizer=keras.regularizers.L2(l2)
                ),
                keras.layers.Dropout(hp.Float("rate", 0.05, 0.6)),
                keras.layers.Dense(outputs),
            ]
        )
        optimizer = keras.optimizers.Adam(
            tuning.log_uniform(hp, "learning_rate", 1e-5, 1e-1),
            beta_1=tuning.one_minus_log_uniform(hp, "beta", 0.5, 0.99),
        )
        loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
        model.compile(optimizer, "mse" if is_regression else loss)
        return model

    return build, parts


PROBLEMS = {
    "digits": (load_digits,),
    "breast cancer": (load_breast_cancer,),
    "wine": (load_wine,),
    "diabetes": (load_diabetes, True),
}
# Each trains `population` models for `epochs`; halving as many epochs in all,
# with more models.
METHODS = {
    "random": lambda build, n, **kw: tuning.Caviar(build, OBJECTIVE, n, **kw),
    "coarse to fine": lambda build, n, **kw: tuning.CoarseToFineSearch(
        build, OBJECTIVE, n, **kw
    ),
    "halving": lambda build, n, **kw: tuning.Caviar(
        build, OBJECTIVE, halved(n), population=halved(n), halving=True, **kw
    ),
    "evolution": lambda build, n, **kw: tuning.Evolution(
        build, OBJECTIVE, n, interval=INTERVAL, **kw
    ),
}


def halved(size):
    """Returns of how many models halving trains those epochs: see `Halving`.

    n of them train for 1/8 of the epochs, n/2 until 1/4, n/4 until 1/2 and
    n/8 to the end: 5/16 of what n would.
    """
    return round(size * 16 / 5)


def search(method, case, seed, arguments, folder):
    """Returns the best validation loss, and the seconds of training."""
    build, (x, x_dev, y, y_dev) = case
    tuner = METHODS[method](
        build, arguments.population, seed=seed, directory=folder, verify=False
    )
    started = time.perf_counter()
    tuner.search(
        x,
        y,
        validation_data=(x_dev, y_dev),
        epochs=arguments.epochs,
        batch_size=BATCH,
        verbose=0,
    )
    seconds = time.perf_counter() - started
    return tuner.oracle.get_best_trials(1)[0].score, seconds


def cost(arguments):
    """Prints the time a member and step; returns evolution's to Caviar's."""
    case = problem(*PROBLEMS["digits"])
    steps = -(-len(case[1][0]) // BATCH) * arguments.epochs
    seconds = {"random": [], "evolution": []}
    for seed in range(arguments.repeats):
        # In turn, as a machine's speed changes.
        for method, taken in seconds.items():
            with tempfile.TemporaryDirectory() as folder:
                taken.append(search(method, case, seed, arguments, folder)[1])
    medians = {name: float(np.median(taken)) for name, taken in seconds.items()}
    for name, median in medians.items():
        each = median / steps / arguments.population
        print(f"{name}: {1e6 * each:.1f} µs a member and step")
    ratio = medians["evolution"] / medians["random"]
    print(f"evolution takes {ratio:.2f} times as long as Caviar", flush=True)
    return ratio


def quality(arguments):
    """Prints the best losses, a row a problem."""
    for name, settings in PROBLEMS.items():
        case = problem(*settings)
        for method in METHODS:
            found = []
            for seed in range(arguments.seeds):
                with tempfile.TemporaryDirectory() as folder:
                    found.append(
                        search(method, case, seed, arguments, folder)[0]
                    )
            low, median, high = np.quantile(found, [0.25, 0.5, 0.75])
            print(
                f"{name:14} {method:14} {median:.4f} ({low:.4f} to {high:.4f})",
                flush=True,
            )


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seeds", type=int, default=20)
    parser.add_argument("--population", type=int, default=32)
    parser.add_argument("--epochs", type=int, default=30)
    parser.add_argument("--repeats", type=int, default=3)
    arguments = parser.parse_args()
    ratio = cost(arguments)
    quality(arguments)
    return int(ratio > MOST_TIMES_CAVIAR)


if __name__ == "__main__":
    sys.exit(main())
