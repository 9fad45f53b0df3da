"""Successive halving inside one population."""

import math

import numpy as np

from tfcourse.tuning.population import Population

# Each costs a compilation, of some seconds, as the arrays shrink there.
_MOST_RUNGS = 3


class Halving:
    r"""Drops the worse half of the trials at rungs, each twice as late.

    Of $n$ trials and $R$ epochs, with
    $h = \min(3, \lfloor \log_2 n \rfloor, \lfloor \log_2 R \rfloor)$, there
    remain $\lceil n / 2^i \rceil$ after epoch
    $\lfloor R / 2^{h + 1 - i} \rfloor$, for $i = 1 \dots h$: of 64 trials and
    80 epochs 32, 16 and 8 after epochs 10, 20 and 40. A trial is judged by the
    best value of the objective that it has had so far.

    To be given to `Population.fit` as `on_epoch_end`.

    Args:
        size: $n$.
        executions: How many members in a row belong to one trial; it is judged
            by their mean.
        objective: Name of the metric, and `"min"` or `"max"`.
        first: The epoch at which training begins, 0 if it does anew.
        last: The epoch at which it ends.

    Attributes:
        dropped: A dict from the number of a dropped trial to how many epochs
            it was trained.

    Reference:
        Jamieson and Talwalkar (2016), Algorithm 1,
        https://arxiv.org/abs/1502.07943.
    """

    def __init__(
        self,
        size: int,
        executions: int,
        objective: tuple[str, str],
        first: int,
        last: int,
    ) -> None:
        self.dropped: dict[int, int] = {}
        self._size, self._executions = size, executions
        self._name, direction = objective
        self._sign = 1 if direction == "max" else -1
        self._best = np.full(size * executions, -np.inf)
        self._going = set(range(size * executions))
        self._survivors = rungs(size, first, last)

    def __call__(
        self, population: Population, epoch: int, logs: dict[str, np.ndarray]
    ) -> None:
        if self._name in logs:
            self._note(population, logs)
        left = self._survivors.get(epoch + 1)
        training = [int(k) for k in population.training]
        if left is None or not training:
            return
        chosen = set(self._ranking()[:left])
        kept = [k for k in training if k // self._executions in chosen]
        for k in self._going - set(kept):
            self.dropped.setdefault(k // self._executions, epoch + 1)
        self._going = set(kept)
        if kept:
            population.keep(kept)
        else:
            population.stop(training)

    def _note(
        self, population: Population, logs: dict[str, np.ndarray]
    ) -> None:
        for k, value in zip(population.members, logs[self._name], strict=True):
            # A finished member's value is that of an epoch that it has not
            # been trained for. Others fill the program up, and do not count.
            if k in self._going:
                self._best[k] = np.fmax(self._best[k], self._sign * value)
        self._going &= {int(k) for k in population.training}
        self._best[population.diverged[: len(self._best)]] = -np.inf

    def _ranking(self) -> list[int]:
        of_trials = self._best.reshape(self._size, self._executions)
        return np.argsort(-of_trials.mean(1), kind="stable").tolist()


def rungs(size: int, first: int, last: int) -> dict[int, int]:
    """Returns a dict from an epoch to how many trials go on after it."""
    epochs = last - first
    if size < 2 or epochs < 2:
        return {}
    count = min(_MOST_RUNGS, int(math.log2(size)), int(math.log2(epochs)))
    return {
        first + epochs // 2 ** (count + 1 - i): math.ceil(size / 2**i)
        for i in range(1, count + 1)
    }
