"""What would a search take if its trials cost nothing but `model.fit`?

Each trial of keras-tuner pays for a model, a trace, a compilation and files. A
second `fit` of the same compiled model pays for none of these: it is what the
examples themselves take by Keras. Their ratio bounds what can be gained by
sharing all the rest; whoever gains more must train faster than `fit` does.

    python benchmarks/fit_again.py --only S01,S02 --trials 2

CPU seconds a trial, of the searches of `catalogue`, each in a process of its
own. Searches that do not call `fit` have no bound.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import real_searches


def measured(name, trials):
    """Returns CPU seconds a trial: keras-tuner's, and of a second `fit`."""
    make = real_searches.catalogue()[name]
    with tempfile.TemporaryDirectory() as folder:
        search = make(folder)
        drawn, _ = real_searches.grouped(search, min(64, search.trials))
        values = [begun.trial.hyperparameters.values for begun in drawn]
    step = max(1, len(values) // trials)
    values = values[step // 2 :: step][:trials]
    real_searches.warm_up()
    again = second_fits()
    with tempfile.TemporaryDirectory() as folder:
        search = make(folder)
        seconds = real_searches.by_keras_tuner(search, values, folder)
    second = sum(again)
    return (seconds - second) / len(values), second / len(values)


def second_fits():
    """Lets each `fit` be followed by another; returns the seconds of these."""
    import keras

    fit, seconds = keras.Model.fit, []

    def twice(self, *args, **kwargs):
        history = fit(self, *args, **kwargs)
        start = time.process_time()
        fit(self, *args, **kwargs | {"callbacks": None, "verbose": 0})
        seconds.append(time.process_time() - start)
        return history

    keras.Model.fit = twice
    return seconds


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--only", help="names with commas between them")
    parser.add_argument("--trials", type=int, default=2)
    parser.add_argument("--one", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.one:
        print(json.dumps(measured(options.one, options.trials)))
        return
    names = options.only.split(",") if options.only else real_searches.NAMES
    bounds = []
    for name in names:
        command = [sys.executable, __file__, "--one", name]
        command += ["--trials", str(options.trials)]
        answer = subprocess.run(
            command, stdout=subprocess.PIPE, text=True, check=True
        )
        first, again = json.loads(answer.stdout.splitlines()[-1])
        if again:
            bounds.append(first / again)
        bound = f"{bounds[-1]:.1f}" if again else "none"
        print(
            f"{name} keras-tuner {first:.2f} s, a second fit {again:.2f} s: "
            f"bound {bound}",
            flush=True,
        )
    if bounds:
        print(f"median of {len(bounds)}: {statistics.median(bounds):.1f}")


if __name__ == "__main__":
    main()
