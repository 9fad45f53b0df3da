"""Ray: are trials the same on workers that are killed, and nodes that go?"""

import logging
import os
import pathlib
import signal
import subprocess
import sys
import threading

import keras
import keras_tuner
import numpy as np
import pytest
from executors.outcomes import outcome

from tfcourse.errors import InputError
from tfcourse.runs.spaces import load_space
from tfcourse.tuning import Caviar, RayExecutor
from tfcourse.tuning.caviar.executors import dispatch
from tfcourse.utils.atomic_files import read_json

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("ray")]

ON_WORKER = "TFCOURSE_TEST_WORKER"
X = np.linspace(-1, 1, 48, dtype="float32").reshape(16, 3)
# A module by path, beside another that is imported only as it builds.
SPACE = """
import keras

def build(hp):
    import beside_space
    beside_space.begin()
    model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(1)])
    rate = hp.Float("rate", 1e-3, 1e-1, sampling="log")
    model.compile(keras.optimizers.SGD(rate * beside_space.SCALE), "mse")
    return model
"""
BESIDE = """
import os
import pathlib
import time

SCALE = 0.5
FOLDER = {folder!r}
HOW = {how!r}

def begin():
    if "TFCOURSE_TEST_WORKER" not in os.environ:
        return
    path = pathlib.Path(FOLDER, "first")
    try:
        path.touch(exist_ok=False)
    except FileExistsError:
        return
    if HOW == "killed":
        os.kill(os.getpid(), 9)
    import ray
    node = ray.get_runtime_context().get_node_id()
    pathlib.Path(FOLDER, "node").write_text(node)
    while True:
        time.sleep(0.01)
"""
DRIVER = """
import sys
from test_cluster import executor, search
search(sys.argv[1], executor=executor())
"""
ON_JAX = """
import pathlib
import sys
import keras
from executors.outcomes import outcome
from test_cluster import executor, search
assert keras.config.backend() == "jax"
folder = pathlib.Path(sys.argv[1])
expected = outcome(search(folder / "1", ahead=3).project_dir)
tuner = search(folder / "2", executor=executor())
assert outcome(tuner.project_dir) == expected
"""


@pytest.fixture(scope="module")
def cluster():
    ray = pytest.importorskip("ray")
    from ray.cluster_utils import Cluster

    made = Cluster(
        initialize_head=True,
        head_node_args={"num_cpus": 0, "include_dashboard": False},
    )
    try:
        for _ in range(2):
            add_node(made)
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("RAY_ADDRESS", made.address)
            # Once, so that searches find the same processes.
            ray.init(made.address, log_to_driver=False)
            yield made
    finally:
        ray.shutdown()
        made.shutdown()


def add_node(made):
    """Adds a node; on a busy machine it may not begin within Ray's time."""
    for attempt in range(3):
        try:
            return made.add_node(num_cpus=1)
        except Exception:
            if attempt == 2:
                raise
    return None


def executor(workers=2):
    return RayExecutor("auto", workers, env={ON_WORKER: "1"})


def build(hp):
    model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(1)])
    rate = hp.Float("rate", 1e-3, 1e-1, sampling="log")
    model.compile(keras.optimizers.SGD(rate), "mse")
    return model


def search(folder, space=build, **kwargs):
    tuner = Caviar(
        space,
        keras_tuner.Objective("val_loss", "min"),
        6,
        population=2,
        smallest_group=2,
        verify=False,
        directory=folder,
        project_name="p",
        **kwargs,
    )
    y = X.sum(1, keepdims=True)
    tuner.search(X, y, validation_data=(X, y), epochs=2, verbose=0)
    return tuner


def space_that(how, folder):
    """Writes, and loads, a space whose first build on a worker goes wrong."""
    folder.mkdir()
    (folder / "space.py").write_text(SPACE)
    beside = BESIDE.format(folder=str(folder), how=how)
    (folder / "beside_space.py").write_text(beside)
    sys.modules.pop("beside_space", None)
    return load_space(f"{folder}/space.py:build", (3,), 1)


@pytest.fixture(scope="module")
def local(tmp_path_factory):
    folder = tmp_path_factory.mktemp("local")
    return outcome(search(folder, ahead=3).project_dir)


def test_workers_come_to_what_one_process_does(cluster, tmp_path, local):
    for workers in (1, 2):
        folder = tmp_path / str(workers)
        tuner = search(folder, executor=executor(workers))
        assert outcome(tuner.project_dir) == local
        assert {group["how"] for group in tuner.groups} == {"vectorised"}
        assert all(group["node"] for group in tuner.groups)


def test_a_killed_worker_and_a_space_by_value(cluster, tmp_path, monkeypatch):
    monkeypatch.setattr(sys, "path", [*sys.path])
    space = space_that("killed", tmp_path / "space")
    expected = search(tmp_path / "1", space, ahead=3)
    tuner = search(tmp_path / "2", space, executor=executor())

    assert (tmp_path / "space/first").exists()
    assert outcome(tuner.project_dir) == outcome(expected.project_dir)
    assert max(group["attempts"] for group in tuner.groups) == 2


def begun(code, folder, **env):
    """Returns a process of its own that imports this module."""
    here = pathlib.Path(__file__).parent
    paths = os.pathsep.join([*sys.path, str(here)])
    return subprocess.Popen(
        [sys.executable, "-c", code, str(folder)],
        env=os.environ | {"PYTHONPATH": paths} | env,
        start_new_session=True,
    )


def test_workers_of_another_backend(cluster, tmp_path):
    pytest.importorskip("jax")
    assert begun(ON_JAX, tmp_path, KERAS_BACKEND="jax").wait() == 0


def test_a_killed_driver_goes_on(cluster, tmp_path, local):
    driver = begun(DRIVER, tmp_path)
    try:
        while not list(tmp_path.glob("p/*/history.json")):
            assert driver.poll() is None
            threading.Event().wait(0.01)
    finally:
        driver.send_signal(signal.SIGKILL)
        driver.wait()
    assert outcome(search(tmp_path, executor=executor()).project_dir) == local


def test_what_cannot_be_sent_is_named(cluster, tmp_path):
    lock = threading.Lock()

    def locked(hp):
        with lock:
            return build(hp)

    with pytest.raises(InputError, match="`hypermodel` cannot be sent"):
        search(tmp_path, locked, executor=executor())


def test_a_lost_node(cluster, tmp_path, monkeypatch):
    monkeypatch.setattr(sys, "path", [*sys.path])
    space = space_that("hung", tmp_path / "space")
    expected = search(tmp_path / "1", space, ahead=3)
    over = threading.Event()

    def remove():
        told = tmp_path / "space/node"
        while not (told.exists() and told.read_text()):
            if over.wait(0.05):
                return
        for node in list(cluster.worker_nodes):
            if node.node_id == told.read_text():
                cluster.remove_node(node, allow_graceful=False)

    remover = threading.Thread(target=remove)
    remover.start()
    try:
        tuner = search(tmp_path / "2", space, executor=executor())
    finally:
        over.set()
        remover.join()

    assert len(cluster.worker_nodes) == 1
    assert outcome(tuner.project_dir) == outcome(expected.project_dir)
    assert max(group["attempts"] for group in tuner.groups) == 2
    batches = read_json(tmp_path / "2/p/batches.json")["batches"]
    assert batches == [[["0", "1"]], [["2", "3"]], [["4", "5"]]]


class Heard(logging.Handler):
    """Notes that something was said."""

    def __init__(self, words):
        super().__init__()
        self.words, self.event = words, threading.Event()

    def emit(self, record):
        if self.words in record.getMessage():
            self.event.set()


def test_a_search_waits_for_a_node_that_joins_late(
    cluster, tmp_path, monkeypatch, local
):
    monkeypatch.setattr(dispatch, "_SECONDS_SILENT", 0.5)
    heard = Heard("no node of the cluster has room for a worker of 2 CPUs")
    log = logging.getLogger("tfcourse.tuning.caviar")
    log.addHandler(heard)
    wide = RayExecutor("auto", 1, cpus=2, env={ON_WORKER: "1"})
    found = []
    thread = threading.Thread(
        target=lambda: found.append(search(tmp_path, executor=wide))
    )
    thread.start()
    try:
        assert heard.event.wait(60)
        # Ray begins nodes in the main thread only.
        node = cluster.add_node(num_cpus=2)
        thread.join(90)
        assert outcome(found[0].project_dir) == local
        cluster.remove_node(node)
    finally:
        log.removeHandler(heard)
