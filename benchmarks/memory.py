"""Does memory grow with the number of trials? Caviar against keras-tuner.

The same space, data and epochs, each tuner in a process of its own. What is
counted is the resident memory of the process between the end of the trials
that it needs to warm up and the end of the last, for each trial between.

Exits with 1 if Caviar's grows by more than 0.3 MiB a trial.

    python benchmarks/memory.py --trials 500 --theirs 40

With `--searches` so many searches of 8 trials run in one process instead, of
the same space, of spaces of different widths, or of `tfcourse tune`; the
resident memory may grow by 20 % at most after the tenth.

    python benchmarks/memory.py --searches 50 --of varied
"""

import argparse
import contextlib
import functools
import gc
import io
import os
import pathlib
import subprocess
import sys
import tempfile

LIMIT = 0.3
GROWTH = 0.2
EPOCHS, BATCH = 2, 64
# Caviar's first batch traces, and the second reaches what one needs at most.
POPULATION, WARM_UP_OF_KERAS_TUNER = 50, 8


def build(hp, units=32):
    import keras

    model = keras.Sequential(
        [
            keras.Input((64,)),
            keras.layers.Dense(units, activation="relu"),
            keras.layers.BatchNormalization(),
            keras.layers.Dense(10, activation="softmax"),
        ]
    )
    rate = hp.Float("learning_rate", 1e-4, 1e-1, sampling="log")
    model.compile(
        keras.optimizers.SGD(rate, momentum=0.9),
        "sparse_categorical_crossentropy",
        metrics=["accuracy"],
    )
    return model


def resident():
    gc.collect()
    pages = pathlib.Path("/proc/self/statm").read_text().split()[1]
    return int(pages) * os.sysconf("SC_PAGE_SIZE") / 2**20


def searched(kind, trials):
    """Searches; returns the resident MiB after each trial."""
    import keras_tuner
    from sklearn.datasets import load_digits

    from tfcourse.tuning import Caviar

    x, y = load_digits(return_X_y=True)
    x = (x / 16).astype("float32")
    objective = keras_tuner.Objective("val_accuracy", "max")
    settings = {"directory": tempfile.mkdtemp(), "project_name": "p"}
    sizes = []
    if kind == "caviar":
        tuner = Caviar(
            build,
            objective,
            trials,
            population=POPULATION,
            on_trial=lambda *_: sizes.append(
                sizes[-1] if len(sizes) % POPULATION else resident()
            ),
            **settings,
        )
    else:

        class Watched(keras_tuner.RandomSearch):
            def on_trial_end(self, trial):
                super().on_trial_end(trial)
                sizes.append(resident())

        tuner = Watched(build, objective, trials, seed=1, **settings)
    tuner.search(
        x[:1000],
        y[:1000],
        validation_data=(x[1000:], y[1000:]),
        epochs=EPOCHS,
        batch_size=BATCH,
        verbose=0,
    )
    return [*sizes, resident()]


def after_searches(number, kind):
    """Runs searches in this process; returns the MiB after each."""
    sizes = []
    for n in range(number):
        with tempfile.TemporaryDirectory() as folder:
            if kind == "commands":
                tune(folder)
            else:
                search(folder, 16 + n if kind == "varied" else 32)
        sizes.append(resident())
        print(f"search {n + 1}: {sizes[-1]:.0f} MiB", flush=True)
    return sizes


def search(folder, units):
    import keras_tuner
    import numpy as np

    from tfcourse.tuning import Caviar

    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(256, 64)), rng.integers(10, size=256)
    tuner = Caviar(
        functools.partial(build, units=units),
        keras_tuner.Objective("loss", "min"),
        8,
        directory=folder,
        project_name="p",
    )
    tuner.search(x, y, epochs=EPOCHS, batch_size=BATCH, verbose=0)


def tune(folder):
    from tfcourse import cli

    sys.argv = ["tfcourse", "tune", "--data", "iris", "--rounds", "1"]
    sys.argv += ["--trials", "8", "--epochs", str(EPOCHS)]
    sys.argv += ["--out", f"{folder}/r"]
    with (
        contextlib.suppress(SystemExit),
        contextlib.redirect_stdout(io.StringIO()),
    ):
        cli.main()


def growth(kind, trials):
    """Returns the MiB a trial by which a process of its own grew."""
    command = [sys.executable, __file__, "--one", kind, "--trials", str(trials)]
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        sys.exit(done.stderr)
    sizes = [float(size) for size in done.stdout.split("sizes")[-1].split()]
    first = 2 * POPULATION if kind == "caviar" else WARM_UP_OF_KERAS_TUNER
    return (sizes[-1] - sizes[first]) / (trials - first), sizes[-1]


def main():
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--trials", type=int, default=500)
    arguments.add_argument("--theirs", type=int, default=40)
    arguments.add_argument("--one", choices=["caviar", "keras_tuner"])
    arguments.add_argument("--searches", type=int)
    arguments.add_argument(
        "--of", choices=["same", "varied", "commands"], default="same"
    )
    given = arguments.parse_args()
    if given.searches:
        sizes = after_searches(given.searches, given.of)
        grown = sizes[-1] / sizes[min(10, len(sizes)) - 1] - 1
        print(f"grown by {grown:.1%} after the tenth")
        sys.exit(grown > GROWTH)
    if given.one:
        print("sizes", *searched(given.one, given.trials))
        return
    print(f"{'':14}{'trials':>8}{'MiB a trial':>14}{'MiB at the end':>16}")
    found = {}
    for kind, trials in [
        ("keras_tuner", given.theirs),
        ("caviar", given.trials),
    ]:
        found[kind], end = growth(kind, trials)
        print(f"{kind:14}{trials:8}{found[kind]:14.3f}{end:16.0f}", flush=True)
    sys.exit(found["caviar"] > LIMIT)


if __name__ == "__main__":
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    main()
