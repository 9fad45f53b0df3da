"""Searches on Ray: workers, populations, what they cost, what a loss costs.

A search of small networks on scanned digits by `LocalExecutor` and by
`RayExecutor` of 1 and more workers, in populations of several sizes. For each:
wall seconds, cold (a cluster begins, workers import TensorFlow) and warm (the
next search of the same process), the seconds that workers trained, CPU seconds
of the driver a trial, bytes of a batch and of its results a trial. With
`--kill`, a worker is killed in mid-batch, and the seconds until its batch is
done are told. With `--peer`, Ray Tune runs `--peer-trials` of the same trials,
each a `model.fit`, between two searches of ours (it needs `pip install
'ray[tune]'`).

    python benchmarks/scale.py --workers 1 2 --populations 8 64 --kill

Wall seconds mean something on a machine that does nothing else, and has a core
for each worker.
"""

import argparse
import os
import pickle
import signal
import tempfile
import threading
import time

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import keras
import keras_tuner
from spaces import digits

from tfcourse.tuning import Caviar, LocalExecutor, RayExecutor
from tfcourse.tuning.caviar.executors.on_ray import session

OBJECTIVE = keras_tuner.Objective("val_accuracy", "max")


def build(hp):
    model = keras.Sequential(
        [
            keras.Input((64,)),
            keras.layers.Dense(64, "relu"),
            keras.layers.Dense(10, "softmax"),
        ]
    )
    rate = hp.Float("learning_rate", 1e-4, 1e-1, sampling="log")
    model.compile(
        keras.optimizers.Adam(rate),
        "sparse_categorical_crossentropy",
        metrics=["accuracy"],
    )
    return model


class Counted:
    """Counts the bytes of jobs and results, and whom to kill."""

    def __init__(self):
        self.sent = self.came = 0
        self.victim = threading.Event()
        of_ray = session.RaySession
        submit, arrival = of_ray.submit, of_ray._arrival
        counted = self

        def counting_submit(this, ticket, job):
            counted.sent += len(pickle.dumps(job))
            counted.session = this
            submit(this, ticket, job)

        def counting_arrival(this, task):
            found = arrival(this, task)
            counted.came += len(pickle.dumps(found))
            return found

        of_ray.submit, of_ray._arrival = counting_submit, counting_arrival


def search(executor, population, arguments):
    """Returns wall seconds, CPU seconds of the driver, and the tuner."""
    train, dev = arguments.data
    with tempfile.TemporaryDirectory() as folder:
        wall, cpu = time.monotonic(), time.process_time()
        tuner = Caviar(
            build,
            OBJECTIVE,
            arguments.trials,
            population=population,
            executor=executor,
            directory=folder,
        )
        tuner.search(
            *train, validation_data=dev, epochs=arguments.epochs, verbose=0
        )
        return time.monotonic() - wall, time.process_time() - cpu, tuner


def told(name, population, found, trials, counted=None):
    wall, cpu, tuner = found
    trained = sum(group["seconds"] for group in tuner.groups)
    bytes_ = ""
    if counted:
        sent, came = counted.sent / trials, counted.came / trials
        bytes_ = f"{sent / 1e3:.1f} / {came / 1e3:.1f} kB"
        counted.sent = counted.came = 0
    print(
        f"{name:<22}{population:>5}{wall:>9.1f}{trained:>10.1f}"
        f"{cpu / trials:>11.3f}  {bytes_}",
        flush=True,
    )


def kill_a_worker(counted, when):
    """Kills the worker of the first batch, some seconds after it began."""
    while not (begun := counted.session._look()):
        time.sleep(0.05)  # Until a worker has told that it begins.
    # So that it is lost in the middle of its batch.
    time.sleep(when)
    os.kill(next(iter(begun.values())).process, signal.SIGKILL)


def with_kill(executor, population, arguments, counted):
    killer = threading.Timer(1.0, kill_a_worker, (counted, 0.5))
    killer.start()
    found = search(executor, population, arguments)
    killer.join()
    return found


def peer(arguments, reuse):
    """Returns the wall seconds of Ray Tune, a trial; all its trials succeed.

    By default each trial is a new process, which imports TensorFlow; with
    `reuse` it need not be.
    """
    from ray import tune

    (x, y), dev = arguments.data

    def trial(config):
        hp = keras_tuner.HyperParameters()
        hp.Fixed("learning_rate", config["rate"])
        model = build(hp)
        fitted = model.fit(
            x, y, validation_data=dev, epochs=arguments.epochs, verbose=0
        )
        return {"score": fitted.history["val_accuracy"][-1]}

    trials, space = arguments.peer_trials, {"rate": tune.loguniform(1e-4, 1e-1)}
    config = tune.TuneConfig(num_samples=trials, reuse_actors=reuse)
    with tempfile.TemporaryDirectory() as folder:
        quiet = tune.RunConfig(storage_path=folder, verbose=0)
        tuner = tune.Tuner(
            trial, param_space=space, tune_config=config, run_config=quiet
        )
        begun = time.monotonic()
        found = tuner.fit()
        seconds = time.monotonic() - begun
    if found.num_errors:
        raise found.errors[0]
    return seconds / trials


def beside_peer(before, executor, population, arguments):
    """Prints Ray Tune's seconds a trial, between two searches of ours."""
    for reuse in (False, True):
        try:
            theirs = peer(arguments, reuse)
        except ImportError as error:
            print(f"Ray Tune was not run: {error}; pip install 'ray[tune]'")
            return
        after = search(executor, population, arguments)[0]
        ours = (before + after) / 2 / arguments.trials
        before = after
        print(
            f"Ray Tune{', actors reused' if reuse else ''}: {theirs:.1f} s a "
            f"trial, {theirs / ours:.0f} times as much as in batches of "
            f"{population} ({ours:.2f} s)",
            flush=True,
        )


def main():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--workers", type=int, nargs="+", default=[1, 2])
    parser.add_argument("--populations", type=int, nargs="+", default=[8, 64])
    parser.add_argument("--trials", type=int, default=64)
    parser.add_argument("--epochs", type=int, default=10)
    parser.add_argument("--kill", action="store_true")
    parser.add_argument("--peer", action="store_true")
    parser.add_argument("--peer-trials", type=int, default=4)
    arguments = parser.parse_args()
    arguments.data = digits()
    trials = arguments.trials
    print(
        "who                   batch     wall   trained  driver CPU  sent/back"
    )
    for population in arguments.populations:
        found = search(LocalExecutor(), population, arguments)
        told("here", population, found, trials)
    counted = Counted()
    import ray

    for workers in arguments.workers:
        begun = time.monotonic()
        settings = {"include_dashboard": False, "log_to_driver": False}
        ray.init("local", num_cpus=workers, **settings)
        print(f"a cluster began in {time.monotonic() - begun:.1f} s")
        try:
            executor = RayExecutor(workers=workers)
            for n, population in enumerate(arguments.populations):
                name = f"{workers} workers, {'warm' if n else 'cold'}"
                found = search(executor, population, arguments)
                told(name, population, found, trials, counted)
            if arguments.peer:
                beside_peer(found[0], executor, population, arguments)
                counted.sent = counted.came = 0
            if arguments.kill:
                population = arguments.populations[0]
                found = with_kill(executor, population, arguments, counted)
                name = f"{workers} workers, a kill"
                told(name, population, found, trials, counted)
        finally:
            ray.shutdown()


if __name__ == "__main__":
    main()
