"""What a search leaves, to be compared with another."""

import pathlib

import h5py
import numpy as np

from tfcourse.utils.atomic_files import read_json


def outcome(project):
    """Returns all that a search leaves, but for times, and machines."""
    found = {}
    for path in sorted(pathlib.Path(project).glob("trial_*/*")):
        name = f"{path.parent.name}/{path.name}"
        if path.suffix == ".h5":
            found[name] = weights(path)
        else:
            content = read_json(path)
            for key in ("seconds", "ended"):
                content.pop(key, None)
            found[name] = content
    oracle = read_json(pathlib.Path(project, "oracle.json"))
    for name in ("display", "tuner_ids", "run_times"):
        oracle.pop(name, None)
    # One process ends the trials of a batch by groups.
    for name in ("tried_so_far", "end_order"):
        oracle[name] = sorted(oracle[name])
    found["oracle"] = oracle
    return found


def weights(path):
    """Returns what is in a file of weights, to the last bit."""
    found = {}

    def visit(name, entry):
        if isinstance(entry, h5py.Dataset):
            array = np.asarray(entry)
            found[name] = array.dtype.str, array.shape, array.tobytes()

    with h5py.File(path) as file:
        file.visititems(visit)
    return found
