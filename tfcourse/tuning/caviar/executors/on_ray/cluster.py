"""Batches trained by the workers of a Ray cluster."""

import contextlib
import logging
import math
import os
import socket
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import keras

from tfcourse.errors import InputError
from tfcourse.tuning.caviar.executors.interface import (
    Executor,
    Session,
    Shared,
)
from tfcourse.tuning.caviar.executors.on_ray import worker
from tfcourse.tuning.caviar.executors.on_ray.session import RaySession, Wanted
from tfcourse.utils.text import first_line
from tfcourse.utils.validation import check_integer

_SECONDS_TO_ANSWER = 10.0
_log = logging.getLogger("tfcourse.tuning.caviar")
LOCAL = "local"


class RayExecutor(Executor):
    """Trains each batch as a task of a Ray cluster, or on cores of this host.

    The search stays in this process: it asks the oracle, writes all files, and
    gives out again what was lost. A batch may be trained on any node; nodes
    need the same packages, and share no folder. The search space goes to them
    by value, with the modules that lie beside its own.

    It is worth it for searches of more than a few minutes, as each worker
    imports TensorFlow once; see `docs/scale.md`. Needs `pip install
    'tfcourse[ray]'`.

    Args:
        address: The address of a cluster, say `"auto"` for that of this host,
            or `"10.0.0.1:6379"`; None or `"local"` to begin one on this host
            alone, which ends with the search.
        workers: How many batches are trained at a time, at most; by default as
            many as the cluster has room for, also while it grows.
        cpus: Cores of each.
        gpus: GPUs of each; a part of one for several workers a GPU.
        memory: Bytes of memory for each to be counted with, or None.
        retries: How often a batch is given out again when its worker or its
            node is lost, and a single trial before it has failed.
        env: Environment variables of the workers.
        modules: Further modules, or their names, that workers do not have.

    Raises:
        TypeError: If an argument is not of its kind.
        ValueError: If a number is out of range.
        InputError: When a search begins, if Ray is not installed, the cluster
            does not answer, or something cannot be sent to its workers.
    """

    def __init__(
        self,
        address: str | None = None,
        workers: int | None = None,
        cpus: int = 1,
        gpus: float = 0.0,
        memory: int | None = None,
        retries: int = 3,
        env: Mapping[str, str] | None = None,
        modules: Sequence[Any] = (),
    ) -> None:
        for name, value in (("workers", workers), ("memory", memory)):
            if value is not None:
                check_integer(value, name, "RayExecutor")
        check_integer(cpus, "cpus", "RayExecutor")
        check_integer(retries, "retries", "RayExecutor", least=0)
        if not 0 <= gpus < math.inf or (gpus > 1 and gpus % 1):
            raise ValueError(
                "`gpus` of RayExecutor must be a fraction of one GPU, or a "
                f"whole number of GPUs. Received: gpus={gpus!r}"
            )
        self.address = None if address == LOCAL else address
        self.workers = workers
        self.cpus, self.gpus, self.memory = cpus, gpus, memory
        self.retries = retries
        self.env = dict(env or {})
        self.modules = tuple(modules)
        if gpus:
            _leave_gpus_to_workers()

    @contextlib.contextmanager
    def session(self, shared: Shared) -> Iterator[Session]:
        with connected(self.address, self._cores_here()) as ray:
            session = RaySession(ray, self._wanted(), shared)
            try:
                yield session
            finally:
                session.cancel()

    def _cores_here(self) -> int:
        if self.workers is None:
            return os.cpu_count() or 1
        return self.workers * self.cpus

    def _wanted(self) -> Wanted:
        resources: dict[str, Any] = {
            "num_cpus": self.cpus,
            "num_gpus": self.gpus,
        }
        if self.memory:
            resources["memory"] = self.memory
        conditions = {
            "env": {"KERAS_BACKEND": keras.config.backend(), **self.env},
            "cpus": self.cpus,
            "gpus": self.gpus,
            "versions": worker.versions(),
        }
        return Wanted(self.workers, resources, conditions, self.modules)


def _leave_gpus_to_workers() -> None:
    """Keeps TensorFlow here from taking the memory of GPUs that it sees."""
    if keras.config.backend() != "tensorflow":
        return
    import tensorflow as tf

    try:
        tf.config.set_visible_devices([], "GPU")
    except RuntimeError:
        _log.warning(
            "TensorFlow has taken the GPUs of this host for this process "
            "already: create the RayExecutor before any model."
        )


def _check_answers(address: str) -> None:
    """Raises an `OSError` if nobody listens: Ray would try for minutes."""
    host, _, port = address.rpartition(":")
    if host and port.isdecimal() and "/" not in host:
        with socket.create_connection((host, int(port)), _SECONDS_TO_ANSWER):
            pass


@contextlib.contextmanager
def connected(address: str | None, cores: int | None = None) -> Iterator[Any]:
    """Gives the module `ray`, connected to a cluster.

    Args:
        address: As for `RayExecutor`.
        cores: Of a cluster that is begun here.

    Raises:
        InputError: If Ray is not installed, or the cluster does not answer.
    """
    try:
        import ray
    except ImportError:
        raise InputError(
            "Ray is not installed. Install it with: pip install 'tfcourse[ray]'"
        ) from None
    if ray.is_initialized():
        # Who has connected, disconnects.
        yield ray
        return
    # What Ray would print is about itself.
    settings: dict[str, Any] = {
        "log_to_driver": False,
        "logging_level": logging.ERROR,
    }
    if address is None:
        address = LOCAL
        settings |= {"num_cpus": cores, "include_dashboard": False}
    try:
        _check_answers(address)
        ray.init(address, **settings)
    except Exception as error:
        why = first_line(error).rstrip(".")
        raise InputError(
            f"The Ray cluster {address} does not answer: {why}. Start one "
            "with `ray start --head`, give its address, or give `local` for "
            "this host alone."
        ) from error
    try:
        yield ray
    finally:
        ray.shutdown()
