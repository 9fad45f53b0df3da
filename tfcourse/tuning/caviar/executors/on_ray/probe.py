"""What the nodes of a Ray cluster have, and whether they can train."""

import dataclasses
from typing import Any

from tfcourse.tuning.caviar.executors.on_ray import worker
from tfcourse.tuning.caviar.executors.on_ray.by_value import beside, by_value
from tfcourse.tuning.caviar.executors.on_ray.cluster import connected

# In which a process begins, and imports TensorFlow for the space.
_SECONDS_FOR_AN_ANSWER = 120.0


@dataclasses.dataclass(frozen=True)
class NodeReport:
    """What a node said.

    Attributes:
        node: Its name.
        found: What it has, in words.
        wrong: Why it cannot train, or `""`.
    """

    node: str
    found: str
    wrong: str


def probe(address: str | None, space: Any = None) -> list[NodeReport]:
    """Asks each node of a cluster what it has.

    Args:
        address: As for `RayExecutor`.
        space: A search space that each is to build a model of, or None.

    Raises:
        InputError: If the cluster does not answer.
    """
    with connected(address) as ray:
        pickler = ray.cloudpickle
        with by_value(pickler):
            modules = beside(space, pickler) if space is not None else {}
            sent = pickler.dumps(space) if space is not None else None
        nodes = [node for node in ray.nodes() if node["Alive"]]
        tasks = [_asked(ray, n).remote(modules, sent) for n in nodes]
        return [
            _report(ray, node, task)
            for node, task in zip(nodes, tasks, strict=True)
        ]


def _asked(ray: Any, node: dict[str, Any]) -> Any:
    from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

    place = NodeAffinitySchedulingStrategy(node["NodeID"], soft=False)
    return ray.remote(num_cpus=0, max_retries=0, scheduling_strategy=place)(
        worker.describe
    )


def _report(ray: Any, node: dict[str, Any], task: Any) -> NodeReport:
    name = node["NodeManagerHostname"]
    try:
        found = ray.get(task, timeout=_SECONDS_FOR_AN_ANSWER)
    except ray.exceptions.RayError as error:
        first = str(error).strip().partition("\n")[0]
        return NodeReport(name, "", f"it does not answer: {first}")
    has = node["Resources"]
    gpus = ", ".join(found["gpus"]) or "no GPU"
    words = (
        f"{has.get('CPU', 0):g} of {found['cores']} cores for workers, {gpus}, "
        f"{found['memory']:.1f} GiB free"
    )
    return NodeReport(name, words, _wrong(found))


def _wrong(found: dict[str, Any]) -> str:
    here, there = worker.versions(), found["versions"]
    differ = [
        f"{name} {there.get(name, 'is missing')}, here {here[name]}"
        for name in here
        if there.get(name) != here[name]
    ]
    if differ:
        return "packages differ from those here: " + "; ".join(differ)
    if found["space"]:
        return f"it cannot build the search space: {found['space']}"
    return ""
