"""A search's batches as tasks of a Ray cluster."""

import contextlib
import dataclasses
import logging
import math
import pickle
import time
import uuid
from collections.abc import Sequence
from typing import Any

import keras

from tfcourse.errors import InputError
from tfcourse.tuning.caviar.executors.interface import (
    MEMORY,
    NODE,
    WORKER,
    Arrival,
    Job,
    JobResult,
    Loss,
    Session,
    Shared,
)
from tfcourse.tuning.caviar.executors.on_ray import worker
from tfcourse.tuning.caviar.executors.on_ray.by_value import beside, by_value

_log = logging.getLogger("tfcourse.tuning.caviar")
# Of the memory that Ray shares among the processes of a host.
_MUCH_OF_STORE = 0.2
_SECONDS_RESOURCES_KNOWN = 2.0


@dataclasses.dataclass(frozen=True)
class Wanted:
    """What each worker is to have.

    Attributes:
        workers: How many of them there may be, or None for any number.
        resources: What Ray reserves for one, by the names of its options.
        conditions: What its process must be like, as for `worker.prepare`.
        modules: Further modules that it does not have.
    """

    workers: int | None
    resources: dict[str, Any]
    conditions: dict[str, Any]
    modules: Sequence[Any] = ()


class RaySession(Session):
    """A search's tasks on a cluster.

    Args:
        ray: The module, connected.
        wanted: What each worker is to have.
        shared: What all jobs of the search have in common.
    """

    def __init__(self, ray: Any, wanted: Wanted, shared: Shared) -> None:
        self._ray, self._wanted = ray, wanted
        self._search = uuid.uuid4().hex
        self._refs = self._sent(shared)
        # Zero calls are any number: a process is used again, with its programs.
        self._train = ray.remote(
            max_retries=0, max_calls=0, **wanted.resources
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
        # What it knew goes with it, and no more.
        options["max_restarts"] = -1
        return self._ray.remote(**options)(kind)

    def _sent(self, shared: Shared) -> list[Any]:
        """Puts what all jobs share where all workers find it."""
        pickler = self._ray.cloudpickle
        data = shared.args, shared.kwargs
        bare = shared.with_data((), {})
        with by_value(pickler, self._wanted.modules):
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
                "on a node: let a PyDataset read them there, or start Ray "
                "with a larger --object-store-memory.",
                size / 1e9,
                store / nodes / 1e9,
            )

    @property
    def workers(self) -> int:
        if self._wanted.workers is not None:
            # A cluster that grows by need must see the need.
            return self._wanted.workers
        count, known = self._room
        if time.monotonic() - known > _SECONDS_RESOURCES_KNOWN:
            count = self._count_room()
            self._room = count, time.monotonic()
        return count

    def _count_room(self) -> int:
        """Returns how many workers the nodes have room for together."""
        asked = self._wanted.resources
        wanted = {
            "CPU": asked["num_cpus"],
            "GPU": asked["num_gpus"],
            "memory": asked.get("memory", 0),
        }
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
        return room

    def submit(self, ticket: int, job: Job) -> None:
        task = self._train.remote(
            ticket,
            pickle.dumps(job),
            self._search,
            self._refs,
            self._wanted.conditions,
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
                raise _of_training(error, self._node_of(ticket)) from None
            return Arrival(ticket, loss, self._node_of(ticket))
        assert isinstance(result, JobResult)
        return Arrival(ticket, result, node)

    def _node_of(self, ticket: int) -> str:
        begun = self._look()
        return begun[ticket].node if ticket in begun else ""

    def _look(self) -> dict[int, worker.Standing]:
        try:
            return self._ray.get(self._board.look.remote(), timeout=5)
        except self._ray.exceptions.RayError:
            return {}

    def at_work(self) -> list[str]:
        begun = self._look()
        at_work = [begun[n] for n in self._tasks.values() if n in begun]
        return [f"{x.node} in {x.said}" if x.said else x.node for x in at_work]

    def waits_for(self) -> str:
        begun, now = self._look(), time.time()
        asked = self._wanted.resources
        told = [
            f"node {begun[n].node} has been at work for "
            f"{now - begun[n].since:.0f} s (process {begun[n].process})"
            for n in self._tasks.values()
            if n in begun
        ]
        free = len(self._tasks) - len(told)
        if free and not self._count_room():
            told.append(
                "no node of the cluster has room for a worker of "
                f"{asked['num_cpus']} CPUs and {asked['num_gpus']:g} GPUs: "
                "it waits until one joins"
            )
        return "; ".join(told) + "." if told else "No worker has started yet."

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
        return Loss(MEMORY, "its node ran out of memory")
    if isinstance(error, kinds.WorkerCrashedError):
        return Loss(WORKER, "the process of its worker ended")
    if isinstance(error, (kinds.NodeDiedError, kinds.ObjectLostError)):
        return Loss(NODE, "its node is gone")
    return None


def _of_training(error: Exception, node: str) -> Exception:
    """Returns what to raise for an error that a worker has raised."""
    cause = getattr(error, "cause", None)
    if isinstance(cause, InputError):
        return cause
    if "failed to import on the worker" in str(error):
        return InputError(
            f"The node {node or 'of a worker'} cannot import tfcourse, or has "
            "a version different from this process: install the same on all "
            "nodes. `tfcourse doctor --ray ADDRESS` says what each has."
        )
    return error


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
        f"{type(error).__name__}: {error}. Give arrays or a PyDataset, create "
        "what it holds inside the build, or search without an executor."
    )
