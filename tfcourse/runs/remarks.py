"""What a person should know of the data before a search begins."""

import numpy as np

from tfcourse.runs.prepared_data import PreparedData
from tfcourse.utils.text import listed


def remarks(data: PreparedData) -> list[str]:
    """Returns what was assumed of the data, each in a sentence."""
    if not data.is_table:
        return []
    found = list(data.dataset.notes)
    for column in data.dataset.columns:
        if column.kind == "category":
            found += _only_elsewhere(data, column.name)
        elif column.numeric:
            found += _never_varies(data, column.name)
    columns, features = len(data.dataset.columns), data.input_shape[0]
    if features != columns:
        found.append(f"{columns} columns become {features} features.")
    return found


def _only_elsewhere(data, name):
    """Says which categories are in no example for training."""
    values, split = data.dataset.x[name], data.split
    known = set(values[split.train].tolist())
    elsewhere = np.sort(np.concatenate([split.dev, split.test]))
    rows = [row for row in elsewhere.tolist() if values[row] not in known]
    if not rows:
        return []
    new = list(dict.fromkeys(values[row] for row in rows))
    places = data.dataset.places
    return [
        f"{name!r} has {listed(new, at_most=3)} only outside the training "
        f"set, first in {places[rows[0]]}: treated as unknown there."
    ]


def _never_varies(data, name):
    values = data.dataset.x[name]
    known = values[data.split.train]
    known = known[~np.isnan(known)]
    if len(known) and np.ptp(known) > 0:
        return []
    return [f"{name!r} never varies in the training set, so it is of no use."]
