"""The fifth step: what was trained is written, and reported to the oracle."""

import time

from tfcourse.tuning._keras_tuner import Trial, report_results, run_and_report
from tfcourse.tuning.caviar.arguments.fit_arguments import SearchArguments
from tfcourse.tuning.caviar.deferred_calls import DeferredCalls
from tfcourse.tuning.caviar.failures import failures_allowed
from tfcourse.tuning.caviar.groups_log import GroupRecord
from tfcourse.tuning.caviar.steps.group_training import GroupResult
from tfcourse.tuning.caviar.steps.grouping import SerialGroup
from tfcourse.tuning.oracles.crash_safe import trials_written_together
from tfcourse.tuning.tuners.guarded_search import check_folder_is_there
from tfcourse.tuning.tuners.serial import SerialTuner
from tfcourse.utils import global_state
from tfcourse.utils.atomic_files import AtomicBatch


def commit(
    result: GroupResult | SerialGroup,
    tuner: SerialTuner,
    search: SearchArguments,
    after_trials: DeferredCalls,
) -> GroupRecord:
    """Ends the trials of a group.

    Args:
        result: What came of the group; trials that could not be trained
            together are run here, as keras-tuner does.
        tuner: The tuner whose trials they are.
        search: What its `search` was called with.
        after_trials: What the tuner calls after each trial, for which the
            trials' files must be there.

    Returns:
        How they were trained.
    """
    if isinstance(result, SerialGroup):
        return _run_alone(result, tuner, search, after_trials)
    return _end_together(result, tuner, after_trials)


def _end_together(
    result: GroupResult, tuner: SerialTuner, after_trials: DeferredCalls
) -> GroupRecord:
    """Ends trials at the cost of one.

    A crash leaves no trial that has ended without its weights and its curve.
    """
    check_folder_is_there(tuner)
    with AtomicBatch() as files:
        for outcome in result.outcomes:
            outcome.write(files, tuner)
    with after_trials.deferred(), trials_written_together(tuner.oracle):
        for outcome in result.outcomes:
            report_results(tuner.oracle, outcome.trial, outcome.results)
            end(outcome.trial, tuner)
    return GroupRecord(
        trials=[outcome.trial.trial_id for outcome in result.outcomes],
        members=sum(len(outcome.runs) for outcome in result.outcomes),
        how=result.how,
        seconds=result.seconds,
        why=result.why,
        verified=result.verified,
        advice=result.advice,
        program=result.program,
    )


def _run_alone(
    group: SerialGroup,
    tuner: SerialTuner,
    search: SearchArguments,
    after_trials: DeferredCalls,
) -> GroupRecord:
    """Runs and ends trials one by one."""
    start = time.monotonic()
    for trial in group.trials:
        # Its file is written once: its results and its end are one.
        with after_trials.deferred(), trials_written_together(tuner.oracle):
            run_and_report(tuner, trial, *search.args, **search.kwargs)
            end(trial, tuner)
        global_state.look_past_what_is_left()
    return GroupRecord(
        trials=[trial.trial_id for trial in group.trials],
        members=len(group.trials),
        how="alone",
        seconds=time.monotonic() - start,
        why=group.why,
        advice=group.advice,
    )


def end(trial: Trial, tuner: SerialTuner) -> None:
    """Ends a trial; failures in a row are counted for a batch, not here."""
    with failures_allowed(tuner.oracle):
        tuner.on_trial_end(trial)
