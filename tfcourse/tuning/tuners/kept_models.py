"""A budget on disk: the weights of the best models only."""

import keras_tuner

from tfcourse.errors import InputError
from tfcourse.tuning._keras_tuner import (
    TrialStatus,
    checkpoint_path,
    is_worker,
)


class KeepsBestModels(keras_tuner.Tuner):
    """Keeps no more than the best models' weights, beside each trial's record.

    A trial's weights are deleted once the trial has ended and others are
    better. It must come before the tuner in a list of base classes.

    Args:
        *args: Passed to the tuner.
        keep_models: How many models, 1 or more; `None` keeps all.
        **kwargs: Passed to the tuner.

    Raises:
        ValueError: If `keep_models` is not an integer of 1 or more, or the
            oracle is Hyperband's, which goes on from the weights of any trial.
    """

    def __init__(self, *args, keep_models=None, **kwargs):
        if keep_models is not None and (
            not isinstance(keep_models, int) or keep_models < 1
        ):
            raise ValueError(
                f"`keep_models` of {type(self).__name__} must be an integer "
                f"of 1 or more. Received: keep_models={keep_models!r}"
            )
        self._keep_models = keep_models
        self._with_weights = set()
        super().__init__(*args, **kwargs)
        if keep_models and isinstance(
            self.oracle, keras_tuner.oracles.HyperbandOracle
        ):
            raise ValueError(
                "`keep_models` cannot be used with Hyperband, whose trials go "
                f"on from earlier weights. Received: keep_models={keep_models}"
            )

    def reload(self):
        super().reload()
        if not is_worker(self):
            self._with_weights |= set(self.oracle.end_order)

    def _tell(self, trial):
        super()._tell(trial)
        if self._keep_models is None:
            return
        self._with_weights.add(trial.trial_id)
        best = {
            trial.trial_id
            for trial in self.oracle.get_best_trials(self._keep_models)
            if trial.status == TrialStatus.COMPLETED
        }
        for trial_id in self._with_weights - best:
            self._weights(trial_id).unlink(missing_ok=True)
        self._with_weights &= best

    def load_model(self, trial):
        if self._keep_models and not self._weights(trial.trial_id).exists():
            raise InputError(
                f"The weights of trial {trial.trial_id} are not there, as the "
                f"search keeps those of its best {self._keep_models} models "
                "only (`keep_models`). Ask for fewer models, or train it "
                "again with `tuner.get_best_hyperparameters`."
            )
        return super().load_model(trial)

    def _weights(self, trial_id):
        return checkpoint_path(self, trial_id)
