"""A keras-tuner oracle whose state on disk survives `kill -9`.

The one place that overrides private names of keras-tuner 1.4; a test fails
when one of them changes.
"""

import keras_tuner
from keras_tuner.engine.trial import TrialStatus

from tfcourse.files import write_json
from tfcourse.tuning.records import in_order

PRIVATE_NAMES = (
    "_duplicate",
    "_get_oracle_fname",
    "_get_trial_dir",
    "_retry_queue",
    "_save_trial",
)

_ENDED = (TrialStatus.COMPLETED, TrialStatus.FAILED)


class CrashSafeOracle(keras_tuner.Oracle):
    """Keeps every file whole, and files that disagree in order.

    keras-tuner writes its files in place, so that a kill leaves half a file
    which it cannot read any more; and it writes a trial and the list of trials
    one after the other, so that a kill between the two leaves a trial that is
    never run, or is run twice.
    """

    def save(self):
        write_json(self._get_oracle_fname(), self.get_state())

    def _save_trial(self, trial):
        folder = self._get_trial_dir(trial.trial_id)
        write_json(f"{folder}/trial.json", trial.get_state())

    def reload(self):
        super().reload()
        # A trial's own file is written first, so it knows best.
        started = sorted(self.trials, key=in_order)
        ended = [i for i in started if self.trials[i].status in _ENDED]
        self.start_order = _extended(self.start_order, started)
        self.end_order = _extended(self.end_order, ended)
        # Reversed, because keras-tuner takes the next from the end.
        self._retry_queue = [i for i in started if i not in ended][::-1]
        for trial in map(self.trials.get, self._retry_queue):
            # What it had reported would be taken for the second run's.
            trial.metrics = type(trial.metrics)()


def _extended(order, ids):
    return order + [i for i in ids if i not in order]
