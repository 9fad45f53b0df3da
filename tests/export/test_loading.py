"""Folders that something happened to: one sentence, whatever it was."""

import json
import os
import pathlib
import shutil
import sys

import keras
import pytest
import tensorflow as tf

from tfcourse.errors import InputError
from tfcourse.export import (
    describe_saved_model,
    export_saved_model,
    load_saved_model,
)
from tfcourse.export.metadata import METADATA

DATA = "variables/variables.data-00000-of-00001"
INDEX = "variables/variables.index"


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    model = keras.Sequential(
        [keras.Input((3,)), keras.layers.Dense(2, "softmax")]
    )
    path = tmp_path_factory.mktemp("whole") / "m"
    export_saved_model(model, path, labels=["no", "yes"])
    return path


@pytest.fixture
def folder(whole, tmp_path):
    return pathlib.Path(shutil.copytree(whole, tmp_path / "m"))


@pytest.mark.parametrize("content", [None, "half", b"", b"no such format"])
@pytest.mark.parametrize("name", [DATA, INDEX, "saved_model.pb"])
def test_a_damaged_part_is_told(folder, name, content):
    file = folder / name
    if content is None:
        file.unlink()
    else:
        bytes_ = file.read_bytes()
        half = bytes_[: len(bytes_) // 2]
        file.write_bytes(half if content == "half" else content)

    with pytest.raises(InputError, match="not a SavedModel|cannot be loaded"):
        load_saved_model(folder)


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no pipes")
@pytest.mark.parametrize("name", ["fingerprint.pb", "assets.extra/pipe", DATA])
def test_nothing_is_waited_for_at_a_pipe(folder, name):
    (folder / name).unlink(missing_ok=True)
    os.mkfifo(folder / name)

    with pytest.raises(InputError, match=f"{name} is not a file"):
        load_saved_model(folder)


@pytest.mark.parametrize(
    "change, message",
    [
        ({"labels": ["no"]}, "1 `labels` for 2 classes"),
        ({"labels": "no"}, "`labels` is not a list"),
        ({"feature_names": 3}, "`feature_names` is not a list"),
        ({"ranges": [0, 1]}, "`ranges` must have"),
        (b"{", "Expecting"),
        (b"\xff\xfe", "can't decode"),
        (b"[]", "not hold a JSON object"),
    ],
)
def test_damaged_metadata_is_told(folder, change, message):
    if isinstance(change, dict):
        old = json.loads((folder / METADATA).read_text())
        change = json.dumps(old | change).encode()
    (folder / METADATA).write_bytes(change)

    with pytest.raises(InputError, match=f"is damaged: .*{message}"):
        load_saved_model(folder)


@pytest.mark.parametrize("name", ["exp[1]", "a*b?"])
def test_a_path_is_no_pattern(tmp_path, name):
    model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])
    path = tmp_path / name / "model"
    path.parent.mkdir()
    export_saved_model(model, path)
    loaded, _ = load_saved_model(path)
    x = keras.ops.ones((1, 2))
    answer = loaded.serve(x)["outputs"].numpy().item()
    assert answer == pytest.approx(model(x).numpy().item())


def test_no_metadata_is_no_damage(folder):
    (folder / METADATA).unlink()

    model, metadata = load_saved_model(folder)

    assert metadata == {}
    assert "classify" in model.signatures


class Writes(tf.saved_model.experimental.TrackableResource):
    """Writes a file when it is loaded."""

    def __init__(self, path):
        super().__init__()
        self._path = str(path)

    def _create_resource(self):
        kind = {"key_dtype": tf.string, "value_dtype": tf.string}
        return tf.raw_ops.MutableHashTableV2(**kind)

    def _initialize(self):
        tf.io.write_file(self._path, "run")


def test_a_strangers_model_is_described_and_not_run(tmp_path):
    model = tf.Module()
    model.resource = Writes(tmp_path / "run")

    @tf.function(input_signature=[tf.TensorSpec([None, 3], name="x")])
    def serve(x):
        assert model.resource.resource_handle is not None
        return {"y": tf.cast(x[0], tf.int32)}

    tf.saved_model.save(model, str(tmp_path / "m"), signatures=serve)
    (tmp_path / "run").unlink(missing_ok=True)

    described = describe_saved_model(tmp_path / "m")

    assert described["endpoints"] == {
        "serving_default": {
            "inputs": {"x": ("float32", [None, 3])},
            "outputs": {"y": ("int32", [3])},
        }
    }
    assert not (tmp_path / "run").exists()
    load_saved_model(tmp_path / "m")
    assert (tmp_path / "run").exists()


@pytest.mark.parametrize("content", [b"no such format", b"\xff" * 99, b""])
def test_a_damaged_model_is_not_described(folder, content):
    (folder / "saved_model.pb").write_bytes(content)

    with pytest.raises(InputError, match="cannot be loaded; export it again"):
        describe_saved_model(folder)


def test_an_exported_model_is_described_as_when_it_is_loaded(folder):
    loaded, metadata = load_saved_model(folder)

    described = describe_saved_model(folder)

    assert described["metadata"] == metadata
    assert set(described["endpoints"]) == set(loaded.signatures)
    for name, ports in described["endpoints"].items():
        outputs = loaded.signatures[name].structured_outputs
        assert ports["outputs"] == {
            key: (spec.dtype.name, spec.shape.as_list())
            for key, spec in outputs.items()
        }


@pytest.mark.parametrize("name", ["none", "m.keras", "."])
def test_what_is_no_folder_of_a_model_is_refused(tmp_path, name):
    (tmp_path / "m.keras").write_bytes(b"a model, of another kind")
    with pytest.raises(InputError, match="not a SavedModel.*`tfcourse export`"):
        load_saved_model(tmp_path / name)
