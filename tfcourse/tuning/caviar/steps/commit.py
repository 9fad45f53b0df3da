"""The fifth step: what was trained is written, reported and logged."""

import time

from tfcourse.tuning._keras_tuner import Trial, report_results, run_and_report
from tfcourse.tuning.caviar.deferred_calls import DeferredCalls
from tfcourse.tuning.caviar.failures import failures_allowed
from tfcourse.tuning.caviar.fit_arguments import SearchArguments
from tfcourse.tuning.caviar.groups_log import GroupRecord, log_group
from tfcourse.tuning.caviar.steps.group_training import GroupResult
from tfcourse.tuning.caviar.steps.grouping import SerialGroup
from tfcourse.tuning.oracles.crash_safe import trials_written_together
from tfcourse.tuning.tuners.serial import SerialTuner
from tfcourse.utils.atomic_files import AtomicBatch


def commit(
    result: GroupResult, tuner: SerialTuner, after_trials: DeferredCalls
) -> None:
    """Ends the trials of a group, at the cost of one.

    A crash leaves no trial that has ended without its weights and its curve.

    Args:
        result: What came of the group.
        tuner: The `Caviar` whose trials they are.
        after_trials: What the tuner calls after each trial, for which the
            trials' files must be there.
    """
    with AtomicBatch() as files:
        for outcome in result.outcomes:
            outcome.write(files, tuner)
    with after_trials.deferred(), trials_written_together(tuner.oracle):
        for outcome in result.outcomes:
            report_results(tuner.oracle, outcome.trial, outcome.results)
            _end(tuner, outcome.trial)
    log_group(
        tuner,
        GroupRecord(
            trials=[trial.trial_id for trial in result.trials],
            members=sum(len(outcome.runs) for outcome in result.outcomes),
            how=result.how,
            seconds=result.seconds,
            why=result.why,
        ),
    )


def run_alone(
    group: SerialGroup, tuner: SerialTuner, search: SearchArguments
) -> None:
    """Runs and ends trials one by one, as keras-tuner does."""
    start = time.monotonic()
    for trial in group.trials:
        run_and_report(tuner, trial, *search.args, **search.kwargs)
        _end(tuner, trial)
    log_group(
        tuner,
        GroupRecord(
            trials=[trial.trial_id for trial in group.trials],
            members=len(group.trials),
            how="alone",
            seconds=time.monotonic() - start,
            why=group.why,
        ),
    )


def _end(tuner: SerialTuner, trial: Trial) -> None:
    with failures_allowed(tuner.oracle):
        tuner.on_trial_end(trial)
