"""Run folders of made-up searches, for what comes after the search."""

import json

import numpy as np

_PARENT = {
    "class_name": "Parent",
    "config": {"name": "optimizer", "values": ["momentum"]},
}
SPACE = [
    ("Int", "units", {"min_value": 50, "max_value": 100, "step": 1}),
    ("Choice", "batch_size", {"values": [32, 64, 128], "ordered": True}),
    (
        "Float",
        "learning_rate",
        {"min_value": 1e-4, "max_value": 1.0, "sampling": "log"},
    ),
    ("Choice", "optimizer", {"values": ["momentum", "adam"]}),
    (
        "Float",
        "1 - beta",
        {
            "min_value": 1e-3,
            "max_value": 0.1,
            "sampling": "log",
            "conditions": [_PARENT],
        },
    ),
]


def draw(rng):
    """Returns the hyperparameters of a trial, as keras-tuner has them."""
    values = {
        "units": int(rng.integers(50, 101)),
        "batch_size": int(rng.choice([32, 64, 128])),
        "learning_rate": float(10 ** rng.uniform(-4, 0)),
        "optimizer": str(rng.choice(["momentum", "adam"])),
    }
    if values["optimizer"] == "momentum":
        values["1 - beta"] = float(10 ** rng.uniform(-3, -1))
    return values


def score_of(values):
    """Only the learning rate matters; 0.01 is best."""
    return 0.95 - 0.1 * abs(np.log10(values["learning_rate"]) + 2)


def make_run(
    folder,
    trials=12,
    *,
    seed=0,
    space=SPACE,
    drawn=None,
    score=score_of,
    direction="max",
    failed=(),
    unfinished=(),
    rounds=(),
    groups=(),
    finished=True,
    name="digits",
    settings=(),
    data=(),
    evaluation=None,
):
    """Writes the folder of a run.

    Args:
        folder: Where.
        trials: How many.
        seed: Of the draws.
        space: A list of class, name and config, as keras-tuner writes them.
        drawn: The hyperparameters of each trial; by default drawn.
        score: Function of them.
        direction: Of the objective.
        failed: The trials that have diverged.
        unfinished: Those that have not ended.
        rounds: As in the file of a coarse-to-fine oracle.
        groups: As in `groups.json`.
        finished: Whether the run has ended.
        name: Of the data.
        settings: A dict of those that are others than usual.
        data: Likewise of what is said of the data.
        evaluation: For each set how good the model is, as the file has it; the
            result then has the scores and intervals of it.

    Returns:
        The folder.
    """
    rng = np.random.default_rng(seed)
    drawn = drawn or [draw(rng) for _ in range(trials)]
    search = folder / "search"
    search.mkdir(parents=True)
    scores = []
    for n, values in enumerate(drawn):
        status = (
            "FAILED"
            if n in failed
            else "RUNNING"
            if n in unfinished
            else "COMPLETED"
        )
        scores.append(score(values) if status == "COMPLETED" else None)
        _write_trial(
            search / f"trial_{n:02}", f"{n:02}", values, status, scores[-1]
        )
    write(
        search / "oracle.json",
        {
            "hyperparameters": {
                "space": [
                    {
                        "class_name": class_name,
                        "config": {"name": own, "conditions": [], **config},
                    }
                    for class_name, own, config in space
                ],
                "values": {},
            },
            "rounds": list(rounds),
        },
    )
    if groups:
        write(search / "groups.json", list(groups))
    content = manifest(len(drawn), direction, finished, name)
    content["settings"] |= dict(settings)
    content["data"] |= dict(data)
    if evaluation:
        write(folder / "evaluation.json", evaluation)
        content["result"] = {
            "best_trial": "00",
            "intervals": {n: one["intervals"] for n, one in evaluation.items()},
            "baselines": {},
            **{n: one["scores"] for n, one in evaluation.items()},
        }
    write(folder / "run.json", content)
    return folder


def _regions(low, high, optimizers):
    return [
        {
            "name": "learning_rate",
            "axis": "log",
            "when": {},
            "low": low,
            "high": high,
        },
        {
            "name": "optimizer",
            "axis": "category",
            "when": {},
            "values": optimizers,
        },
        {
            "name": "beta",
            "axis": "one_minus_log",
            "when": {"optimizer": ["momentum"]},
            "low": 0.9,
            "high": 0.99,
        },
    ]


_ROUNDS = [
    {
        "trials": [f"{n:02}" for n in range(12)],
        "regions": _regions(1e-4, 1.0, ["momentum", "adam"]),
    },
    {
        "trials": [f"{n:02}" for n in range(12, 24)],
        "regions": _regions(1e-3, 0.1, ["adam"]),
    },
]
_GROUPS = [
    {
        "trials": [f"{n:02}" for n in range(20)],
        "members": 20,
        "how": "vectorised",
        "seconds": 4.0,
        "why": "",
    },
    {
        "trials": [f"{n:02}" for n in range(20, 24)],
        "members": 4,
        "how": "alone",
        "seconds": 6.0,
        "why": "it has a `train_step` of its own",
    },
]


def make_run_in_rounds(folder):
    """Writes the folder of a run of 24 trials, one failed, one unfinished."""
    return make_run(
        folder,
        trials=24,
        failed=[5],
        unfinished=[23],
        rounds=_ROUNDS,
        groups=_GROUPS,
    )


def manifest(trials, direction="max", finished=True, name="digits"):
    """Returns what `run.json` says."""
    return {
        "settings": {
            "data": name,
            "target": None,
            "space": "course",
            "trials": trials,
            "epochs": 3,
            "objective": "val_accuracy",
            "seed": 7,
            "device": "auto",
        },
        "objective": {
            "name": "val_accuracy" if direction == "max" else "val_loss",
            "direction": direction,
        },
        "data": {
            "name": name,
            "source": "made up",
            "fingerprint": "0123456789abcdef0123",
            "examples": 1797,
            "shape": [64],
            "classes": 10,
            "train": 1079,
            "dev": 359,
            "test": 359,
        },
        "versions": {"python": "3.11.7", "tfcourse": "0.1.0"},
        "written": "2026-01-02T03:04:05",
        "result": {
            "best_trial": "00",
            "dev": {"accuracy": 0.9},
            "test": {"accuracy": 0.875},
        }
        if finished
        else None,
    }


def write(path, value):
    """Writes JSON."""
    path.write_text(json.dumps(value))


def _write_trial(folder, trial, values, status, score):
    folder.mkdir()
    completed = status == "COMPLETED"
    failure = (
        "Traceback (most recent call last):\n  File x\n"
        "keras_tuner.src.errors.FailedTrialError: diverged: the loss was nan "
        "in epoch 2\n"
    )
    write(
        folder / "trial.json",
        {
            "trial_id": trial,
            "hyperparameters": {"space": [], "values": values},
            "metrics": {
                "metrics": {
                    name: {
                        "direction": "max",
                        "observations": [{"value": [score], "step": 2}],
                    }
                    for name in ("accuracy", "val_accuracy")
                }
            },
            "score": score,
            "best_step": 2 if completed else None,
            "status": status,
            "message": failure if status == "FAILED" else None,
        },
    )
    if status == "RUNNING":
        return
    curve = [score - 0.1, score - 0.05, score] if completed else [0.1]
    history = {"val_accuracy": curve, "accuracy": curve, "val_loss": curve}
    if not completed:
        history["loss"] = [2.0, float("nan")]
    write(folder / "history.json", {"seconds": 0.5, "history": history})
