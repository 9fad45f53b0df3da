"""Finished runs, for what is done to their folders."""

import pytest
from damaged.commands import call


@pytest.fixture(scope="session")
def whole(tmp_path_factory):
    """The folder of a finished search and of a finished training."""
    top = tmp_path_factory.mktemp("whole")
    for kind, words in {
        "search": ["tune", "--trials", "2", "--rounds", "1"],
        "training": ["train"],
    }.items():
        words = [*words, "--data", "iris", "--epochs", "1"]
        code, _, err = call(*words, "--out", top / kind)
        assert code == 0, err
    step = top / "training/panda/checkpoints/step-000000000003.npz"
    step.rename(step.with_name("step-000000000006.npz"))
    return top
