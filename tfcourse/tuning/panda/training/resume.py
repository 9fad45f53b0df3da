"""Goes on with a run where an earlier process ended."""

from tfcourse.tuning.panda.recovery.checkpoints import Checkpoint
from tfcourse.tuning.panda.recovery.replay import Replay
from tfcourse.tuning.panda.state.random_generators import set_random_state
from tfcourse.tuning.panda.training.run import PandaRun
from tfcourse.utils.keras_private import begin_at


def resume_from(run: PandaRun, checkpoint: Checkpoint) -> None:
    """Takes a run to a checkpoint: the model, the journal and the data.

    Args:
        run: The `PandaRun`, which has just begun.
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
