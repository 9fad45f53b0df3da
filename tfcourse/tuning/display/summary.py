"""A search in one line, and its best trials as a table."""

import html
from typing import Any

import keras_tuner

from tfcourse.tuning._keras_tuner import TrialStatus
from tfcourse.tuning.search_space.scales import to_display
from tfcourse.utils.notebook import html_table
from tfcourse.utils.text import format_score, format_value

_BEST = 5


def search_line(tuner: keras_tuner.Tuner) -> str:
    """Returns how far a search is and what its best trial is, in one line."""
    oracle = tuner.oracle
    name = type(tuner).__name__
    ended = [
        trial
        for trial in oracle.trials.values()
        if trial.status not in (TrialStatus.RUNNING, TrialStatus.IDLE)
    ]
    of = f" of {oracle.max_trials}" if oracle.max_trials else ""
    best = "".join(
        f", best {oracle.objective.name} {format_score(trial.score)} "
        f"(trial {trial.trial_id})"
        for trial in _best_trials(oracle, 1)
    )
    return f"<{name}: {len(ended)}{of} trials{best}, in {tuner.project_dir}>"


def search_html(tuner: keras_tuner.Tuner) -> str:
    """Returns that line, and the best trials as a table."""
    line = f"<p>{html.escape(search_line(tuner), quote=False)}</p>"
    return line + best_trials_html(tuner.oracle)


def best_trials_html(oracle: keras_tuner.Oracle) -> str:
    """Returns the best trials of a search as a small table."""
    trials = _best_trials(oracle, _BEST)
    if not trials:
        return "<p>No trial has completed.</p>"
    values = [_readable(trial) for trial in trials]
    names = list(dict.fromkeys(name for each in values for name in each))
    return html_table(
        ["trial", oracle.objective.name, *names],
        [
            [
                trial.trial_id,
                format_score(trial.score),
                *(format_value(each.get(name)) for name in names),
            ]
            for trial, each in zip(trials, values, strict=True)
        ],
    )


def _best_trials(oracle: keras_tuner.Oracle, count: int) -> list[Any]:
    return [t for t in oracle.get_best_trials(count) if t.score is not None]


def _readable(trial: Any) -> dict[str, Any]:
    return dict(
        to_display(name, value)
        for name, value in trial.hyperparameters.values.items()
    )
