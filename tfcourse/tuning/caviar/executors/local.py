"""Training batches in this process, by the rules of many."""

import collections
import contextlib
import tempfile
from collections.abc import Iterator

from tfcourse.tuning.caviar.executors.interface import (
    Arrival,
    Executor,
    Job,
    Session,
    Shared,
)
from tfcourse.tuning.caviar.executors.training import Trainer


class LocalExecutor(Executor):
    """Trains one batch after the other in this process, as workers would.

    The result of a batch depends on its trials alone, whereas a search without
    an executor lets a batch use the programs of earlier ones. So a search may
    begin here and continue with workers, or the other way round.
    """

    @contextlib.contextmanager
    def session(self, shared: Shared) -> Iterator[Session]:
        with tempfile.TemporaryDirectory() as folder:
            yield _Local(Trainer(shared, folder))


class _Local(Session):
    def __init__(self, trainer: Trainer) -> None:
        self._trainer = trainer
        self._jobs: collections.deque[tuple[int, Job]] = collections.deque()

    @property
    def workers(self) -> int:
        return 0

    def submit(self, ticket: int, job: Job) -> None:
        self._jobs.append((ticket, job))

    def arrivals(self, timeout: float) -> list[Arrival]:
        if not self._jobs:
            return []
        ticket, job = self._jobs.popleft()
        return [Arrival(ticket, self._trainer.train(job))]
