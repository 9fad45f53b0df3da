"""An executor whose workers are late, lost, killed, and come twice."""

import contextlib
import pathlib
import pickle
import random
import tempfile

from tfcourse.tuning.caviar.executors.interface import (
    WORKER,
    Arrival,
    Executor,
    Loss,
    Session,
)
from tfcourse.tuning.caviar.executors.training import Trainer


class DriverKilledError(BaseException):
    """In the place of a kill of the process that searches."""


class FakeExecutor(Executor):
    """Trains jobs in this process, in random order, by workers in turn.

    Args:
        workers: How many there are.
        seed: Of the order.
        loses: How often in ten a job is lost, and how often its result comes a
            second time.
        kills: The ids of trials that kill who trains them.
        most: How many trials memory suffices for.
        dies_after: After how many results the driver is killed.
    """

    def __init__(
        self, workers=2, seed=0, loses=0, kills=(), most=None, dies_after=None
    ):
        self._count = workers
        self._random = random.Random(seed)
        self._loses = loses
        self._kills, self._most = set(kills), most
        self._dies_after = dies_after
        self.submitted = []
        self.most_at_once = 0

    @contextlib.contextmanager
    def session(self, shared):
        with tempfile.TemporaryDirectory() as folder:
            trainers = [
                Trainer(shared, pathlib.Path(folder, str(n)))
                for n in range(self._count)
            ]
            yield _Session(self, trainers)


class _Session(Session):
    def __init__(self, fake, trainers):
        self._fake, self._trainers = fake, trainers
        self._jobs, self._came = [], []

    @property
    def workers(self):
        return len(self._trainers)

    def submit(self, ticket, job):
        self._fake.submitted.append((job.batch, job.only))
        self._jobs.append((ticket, pickle.dumps(job)))
        at_once = max(self._fake.most_at_once, len(self._jobs))
        self._fake.most_at_once = at_once

    def arrivals(self, timeout):
        # Nothing is here at once.
        if not timeout:
            return []
        fake, draw = self._fake, self._fake._random
        if fake._dies_after is not None and not fake._dies_after:
            raise DriverKilledError
        if self._came and draw.random() < fake._loses / 10:
            return [draw.choice(self._came)]
        ticket, job = self._jobs.pop(draw.randrange(len(self._jobs)))
        loss = self._loss(pickle.loads(job))
        if loss:
            return [Arrival(ticket, loss, "fake")]
        if fake._dies_after is not None:
            fake._dies_after -= 1
        result = draw.choice(self._trainers).train(pickle.loads(job))
        came = Arrival(ticket, pickle.loads(pickle.dumps(result)), "fake")
        self._came.append(came)
        return [came]

    def _loss(self, job):
        fake = self._fake
        if fake._kills & set(job.only):
            return Loss(WORKER, "killed by signal 9")
        if fake._most and len(job.only) > fake._most:
            return Loss("memory", "no memory was left")
        if fake._random.random() < fake._loses / 10:
            return Loss("node", "its node is gone")
        return None
