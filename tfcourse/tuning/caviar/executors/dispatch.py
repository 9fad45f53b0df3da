"""Giving out jobs, and giving them out again where a worker was lost."""

import collections
import dataclasses
import itertools
import logging
import time
from collections.abc import Callable, Iterator, Sequence

from tfcourse.tuning.caviar.executors.interface import (
    MEMORY,
    NODE,
    Job,
    JobResult,
    Loss,
    Session,
)

_log = logging.getLogger("tfcourse.tuning.caviar")
# As often a line says whom a search waits for.
_SECONDS_SILENT = 60.0
_SECONDS_A_LOOK = 1.0


@dataclasses.dataclass
class Piece:
    """Trials that are given out together.

    Attributes:
        batch: The number of their batch.
        together: The ids of all that may be trained together.
        only: The ids of those that are given out.
        attempts: How often they were given out and lost.
        crashes: How often they, or what they were part of, ended the process
            that trained them.
    """

    batch: int
    together: tuple[str, ...]
    only: tuple[str, ...]
    attempts: int = 0
    crashes: int = 0

    def halves(self, retries: int) -> list["Piece"]:
        """Returns the halves of the piece, each of which has a try left."""
        half = (len(self.only) + 1) // 2
        attempts = max(min(self.attempts, retries - 1), 0)
        return [
            dataclasses.replace(self, only=only, attempts=attempts)
            for only in (self.only[:half], self.only[half:])
        ]

    def __str__(self) -> str:
        ids = self.only[0]
        if len(self.only) > 1:
            ids = f"{self.only[0]} to {self.only[-1]}"
        return f"batch {self.batch} (trial{'s'[: len(self.only) > 1]} {ids})"


@dataclasses.dataclass(frozen=True)
class Done:
    """A piece that is done with.

    Attributes:
        piece: The piece.
        outcome: Its result, or why it is given up.
        node: Where it was trained.
    """

    piece: Piece
    outcome: JobResult | Loss
    node: str


class Dispatch:
    """Gives out pieces to the workers of a session.

    A piece that is lost is given out again, before all others. Its second
    crash, or too little memory, halves it; a single trial is given up once it
    was lost more often than there are retries.

    Args:
        session: The executor's session.
        job_of: Returns the job of a piece.
        retries: How often a piece is given out again.
        compares: Whether trials are compared while they train, so that halves
            come to something else: they are made as late as can be.
        progress: As of an `Executor`.
    """

    def __init__(
        self,
        session: Session,
        job_of: Callable[[Piece], Job],
        retries: int,
        compares: bool = False,
        progress: Callable[[str], None] | None = None,
    ) -> None:
        self._session = session
        self._job_of = job_of
        self._retries = retries
        self._compares = compares
        self._progress = progress
        self._lost_so_far = 0
        self._waiting: collections.deque[Piece] = collections.deque()
        self._out: dict[int, Piece] = {}
        self._tickets = itertools.count()
        self._heard = time.monotonic()

    def __len__(self) -> int:
        return len(self._waiting) + len(self._out)

    def add(self, pieces: Sequence[Piece]) -> None:
        """Adds pieces behind all that wait."""
        self._waiting.extend(pieces)

    def give_out(self) -> None:
        """Submits as many as workers can take, and one that they find next.

        No more, as what is submitted cannot be overtaken.
        """
        while self._waiting and len(self._out) <= self._session.workers:
            piece, ticket = self._waiting.popleft(), next(self._tickets)
            self._out[ticket] = piece
            self._session.submit(ticket, self._job_of(piece))

    def done(self, wait: bool) -> Iterator[Done]:
        """Yields what is done with.

        Args:
            wait: Whether to wait until something has come back.
        """
        timeout = _SECONDS_A_LOOK if wait else 0.0
        while True:
            if wait and self._progress:
                self._progress(self._standing())
            arrivals = self._session.arrivals(timeout)
            for arrival in arrivals:
                piece = self._out.pop(arrival.ticket, None)
                if piece is None:
                    # Of an attempt that was given up, or for the second time.
                    continue
                if isinstance(arrival.outcome, JobResult):
                    yield Done(piece, arrival.outcome, arrival.node)
                else:
                    yield from self._lost(piece, arrival.outcome, arrival.node)
            if arrivals or not wait:
                self._heard = time.monotonic()
                return
            self._tell_of_waiting()

    def _lost(self, piece: Piece, loss: Loss, node: str) -> Iterator[Done]:
        self._lost_so_far += 1
        piece.attempts += 1
        piece.crashes += loss.kind != NODE
        too_often = piece.attempts > self._retries
        halved = len(piece.only) > 1 and (
            loss.kind == MEMORY
            or too_often
            or (piece.crashes > 1 and not self._compares)
        )
        where = f" on {node}" if node else ""
        if halved:
            what = "is handed out again in two halves"
            self._waiting.extendleft(piece.halves(self._retries)[::-1])
        elif too_often:
            what = "is given up"
            yield Done(piece, loss, node)
        else:
            what = "is handed out again"
            self._waiting.appendleft(piece)
        _log.warning("%s%s %s: %s", piece, where, what, loss.why)

    def _standing(self) -> str:
        """Returns how the workers are, in some words."""
        nodes = collections.Counter(self._session.at_work())
        at_work = ", ".join(
            f"{node} × {count}" if count > 1 else node
            for node, count in sorted(nodes.items())
        )
        told = [f"at work: {at_work or 'nobody yet'}"]
        free = len(self) - nodes.total()
        if free:
            told.append(f"{free} batch{'es'[: 2 * (free > 1)]} to begin")
        if self._lost_so_far:
            told.append(f"{self._lost_so_far} lost and handed out again")
        return ", ".join(told)

    def _tell_of_waiting(self) -> None:
        silent = time.monotonic() - self._heard
        if silent < _SECONDS_SILENT:
            return
        self._heard = time.monotonic()
        out = ", ".join(map(str, self._out.values())) or "nothing"
        _log.warning(
            "Waiting for %s; %d more are waiting their turn. %s",
            out,
            len(self._waiting),
            self._session.waits_for(),
        )
