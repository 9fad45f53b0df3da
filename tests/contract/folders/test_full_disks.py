"""Commands on a disk that takes no more: a sentence, and nothing is harmed."""

import contextlib
import json
import pathlib
import sys

import pytest
from damaged.changes import copied, files_of
from damaged.commands import call

pytestmark = pytest.mark.skipif(
    sys.platform == "win32", reason="limits of files are POSIX's"
)
# In `{0}` a finished search, in `{1}` a training that goes on, in `{2}` what
# else the user has. Each writes over what an earlier call has written.
COMMANDS = {
    "report": ["report", "{0}"],
    "predict": [
        *("predict", "{0}/model", "{0}/examples.csv"),
        *("--out", "{2}/p.csv", "--overwrite"),
    ],
    "export": ["export", "{0}", "--to", "{2}/m", "--overwrite"],
    "panda plot": ["panda", "plot", "{1}"],
    "train": ["train", "--out", "{1}"],
    "tune": ["tune", "--resume", "--out", "{0}", "--trials", "3"],
    "train a new one": [
        *("train", "--data", "iris", "--epochs", "1", "--out", "{2}/t"),
    ],
}
# That write nothing, but to the terminal.
READERS = {
    "best": ["best", "{0}"],
    "trials": ["trials", "{0}"],
    "panda status": ["panda", "status", "{1}"],
    "inspect": ["inspect", "{0}/model"],
    "evaluate": [
        *("evaluate", "{0}/model", "{0}/examples.csv", "--target", "class"),
    ],
}


@contextlib.contextmanager
def largest_file(size):
    """Lets this process write no file beyond a size."""
    import resource

    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def contents(*folders):
    """Returns what the files have in which a person has something."""
    return {
        (folder, name): pathlib.Path(folder, name).read_bytes()
        for folder in folders
        for name in files_of(folder)
        if not any(part.startswith(".") for part in name.parts)
    }


@pytest.fixture
def places(whole, tmp_path):
    mine = tmp_path / "mine"
    mine.mkdir()
    training = copied(whole / "training", tmp_path / "training")
    # It has one more epoch to go.
    settings = json.loads((training / "run.json").read_text())
    settings["result"] = None
    settings["settings"]["search"]["epochs"] = 2
    (training / "run.json").write_text(json.dumps(settings))
    return copied(whole / "search", tmp_path / "search"), training, mine


@pytest.mark.parametrize("size", [0, 500])
@pytest.mark.parametrize(
    "name",
    [
        name
        if name in ("report", "predict")
        else pytest.param(name, marks=pytest.mark.slow)
        for name in COMMANDS
    ],
)
def test_nothing_is_harmed_and_the_same_command_goes_on(places, name, size):
    words = [word.format(*places) for word in COMMANDS[name]]
    again = name in ("report", "predict", "export", "panda plot")
    if again:
        assert call(*words)[0] == 0
    before = contents(*places)

    with largest_file(size):
        code, out, err = call(*words)

    told = f"{name}: {code}\n{out}\n{err}"
    assert code == 2, told
    assert "Traceback" not in err, told
    last = err.strip().splitlines()[-1]
    assert last.startswith("Error: "), told
    assert "File too large" in last, told
    after = contents(*places)
    if again:
        assert after == before
    else:
        assert before.keys() <= after.keys()
    code, out, err = call(*words)
    assert code == 0, f"{out}\n{err}"


@pytest.mark.parametrize("name", READERS)
def test_to_read_needs_no_room(places, name):
    words = [word.format(*places) for word in READERS[name]]
    before = contents(*places)

    with largest_file(0):
        code, out, err = call(*words)

    assert code == 0, f"{name}: {out}\n{err}"
    assert contents(*places) == before
