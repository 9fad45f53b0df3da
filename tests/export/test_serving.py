"""The recipe for a server, with requests over the loopback."""

import json
import os
import pathlib
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request

import keras
import numpy as np
import pytest

from tfcourse.export import export_saved_model

pytest.importorskip("bentoml", reason="the extra `serve` is not installed")

SERVICE = pathlib.Path(__file__, "../../../docs/serving/service.py").resolve()


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def ask(port, features, key="secret"):
    request = urllib.request.Request(
        f"http://127.0.0.1:{port}/classify",
        json.dumps({"features": features}).encode(),
        {
            "Content-Type": "application/json",
            "Authorization": f"Bearer {key}",
        },
    )
    with urllib.request.urlopen(request, timeout=120) as answer:
        return json.load(answer)


def addresses(port):
    """Returns the addresses at which something listens to a port."""
    found = set()
    for name in ("tcp", "tcp6"):
        lines = pathlib.Path("/proc/net", name).read_text().splitlines()[1:]
        for line in lines:
            address, own, state = *line.split()[1].split(":"), line.split()[3]
            if state == "0A" and int(own, 16) == port:
                found.add(socket.inet_ntoa(bytes.fromhex(address)[::-1][:4]))
    return found


def test_the_recipe_is_not_opened_without_a_key():
    done = subprocess.run(
        [sys.executable, str(SERVICE)],
        env={**os.environ, "HOST": "0.0.0.0", "KEY": ""},
        capture_output=True,
        text=True,
    )

    assert done.returncode != 0
    assert "Set KEY before the server is opened to 0.0.0.0" in done.stderr


@pytest.mark.slow
def test_the_recipe_answers_as_the_model_does(tmp_path, rng):
    model = keras.Sequential([keras.Input((4,)), keras.layers.Softmax()])
    export_saved_model(model, tmp_path / "m", labels=["a", "b", "c", "d"])
    x = rng.normal(size=(3, 4)).astype("float32")
    port = free_port()
    command = [sys.executable, "-m", "bentoml", "serve"]
    command += [f"{SERVICE}:Classifier"]
    with (tmp_path / "log").open("w") as log:
        server = subprocess.Popen(
            [*command, "--port", str(port)],
            env={
                **os.environ,
                "MODEL": str(tmp_path / "m"),
                "KEY": "secret",
                "MOST_BYTES": "1000",
                "BENTOML_HOME": str(tmp_path / "bento"),
                "BENTOML_DO_NOT_TRACK": "True",
            },
            stdout=log,
            stderr=subprocess.STDOUT,
        )
    try:
        deadline = time.monotonic() + 240
        while True:
            assert server.poll() is None, (tmp_path / "log").read_text()
            assert time.monotonic() < deadline
            try:
                answer = ask(port, x.tolist())
                break
            except (urllib.error.URLError, ConnectionError, TimeoutError):
                pass  # It is still starting.
        for features, key, status in (
            (x.tolist(), "wrong", 401),
            (x.tolist(), "", 401),
            (x.tolist() * 100, "secret", 413),
        ):
            with pytest.raises(urllib.error.HTTPError) as refused:
                ask(port, features, key)
            with refused.value as answered:
                assert answered.code == status
        assert addresses(port) == {"127.0.0.1"}
    finally:
        server.terminate()
        server.wait()

    p = np.asarray(model(x))
    assert answer["label"] == [list("abcd")[i] for i in p.argmax(axis=1)]
    np.testing.assert_allclose(answer["probability"], p.max(axis=1), rtol=1e-4)
