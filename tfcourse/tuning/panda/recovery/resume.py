"""Goes on with a run where an earlier process ended."""

from tfcourse.tuning.panda import keras_state
from tfcourse.tuning.panda.recovery.replay import Replay


def go_on(run, checkpoint):
    """Takes a run to a checkpoint: the model, the journal and the data.

    Args:
        run: The `Run`, which has just begun.
        checkpoint: The `Checkpoint`.
    """
    meta = checkpoint.meta
    for name in vars(run.place):
        setattr(run.place, name, meta[name])
    run.recorder.go_on(meta["lines"], meta["seconds"])
    run.best = meta["best"]
    run.logs = meta["logs"]
    run.stream.answer = meta["stream"]
    run.random_state = meta["random_at_epoch"]
    keras_state.begin_at(run.model, checkpoint.epoch)
    keras_state.set_random_state(meta["random_at_epoch"])
    ahead = checkpoint.step - checkpoint.batch if meta["stream"] else 0

    def restore():
        run.require_same_model(checkpoint)
        run.restore(checkpoint)
        if checkpoint.batch == 0:
            keras_state.set_random_state(meta["random"])
        run.replay = None
        run.publish()

    if run.model.built and not checkpoint.batch:
        restore()
    if ahead or checkpoint.batch or not run.model.built:
        run.replay = Replay(
            run.model, ahead, checkpoint.batch, meta["logs"], restore
        )
