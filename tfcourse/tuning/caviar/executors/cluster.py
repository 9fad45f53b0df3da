"""Batches trained by the workers of a Ray cluster."""

import contextlib
import logging
import math
import os
import pickle
import time
import uuid
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import keras

from tfcourse.errors import InputError
from tfcourse.tuning.caviar.executors import worker
from tfcourse.tuning.caviar.executors.by_value import beside, by_value
from tfcourse.tuning.caviar.executors.interface import (
    MEMORY,
    NODE,
    WORKER,
    Arrival,
    Executor,
    Job,
    JobResult,
    Loss,
    Session,
    Shared,
)
from tfcourse.utils.validation import check_integer

_log = logging.getLogger("tfcourse.tuning.caviar")
LOCAL = "local"
# Of the memory that Ray shares among the processes of a host.
_MUCH_OF_STORE = 0.2
_SECONDS_RESOURCES_KNOWN = 2.0


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
                "`gpus` of RayExecutor must be a part of one GPU, or a whole "
                f"number of them. Received: gpus={gpus!r}"
            )
        self.address = None if address == LOCAL else address
        self.workers = workers
        self.cpus, self.gpus, self.memory = cpus, gpus, memory
        self.retries = retries
        self.env = dict(env or {})
        self.modules = tuple(modules)

    @contextlib.contextmanager
    def session(self, shared: Shared) -> Iterator[Session]:
        with connected(self.address, self._cores_here()) as ray:
            session = _RaySession(self, ray, shared)
            try:
                yield session
            finally:
                session.cancel()

    def _cores_here(self) -> int:
        if self.workers is None:
            return os.cpu_count() or 1
        return self.workers * self.cpus

    def conditions(self) -> dict[str, Any]:
        """Returns what a worker's process must be like."""
        return {
            "env": {"KERAS_BACKEND": keras.config.backend(), **self.env},
            "cpus": self.cpus,
            "gpus": self.gpus,
            "versions": worker.versions(),
        }

    def resources(self) -> dict[str, Any]:
        """Returns what Ray reserves for a worker."""
        wanted = {"num_cpus": self.cpus, "num_gpus": self.gpus}
        return wanted | ({"memory": self.memory} if self.memory else {})


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
        ray.init(address, **settings)
    except Exception as error:
        raise InputError(
            f"The Ray cluster {address} does not answer: {error}. Begin one "
            "with `ray start --head`, give its address, or `local` for this "
            "host alone."
        ) from error
    try:
        yield ray
    finally:
        ray.shutdown()


class _RaySession(Session):
    """A search's tasks on a cluster."""

    def __init__(self, executor: RayExecutor, ray: Any, shared: Shared) -> None:
        self._executor, self._ray = executor, ray
        self._search = uuid.uuid4().hex
        self._conditions = executor.conditions()
        self._refs = self._sent(shared)
        # Zero calls are any number: a process is used again, with its programs.
        self._train = ray.remote(
            max_retries=0, max_calls=0, **executor.resources()
        )(worker.train)
        self._board = self._beside_driver(worker.Board).remote()
        self._tasks: dict[Any, int] = {}
        self._room = 0, -math.inf

    def _beside_driver(self, kind: type) -> Any:
        from ray.util.scheduling_strategies import (
            NodeAffinitySchedulingStrategy,
        )

        here = self._ray.get_runtime_context().get_node_id()
        place = NodeAffinitySchedulingStrategy(here, soft=True)
        options = {"num_cpus": 0, "scheduling_strategy": place}
        return self._ray.remote(**options)(kind)

    def _sent(self, shared: Shared) -> list[Any]:
        """Puts what all jobs share where all workers find it."""
        pickler = self._ray.cloudpickle
        data = shared.args, shared.kwargs
        bare = shared.with_data((), {})
        with by_value(pickler, self._executor.modules):
            modules = beside(shared.settings["hypermodel"], pickler)
            try:
                refs = [
                    self._ray.put(modules),
                    self._ray.put(pickler.dumps(bare)),
                    self._ray.put(data),
                ]
            except Exception as error:
                raise _unsendable(pickler, shared, error) from error
        self._warn_of_size(data)
        return refs

    def _warn_of_size(self, data: Any) -> None:
        arrays = keras.tree.flatten(data)
        size = sum(getattr(array, "nbytes", 0) for array in arrays)
        store = self._ray.cluster_resources().get("object_store_memory", 0)
        nodes = max(len(self._ray.nodes()), 1)
        if store and size > _MUCH_OF_STORE * store / nodes:
            _log.warning(
                "The data take %.1f GB, much of the %.1f GB that Ray shares "
                "on a node: let a PyDataset read them there, or begin Ray with "
                "a larger --object-store-memory.",
                size / 1e9,
                store / nodes / 1e9,
            )

    @property
    def workers(self) -> int:
        count, known = self._room
        if time.monotonic() - known > _SECONDS_RESOURCES_KNOWN:
            count = self._count_room()
            self._room = count, time.monotonic()
        return count

    def _count_room(self) -> int:
        """Returns how many workers the nodes have room for together."""
        wanted = {"CPU": self._executor.cpus, "GPU": self._executor.gpus}
        wanted["memory"] = self._executor.memory or 0
        room = 0
        for node in self._ray.nodes():
            if node["Alive"]:
                has = node["Resources"]
                room += int(
                    min(
                        has.get(name, 0) / amount
                        for name, amount in wanted.items()
                        if amount
                    )
                )
        most = self._executor.workers
        return room if most is None else min(room, most)

    def submit(self, ticket: int, job: Job) -> None:
        task = self._train.remote(
            ticket,
            pickle.dumps(job),
            self._search,
            self._refs,
            self._conditions,
            self._board,
        )
        self._tasks[task] = ticket

    def arrivals(self, timeout: float) -> list[Arrival]:
        if not self._tasks:
            time.sleep(timeout)
            return []
        tasks = list(self._tasks)
        ready, _ = self._ray.wait(tasks, num_returns=1, timeout=timeout)
        if ready:
            ready, _ = self._ray.wait(
                tasks, num_returns=len(tasks), timeout=0.0
            )
        return [self._arrival(task) for task in ready]

    def _arrival(self, task: Any) -> Arrival:
        ticket = self._tasks.pop(task)
        try:
            result, node = self._ray.get(task)
        except Exception as error:
            loss = _loss(self._ray, error)
            if loss is None:
                raise
            return Arrival(ticket, loss, self._node_of(ticket))
        assert isinstance(result, JobResult)
        return Arrival(ticket, result, node)

    def _node_of(self, ticket: int) -> str:
        return self._look().get(ticket, ("", 0, 0.0))[0]

    def _look(self) -> dict[int, tuple[str, int, float]]:
        try:
            return self._ray.get(self._board.look.remote(), timeout=5)
        except self._ray.exceptions.RayError:
            return {}

    def waits_for(self) -> str:
        begun, now = self._look(), time.time()
        told = [
            f"node {begun[n][0]} is at work since {now - begun[n][2]:.0f} s "
            f"(process {begun[n][1]})"
            for n in self._tasks.values()
            if n in begun
        ]
        free = len(self._tasks) - len(told)
        if free and not self._count_room():
            told.append(
                "no node of the cluster has room for a worker of "
                f"{self._executor.cpus} CPUs and {self._executor.gpus:g} GPUs: "
                "it waits until one joins"
            )
        return "; ".join(told) + "." if told else "No worker has begun yet."

    def cancel(self) -> None:
        """Ends what is still being trained."""
        for task in self._tasks:
            with contextlib.suppress(Exception):
                self._ray.cancel(task, force=True)
        self._tasks.clear()
        with contextlib.suppress(Exception):
            self._ray.kill(self._board)


def _loss(ray: Any, error: Exception) -> Loss | None:
    """Returns which loss an error of Ray's is, or None for one of training."""
    kinds = ray.exceptions
    if isinstance(error, kinds.OutOfMemoryError):
        return Loss(MEMORY, "the memory of its node did not suffice")
    if isinstance(error, kinds.WorkerCrashedError):
        return Loss(WORKER, "the process of its worker ended")
    if isinstance(error, (kinds.NodeDiedError, kinds.ObjectLostError)):
        return Loss(NODE, "its node is gone")
    return None


def _unsendable(pickler: Any, shared: Shared, error: Exception) -> InputError:
    """Returns what to say of something that cannot be pickled, by its name."""
    places = [
        f"argument {n + 1} of the search" for n in range(len(shared.args))
    ]
    named = {f"`{name}`": value for name, value in shared.settings.items()}
    named |= dict(zip(places, shared.args, strict=True))
    named |= {f"`{name}`": value for name, value in shared.kwargs.items()}
    name = "The search"
    for place, value in named.items():
        try:
            pickler.dumps(value)
        except Exception as found:
            name, error = place[0].upper() + place[1:], found
            break
    return InputError(
        f"{name} cannot be sent to workers, as it cannot be pickled: "
        f"{type(error).__name__}: {error}. Give arrays or a PyDataset, make "
        "what it holds inside of the build, or search without an executor."
    )
