"""The one file that says of which kind a run's folder is."""

import pytest
from run_folders import make_run, manifest, write

import tfcourse
from tfcourse.errors import InputError
from tfcourse.tuning.results.manifest import (
    kind_of,
    read_manifest,
    refuse_other_kind,
    write_manifest,
)

CONTENT = {
    "settings": {"epochs": 3},
    "objective": {"name": "val_loss", "direction": "min"},
    "data": {"name": "digits"},
    "result": {"test": {"accuracy": 0.5}},
}


@pytest.mark.parametrize("kind", ["search", "training"])
def test_what_is_written_is_read(tmp_path, kind):
    write_manifest(tmp_path, kind, **CONTENT)

    content = read_manifest(tmp_path, kind)

    assert kind_of(tmp_path) == content["kind"] == kind
    assert CONTENT.items() <= content.items()
    assert content["versions"]["tfcourse"] == tfcourse.__version__
    assert content["written"]


def test_a_search_that_was_written_without_a_kind_is_read(tmp_path):
    make_run(tmp_path / "run")

    content = read_manifest(tmp_path / "run", "search")

    assert content == {"kind": "search", **manifest(12)}


def test_a_run_whose_only_score_was_accuracy_is_read(tmp_path):
    result = {"dev_accuracy": None, "test_accuracy": 0.5, "epochs": 3}
    write(tmp_path / "run.json", {"training": {}, "result": result})

    assert read_manifest(tmp_path, "training")["result"] == {
        "dev": None,
        "test": {"accuracy": 0.5},
        "epochs": 3,
    }


def test_a_training_that_was_written_without_a_kind_is_read(tmp_path):
    write(tmp_path / "run.json", {"training": {"epochs": 3}, "result": None})

    assert read_manifest(tmp_path, "training") == {
        "kind": "training",
        "settings": {"epochs": 3},
        "result": None,
    }


def test_a_run_of_another_kind_is_refused(tmp_path):
    write_manifest(tmp_path, "training", **CONTENT)

    refuse_other_kind(tmp_path, "panda", "training")
    with pytest.raises(InputError, match=f"panda status {tmp_path}"):
        read_manifest(tmp_path, "search")


def test_an_unknown_kind_is_of_another_version(tmp_path):
    write(tmp_path / "run.json", {"kind": "dance", **CONTENT})

    assert kind_of(tmp_path) is None
    with pytest.raises(InputError, match="another version"):
        read_manifest(tmp_path, "search")


def test_an_empty_folder_is_of_no_kind(tmp_path):
    assert kind_of(tmp_path) is None
    with pytest.raises(InputError, match=r"no run in .*no run.json"):
        read_manifest(tmp_path, "search")
