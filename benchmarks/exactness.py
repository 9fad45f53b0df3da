"""Spaces drawn at random: does each trial come out as if trained alone?

Draws search spaces from Keras's layers, activations, losses, metrics,
optimizers, regularizers, callbacks and arguments of `fit`. Each is searched by
Caviar and, with the same seeds, by `SerialTuner`, which gives each trial to
`model.fit`. Hyperparameters, statuses, scores, curves and weights are compared.
One line a space; exit code 1 if one differs by more than rounding.
"""

import argparse
import contextlib
import io
import logging
import os
import pathlib
import sys
import tempfile
import time
import warnings

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import h5py
import keras_tuner
import numpy as np
from random_spaces import Space

from tfcourse.tuning import Caviar, RandomSearchOracle, SerialTuner
from tfcourse.utils.atomic_files import read_json

TRIALS, EPOCHS = 3, 2
# Twenty times what sums of float32 in another order came to in most spaces.
TOLERANCE = 1e-3
# From such a loss on, weights and statistics are differences of huge numbers:
# of these only the curves are compared.
EXPLODED = 1e6


def search(space, tuner_class, folder):
    objective = keras_tuner.Objective("loss", "min")
    tuner = tuner_class(
        oracle=RandomSearchOracle(objective, TRIALS, 0),
        hypermodel=space.build,
        directory=folder / tuner_class.__name__,
        # A program of three trials may take longer than training alone.
        **({"smallest_group": 1} if tuner_class is Caviar else {}),
    )
    kwargs = {"epochs": EPOCHS, "shuffle": False, "verbose": 0}
    kwargs |= space.kwargs
    if "callbacks" in kwargs:
        kwargs["callbacks"] = kwargs["callbacks"]()
    crash = ""
    try:
        tuner.search(*space.args, **kwargs)
    except (ValueError, RuntimeError):
        # Where all trials fail, they are compared as such.
        pass
    except Exception as error:
        line = (str(error).splitlines() or [""])[0]
        crash = f"{tuner_class.__name__}: {type(error).__name__}: {line}"
    return tuner, crash


def records(tuner):
    """Returns what became of each trial: words to be equal, arrays alike."""
    words, numbers = {}, {}
    for name, trial in tuner.oracle.trials.items():
        words[name] = (
            trial.status,
            trial.best_step,
            trial.hyperparameters.values,
        )
        folder = pathlib.Path(tuner.get_trial_dir(name))
        if trial.status != "COMPLETED":
            continue
        numbers[name, "score"] = trial.score
        curves = read_json(folder / "history.json")["history"]
        numbers |= {(name, metric): v for metric, v in curves.items()}
        if np.nanmax(np.abs(curves["loss"])) < EXPLODED:
            numbers |= {(name, path): v for path, v in weights(folder)}
    return words, numbers


def weights(folder):
    """Returns the arrays of a trial's checkpoint, each with its path."""
    found = []

    def note(path, item):
        if isinstance(item, h5py.Dataset):
            found.append((path, item[()]))

    with h5py.File(folder / "checkpoint.weights.h5") as file:
        file.visititems(note)
    return found


def difference(ours, theirs):
    """Returns the largest relative difference, and where it is."""
    (words, numbers), (others, expected) = records(ours), records(theirs)
    for name, word in others.items():
        if words.get(name) != word:
            return np.inf, f"trial {name}: {words.get(name)} for {word}"
    if numbers.keys() != expected.keys():
        return np.inf, str(sorted(numbers.keys() ^ expected.keys())[:2])
    largest, where = 0.0, ""
    for key, value in expected.items():
        a, b = np.asarray(numbers[key], float), np.asarray(value, float)
        if a.shape != b.shape or not np.array_equal(np.isnan(a), np.isnan(b)):
            return np.inf, f"trial {key[0]}, {key[1]}"
        scale = max(1e-2, np.nanmax(np.abs(b), initial=0))
        found = np.nanmax(np.abs(a - b), initial=0) / scale
        if found > largest:
            largest, where = float(found), f"trial {key[0]}, {key[1]}"
    return largest, where


def compare(seed, number):
    """Returns how a case was trained, and by how much it differs."""
    space = Space(np.random.default_rng([seed, number]))
    with (
        tempfile.TemporaryDirectory() as folder,
        contextlib.ExitStack() as quiet,
    ):
        quiet.enter_context(contextlib.redirect_stdout(io.StringIO()))
        quiet.enter_context(contextlib.redirect_stderr(io.StringIO()))
        ours, our_crash = search(space, Caviar, pathlib.Path(folder))
        theirs, their_crash = search(space, SerialTuner, pathlib.Path(folder))
        if our_crash or their_crash:
            largest, where = np.inf, our_crash or their_crash
        else:
            largest, where = difference(ours, theirs)
    trials = theirs.oracle.trials.values()
    trained = sum(trial.status == "COMPLETED" for trial in trials)
    how = sorted({group["how"] for group in ours.groups})
    why = "; ".join(sorted({g["why"] for g in ours.groups if g["why"]}))
    return space, ", ".join(how) or "refused", why, trained, largest, where


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--cases", type=int, default=200)
    parser.add_argument("--minutes", type=float, default=10)
    given = parser.parse_args()
    warnings.simplefilter("ignore")
    logging.disable(logging.WARNING)
    start, counts, different, untrained = time.monotonic(), {}, [], 0
    for number in range(given.cases):
        if time.monotonic() - start > 60 * given.minutes:
            break
        space, how, why, trained, largest, where = compare(given.seed, number)
        counts[how] = counts.get(how, 0) + 1
        untrained += not trained
        mark = f"  DIFFERS: {where}" if largest > TOLERANCE else ""
        if mark:
            different.append(number)
        print(f"{number:4} {space}\n     {how}{why and ': ' + why}", flush=True)
        print(f"     {trained} of {TRIALS} trials, {largest:.1e}{mark}")
    seconds = time.monotonic() - start
    print(f"{sum(counts.values())} spaces in {seconds:.0f} s: {counts}.")
    print(f"{untrained} trained by neither. Different: {different or 'none'}.")
    sys.exit(bool(different))


if __name__ == "__main__":
    main()
