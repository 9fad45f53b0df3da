"""What runs on a worker of a Ray cluster.

Keras is imported once the process is as it must be for that: which backend,
how many threads, how much of which GPU.
"""

import importlib.metadata
import math
import os
import pathlib
import pickle
import platform
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from typing import Any, NamedTuple

# What must be the same everywhere, for results to be.
_PACKAGES = ("tfcourse", "keras", "keras-tuner", "numpy", "tensorflow", "jax")
# Of a GPU's memory; the driver of the GPU takes some for each process.
_OF_MEMORY = 0.9
# Of the folder of a worker; what follows is the number of its process.
_PREFIX = "tfcourse-worker-"
_SECONDS_BETWEEN = 0.5
# The trainer of the search that the process is at, by the name of the search.
_trainers: dict[str, Any] = {}


class Board:
    """Where workers say what they are at; an actor beside the search."""

    def __init__(self) -> None:
        self._begun: dict[int, Standing] = {}

    def begun(self, ticket: int, node: str, process: int) -> None:
        """Notes who has begun a job."""
        self._begun[ticket] = Standing(node, process, time.time())

    def at_epoch(self, ticket: int, epoch: int, epochs: int) -> None:
        """Notes how far a job is."""
        if ticket in self._begun:
            said = f"epoch {epoch} of {epochs}"
            self._begun[ticket] = self._begun[ticket]._replace(said=said)

    def look(self) -> "dict[int, Standing]":
        """Returns for each job who is at it, and how far."""
        return dict(self._begun)


class Standing(NamedTuple):
    """Who is at a job.

    Attributes:
        node: The name of the node.
        process: The number of its process.
        since: When it has begun.
        said: How far it is, or nothing.
    """

    node: str
    process: int
    since: float
    said: str = ""


def train(
    ticket: int,
    job: bytes,
    search: str,
    refs: list[Any],
    conditions: dict[str, Any],
    board: Any,
) -> tuple[Any, str]:
    """Trains a job.

    Args:
        ticket: Its number.
        job: The pickled `Job`: to unpickle it imports Keras.
        search: The name of the search.
        refs: The references of the pickled `Shared`, of the modules that it
            needs, and of the arguments of the search.
        conditions: What the process must be like.
        board: The handle of a `Board`.

    Returns:
        The `JobResult`, and the name of the node.
    """
    board.begun.remote(ticket, socket.gethostname(), os.getpid())
    if search not in _trainers:
        prepare(conditions)
        # One search at a time: that of a driver before is over.
        _trainers.clear()
        _trainers[search] = _trainer(refs)
    from tfcourse.tuning.display.search_display import epochs_told

    with epochs_told(_Telling(board, ticket)):
        result = _trainers[search].train(pickle.loads(job))
    return result, socket.gethostname()


class _Telling:
    """Tells a board of epochs, now and then."""

    def __init__(self, board: Any, ticket: int) -> None:
        self._board, self._ticket = board, ticket
        self._told = -math.inf

    def __call__(self, trials: int, epoch: int, epochs: int) -> None:
        now = time.monotonic()
        if now - self._told > _SECONDS_BETWEEN:
            self._told = now
            self._board.at_epoch.remote(self._ticket, epoch, epochs)


def prepare(conditions: dict[str, Any]) -> None:
    """Makes a process what it must be to train, before Keras is imported.

    Raises:
        InputError: If it has other packages than the search.
    """
    check_versions(conditions["versions"])
    os.environ.update(conditions["env"])
    count = conditions["cpus"]
    for name in ("OMP", "TF_INTRAOP", "TF_INTEROP"):
        os.environ[_THREADS[name]] = str(count)
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    gpus = conditions["gpus"]
    if not gpus:
        os.environ["CUDA_VISIBLE_DEVICES"] = ""
        os.environ.setdefault("JAX_PLATFORMS", "cpu")
    elif gpus < 1:
        share = f"{_OF_MEMORY * gpus:.3f}"
        os.environ["XLA_PYTHON_CLIENT_MEM_FRACTION"] = share
    from tfcourse.utils.machine.cores import set_cores

    set_cores(count)
    import keras

    if gpus and keras.config.backend() == "tensorflow":
        _limit_gpus(gpus)


_THREADS = {
    "OMP": "OMP_NUM_THREADS",
    "TF_INTRAOP": "TF_NUM_INTRAOP_THREADS",
    "TF_INTEROP": "TF_NUM_INTEROP_THREADS",
}


def _limit_gpus(share: float) -> None:
    """Lets TensorFlow take no more of a GPU than the worker's share."""
    import tensorflow as tf

    for gpu in tf.config.list_physical_devices("GPU"):
        total = _memory_of_gpu() if share < 1 else None
        if total is None:
            tf.config.experimental.set_memory_growth(gpu, True)
            continue
        limit = tf.config.LogicalDeviceConfiguration(
            memory_limit=int(_OF_MEMORY * share * total)
        )
        tf.config.set_logical_device_configuration(gpu, [limit])


def _memory_of_gpu() -> int | None:
    """Returns the memory of the GPU that the process sees, in MiB."""
    seen = os.environ.get("CUDA_VISIBLE_DEVICES", "").split(",")[0]
    command = ["nvidia-smi", "--query-gpu=memory.total"]
    command += ["--format=csv,noheader,nounits"]
    command += [f"--id={seen}"] if seen else []
    try:
        told = subprocess.run(command, capture_output=True, text=True)
        return int(told.stdout.split()[0])
    except (OSError, ValueError, IndexError):
        return None


def _trainer(refs: list[Any]) -> Any:
    import ray

    from tfcourse.tuning.caviar.executors.interface import set_keras
    from tfcourse.tuning.caviar.executors.training import Trainer

    modules, shared, data = ray.get(refs)
    _take_modules(modules)
    common = pickle.loads(shared)
    set_keras(common.keras)
    args, kwargs = data
    return Trainer(common.with_data(args, kwargs), _folder())


def _take_modules(modules: dict[str, bytes]) -> None:
    """Lets imports find modules of which there are no files here."""
    for name, content in modules.items():
        if name not in sys.modules:
            sys.modules[name] = pickle.loads(content)


def _folder() -> pathlib.Path:
    """Returns an empty folder below Ray's own, the process's.

    Ray ends processes without a word, so that what they leave is removed by
    those that come after.
    """
    import ray

    context = ray.get_runtime_context()
    session = pathlib.Path(context.get_temp_dir(), context.get_session_name())
    parent = (
        session if session.is_dir() else pathlib.Path(tempfile.gettempdir())
    )
    for path in parent.glob(f"{_PREFIX}*"):
        if not _is_running(path.name.removeprefix(_PREFIX)):
            shutil.rmtree(path, ignore_errors=True)
    folder = parent / f"{_PREFIX}{os.getpid()}"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    return folder


def _is_running(process: str) -> bool:
    try:
        os.kill(int(process), 0)
    except (ValueError, ProcessLookupError):
        return False
    except OSError:
        # Somebody else's.
        return True
    return int(process) != os.getpid()


# What a node has


def versions() -> dict[str, str]:
    """Returns the versions of all that results depend on."""
    found = {"python": platform.python_version()}
    for name in _PACKAGES:
        try:
            found[name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            continue
    return found


def describe(modules: dict[str, bytes], space: bytes | None) -> dict[str, Any]:
    """Returns what a node has, and whether it can build a search space.

    Args:
        modules: Those that the space needs, pickled.
        space: The pickled space, or None for none.
    """
    found = {
        "node": socket.gethostname(),
        "versions": versions(),
        "cores": os.cpu_count(),
        "memory": _free_memory(),
        "gpus": _names_of_gpus(),
        "space": "",
    }
    if space is not None:
        os.environ["CUDA_VISIBLE_DEVICES"] = ""
        try:
            _take_modules(modules)
            _build(pickle.loads(space))
        except Exception as error:
            found["space"] = f"{type(error).__name__}: {error}"
    return found


def _build(space: Any) -> None:
    import keras_tuner

    build = getattr(space, "build", space)
    build(keras_tuner.HyperParameters())


def _free_memory() -> float:
    """Returns how much memory is free, in GiB, or 0 where nobody says."""
    try:
        pages = os.sysconf("SC_AVPHYS_PAGES")
        return pages * os.sysconf("SC_PAGE_SIZE") / 2**30
    except (AttributeError, ValueError, OSError):
        return 0.0


def _names_of_gpus() -> list[str]:
    command = ["nvidia-smi", "--query-gpu=name", "--format=csv,noheader"]
    try:
        told = subprocess.run(command, capture_output=True, text=True)
    except OSError:
        return []
    return [] if told.returncode else told.stdout.splitlines()


def check_versions(expected: dict[str, str]) -> None:
    """Raises an `InputError` unless this process has the same packages."""
    from tfcourse.errors import InputError

    found = versions()
    for name, version in expected.items():
        if found.get(name) != version:
            raise InputError(
                f"The node {socket.gethostname()} has {name} "
                f"{found.get(name, 'not at all')}, where the search has "
                f"{version}. Install the same on all nodes: results depend on "
                "it."
            )
