"""Oracles by ask and tell, without a tuner and its models."""

import keras_tuner

OBJECTIVE = keras_tuner.Objective("score", "min")


def start(oracle, folder):
    """Gives an oracle its project folder; what is there is gone on with."""
    oracle.verbose = 0
    oracle._set_project_dir(folder, "search")
    if (folder / "search" / "oracle.json").exists():
        oracle.reload()
    return oracle


def ask(oracle, name="tuner"):
    trial = oracle.create_trial(name)
    assert trial.status in ("RUNNING", "IDLE", "STOPPED")
    return trial


def tell(oracle, trial, score, status="COMPLETED"):
    """Ends a trial, `score` its number or a function of its values."""
    if callable(score):
        score = score(trial.hyperparameters.values)
    if status == "COMPLETED":
        oracle.update_trial(trial.trial_id, {"score": score})
    trial.status = status
    oracle.end_trial(trial)


def run(oracle, score, at_once=1, most=None):
    """Runs a search, as many trials at once as the oracle gives.

    Returns:
        The trials, in order of start.
    """
    trials = []
    while most is None or len(trials) < most:
        batch = []
        for place in range(at_once):
            trial = ask(oracle, f"tuner{place}")
            if trial.status != "RUNNING":
                break
            batch.append(trial)
        # The last one first: the order must not matter.
        for one in reversed(batch):
            tell(oracle, one, score)
        trials += batch
        if not batch:
            assert trial.status == "STOPPED"
            break
    return trials


def values(trials):
    return [trial.hyperparameters.values for trial in trials]
