"""What is done at the end of each period of a run."""

import logging
from collections.abc import Mapping

import numpy as np

from tfcourse.tuning.panda.control.settable import values_of
from tfcourse.tuning.panda.state.model import synchronize
from tfcourse.tuning.panda.training.gradient_norm import GradientNorm
from tfcourse.tuning.panda.training.options import Options, Policy
from tfcourse.tuning.panda.training.run import PandaRun
from tfcourse.tuning.panda.training.steering import Steering

_LOG = logging.getLogger(__name__)


class Periods:
    """Notices when a period ends, and then writes, nudges and saves.

    Args:
        run: The `PandaRun`.
        steering: Its `Steering`.
        options: The `Options`.
        gradient_norm: The `GradientNorm`, or `None`.
    """

    def __init__(
        self,
        run: PandaRun,
        steering: Steering,
        options: Options,
        gradient_norm: GradientNorm | None,
    ) -> None:
        self._run = run
        self._steering = steering
        self._options = options
        self._gradient_norm = gradient_norm

    def ends(self, new: int) -> bool:
        """Returns whether a period ended in the last `new` batches.

        Not with the epoch: its own end comes at once, and knows more.
        """
        period, place = self._options.period, self._run.place
        ends_epoch = place.batch == self._run.params.get("steps")
        if isinstance(period, str) or ends_epoch:
            return False
        return place.step // period > (place.step - new) // period

    def end(self, logs: Mapping[str, float], force: bool = False) -> str | None:
        """Ends a period; returns what is wrong with the state, if anything.

        Args:
            logs: What `fit` reports.
            force: Whether a checkpoint is due in any case.
        """
        run = self._run
        synchronize(run.model)
        run.logs = {name: float(value) for name, value in logs.items()}
        norm = self._gradient_norm
        run.recorder.period(
            run.logs,
            values_of(run.model, run.settings),
            **({"gradient_norm": norm.value} if norm else {}),
        )
        if self._options.policy:
            self._obey_policy(self._options.policy)
        return run.save(best=self._is_best(), force=force)

    def _obey_policy(self, policy: Policy) -> None:
        recorder = self._run.recorder
        # A long run must not end by a mistake in what only advises it.
        try:
            changes = policy(list(recorder.periods))
            if changes:
                name = getattr(policy, "__name__", "policy")
                self._steering.nudge(changes, who=f"policy {name}")
        except Exception as error:
            why = f"{type(error).__name__}: {error}"
            recorder.event("refuse", why, who="policy")
            _LOG.warning("The policy of Panda failed: %s", why)

    def _is_best(self) -> bool:
        """Returns whether this is the best period, and remembers it."""
        run = self._run
        name = self._options.monitor or (
            "val_loss" if "val_loss" in run.logs else "loss"
        )
        value = run.logs.get(name)
        if value is None or not np.isfinite(value):
            return False
        if run.best is not None and run.best["name"] == name:
            known = run.best["value"]
            rises = self._options.rises(name)
            if not (value > known if rises else value < known):
                return False
        run.best = {"name": name, "value": value}
        return True
