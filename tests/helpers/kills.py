"""Searches that are killed at random moments, and go on."""

import csv
import dataclasses
import json
import multiprocessing
import os
import pathlib
import time
import zipfile

import h5py
import keras
import numpy as np

from tfcourse.runs.search import SearchRun
from tfcourse.runs.settings import Settings, read_settings
from tfcourse.tuning.search_space.scales import log_uniform

SPACE = f"{__file__}:softmax"


def softmax(hp):
    """A search space that is quick to train."""
    model = keras.Sequential(
        [keras.Input((4,)), keras.layers.Dense(3, activation="softmax")]
    )
    model.compile(
        keras.optimizers.SGD(log_uniform(hp, "learning_rate", 1e-3, 1.0)),
        "sparse_categorical_crossentropy",
        metrics=["accuracy"],
    )
    return model


class Killer:
    """Runs searches in processes, and kills them.

    All processes are forked from one that has imported everything, so that the
    moments fall into the search and not into the imports.

    Args:
        settings: The `Settings` of every search.
        seed: Of the moments.
    """

    def __init__(self, settings, seed):
        self._settings = dataclasses.asdict(settings)
        self._context = multiprocessing.get_context("forkserver")
        self._context.set_forkserver_preload([__name__])
        self._rng = np.random.default_rng(seed)
        self.kills = 0
        # The first one waits until everything is imported.
        first = self._context.Process(target=int)
        first.start()
        first.join()

    def whole(self, folder):
        """Runs a search without a break; returns its seconds."""
        started = time.monotonic()
        process = self._start(folder)
        process.join()
        self._seconds = time.monotonic() - started
        self._files = _files(folder)
        if process.exitcode:
            raise RuntimeError(f"The search ended with {process.exitcode}.")
        return self._seconds

    def broken(self, folder, kills):
        """Runs a search that is killed up to so many times.

        Returns:
            How often it was killed before it ended.

        Raises:
            AssertionError: If a kill left a file that cannot be read, or a
                trial that had completed is lost or was run again.
        """
        completed = {}
        for done in range(kills + 1):
            process = self._start(folder)
            if done == kills:
                process.join()
            elif self._rng.uniform() < 0.5:
                process.join(timeout=self._rng.uniform(0, self._seconds))
            else:
                self._wait_for_a_file(process, folder)
            if process.exitcode is None:
                process.kill()
                process.join()
                self.kills += 1
            elif process.exitcode:
                raise AssertionError(f"It ended with {process.exitcode}.")
            check_readable(folder)
            before, completed = completed, completed_trials(folder)
            for trial, state in before.items():
                if completed.get(trial) != state:
                    raise AssertionError(f"{trial} was lost or run again.")
            if process.exitcode == 0:
                return done
        raise AssertionError("The last one was not to be killed.")

    def _wait_for_a_file(self, process, folder):
        """Waits until there are some more files, at a random one of all.

        Most of the time passes between the files, most of the danger not.
        """
        # A kill leaves a few that the whole search took away.
        present = min(_files(folder), self._files - 1)
        files = self._rng.integers(present, self._files) + 1
        while process.exitcode is None and _files(folder) < files:
            process.join(timeout=0.001)

    def _start(self, folder):
        process = self._context.Process(
            target=search, args=(self._settings, str(folder))
        )
        process.start()
        return process


def search(settings, folder):
    """Begins a search in a folder, or goes on with the one that is there."""
    folder = pathlib.Path(folder)
    resume = (folder / "run.json").exists()
    if resume:
        trials, settings = settings["trials"], read_settings(folder)
        if not settings.evolve:
            settings = settings.resumed(trials=trials)
    else:
        settings = Settings(**settings)
    run = SearchRun(settings, folder, resume=resume)
    with run.locked():
        run.search()
        run.finish()


def check_readable(folder):
    """Raises an error if a file of a run, of any kind, is not whole."""
    for path in folder.rglob("*"):
        # What a kill may leave behind, and nothing reads.
        hidden = any(p.startswith(".") for p in path.relative_to(folder).parts)
        if hidden or path.is_dir():
            continue
        if path.suffix == ".json":
            json.loads(path.read_text())
        elif path.suffix == ".csv":
            with path.open(newline="") as f:
                rows = list(csv.reader(f))
            assert len({len(row) for row in rows}) == 1, path
        elif path.suffix == ".h5" and path.parent in _completed(folder):
            with h5py.File(path) as f:
                f.visititems(_read)
        elif path.suffix == ".keras":
            assert zipfile.ZipFile(path).testzip() is None, path
        elif path.suffix == ".html":
            assert path.read_text().rstrip().endswith("</html>"), path


def completed_trials(folder):
    """Returns what there is of each completed trial, and since when."""
    return {
        trial.name: [
            (path.read_bytes(), path.stat().st_mtime_ns)
            for path in (trial / "trial.json", trial / "history.json")
        ]
        for trial in _completed(folder)
    }


def outcome(folder):
    """Returns the trials and the result of a run, without their times."""
    with (folder / "trials.csv").open(newline="") as f:
        trials = [{**row, "seconds": ""} for row in csv.DictReader(f)]
    result = json.loads((folder / "run.json").read_text())["result"]
    # How many programs there were depends on where they were broken off.
    for name in ("seconds_per_trial", "programs", "alone"):
        del result[name]
    return trials, result


def _files(folder):
    # Unlike `rglob`, it does not mind that a folder is gone meanwhile.
    return sum(len(dirs) + len(files) for _, dirs, files in os.walk(folder))


def _read(_, item):
    if isinstance(item, h5py.Dataset):
        np.asarray(item)


def _completed(folder):
    trials = folder.glob("search/trial_*")
    return [
        trial
        for trial in sorted(trials)
        if (trial / "trial.json").exists()
        and json.loads((trial / "trial.json").read_text())["status"]
        == "COMPLETED"
    ]
