"""A search for TensorBoard: its curves, and its table of hyperparameters."""

import math
import pathlib

from tfcourse.errors import InputError
from tfcourse.tuning.results.search_results import read_results
from tfcourse.utils.atomic_files import replacing


def write_tensorboard(source, folder=None):
    """Writes the trials as runs of TensorBoard, with data for HParams.

    Look at them with `tensorboard --logdir FOLDER`. The HParams plugin then has
    a row per trial, and its own plots of them.

    Args:
        source: As for `write_report`.
        folder: Where to write; by default `tensorboard` in the folder of the
            run. One that is there is replaced.

    Returns:
        The folder.

    Raises:
        InputError: As for `write_report`.
    """
    import tensorflow as tf
    from tensorboard.plugins.hparams import api

    results = read_results(source)
    results.require_completed()
    folder = pathlib.Path(folder or results.folder / "tensorboard")
    domains = {
        axis.name: api.HParam(axis.name, _domain(api, axis))
        for axis in results.axes
    }
    _check_replaceable(folder)
    with replacing(folder) as beside:
        with tf.summary.create_file_writer(str(beside)).as_default():
            api.hparams_config(
                hparams=list(domains.values()),
                metrics=[api.Metric("score", display_name=results.objective)],
            )
        for record in results.records:
            if record.status == "unfinished":
                continue
            name = f"trial-{record.trial}"
            with tf.summary.create_file_writer(str(beside / name)).as_default():
                _write_trial(tf, api, record, domains)
    return folder


def _check_replaceable(folder):
    """Raises if a folder has something else than TensorBoard's files."""
    if folder.exists() and not folder.is_dir():
        raise InputError(f"{folder} is not a folder. Remove it.")
    for path in folder.rglob("*") if folder.is_dir() else ():
        if not path.is_dir() and "tfevents" not in path.name:
            raise InputError(
                f"{path} was not written by TensorBoard, and {folder} would "
                "be replaced. Remove it."
            )


def _write_trial(tf, api, record, domains):
    api.hparams(
        {
            domain: record.hyperparameters[name]
            for name, domain in domains.items()
            if name in record.hyperparameters
        },
        trial_id=f"trial-{record.trial}",
    )
    for metric, values in record.curves.items():
        for epoch, value in enumerate(values, 1):
            if isinstance(value, (int, float)) and math.isfinite(value):
                tf.summary.scalar(metric, value, epoch)
    if record.score is not None:
        tf.summary.scalar("score", record.score, record.best_epoch)


def _domain(api, axis):
    if axis.kind != "category":
        interval = api.IntInterval if axis.integer else api.RealInterval
        kind = int if axis.integer else float
        return interval(kind(axis.low), kind(axis.high))
    # The plugin wants values of one type.
    kinds = {type(value) for value in axis.values}
    return api.Discrete(axis.values) if len(kinds) == 1 else None
