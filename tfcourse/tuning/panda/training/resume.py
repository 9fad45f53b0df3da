"""Goes on with a run where an earlier process ended."""

from tfcourse.tuning.panda.recovery.checkpoints import Checkpoint
from tfcourse.tuning.panda.recovery.replay import Replay
from tfcourse.tuning.panda.state.random_generators import set_random_state
from tfcourse.tuning.panda.training.run import PandaRun
from tfcourse.tuning.results.manifest import readable_or_input_error
from tfcourse.utils.keras_private import begin_at
from tfcourse.utils.shapes import check_shape

_RANDOM = {
    "python": [int, [int], (float, None)],
    "numpy": [str, [int], int, int, float],
}
_SHAPE = {
    **dict.fromkeys(("step", "epoch", "batch", "lines"), int),
    "seconds": float,
    "model": {"optimizer": str, "variables": [[str, [int], str]]},
    "loss": [float, int],
    "watch": (
        {"average": [int, float], "scale": [int, float], "spikes": int},
        None,
    ),
    "stream": (bool, None),
    "best": ({"name": str, "value": float}, None),
    "logs": {str: float},
    "random": _RANDOM,
    "random_at_epoch": _RANDOM,
}


def resume_from(run: PandaRun, checkpoint: Checkpoint) -> None:
    """Takes a run to a checkpoint: the model, the journal and the data.

    Args:
        run: The `PandaRun`, which has just begun.
        checkpoint: The `Checkpoint`.
    """
    with readable_or_input_error(checkpoint.path):
        meta = check_shape(checkpoint.meta, _SHAPE)
    for name in vars(run.place):
        setattr(run.place, name, meta[name])
    run.recorder.go_on(meta["lines"], meta["seconds"])
    if meta["best"] and run.checkpoints.best is None:
        run.checkpoints.best_is_lost()
    run.name_damage()
    # One whose file is lost is in the way of no other.
    run.best = meta["best"] if run.checkpoints.best else None
    run.logs = meta["logs"]
    run.stream.answer = meta["stream"]
    run.random_state = meta["random_at_epoch"]
    begin_at(run.model, checkpoint.epoch)
    set_random_state(meta["random_at_epoch"])
    ahead = checkpoint.step - checkpoint.batch if meta["stream"] else 0

    def restore() -> None:
        run.require_same_model(checkpoint)
        run.restore(checkpoint)
        if checkpoint.batch == 0:
            set_random_state(meta["random"])
        run.replay = None
        run.publish()

    if run.model.built and not checkpoint.batch:
        restore()
    if ahead or checkpoint.batch or not run.model.built:
        run.replay = Replay(
            run.model, ahead, checkpoint.batch, meta["logs"], restore
        )
