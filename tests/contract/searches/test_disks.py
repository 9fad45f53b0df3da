"""Does a disk that fails cost anything but the time until it is mended?"""

import errno
import os
import pathlib
import shutil
import subprocess
import sys

import keras_tuner
import pytest
from damaged.searches import LOSS, X, Y, build

from tfcourse.errors import InputError
from tfcourse.tuning import Caviar, RandomSearchOracle, SerialTuner
from tfcourse.tuning._keras_tuner import tuner_path
from tfcourse.tuning.results.trials import read_records
from tfcourse.utils.machine.disk import disk_error


def search(tuner_class, folder, trials=3, oracle=None, **settings):
    tuner = tuner_class(
        oracle=oracle or RandomSearchOracle(LOSS, trials),
        hypermodel=build,
        directory=folder,
        project_name="p",
        **settings,
    )
    tuner.search(X, Y, epochs=1, verbose=0)
    return tuner


def outcome(tuner):
    return {
        name: (trial.status, trial.hyperparameters.values, trial.score)
        for name, trial in tuner.oracle.trials.items()
    }


class FailingDisk:
    """Lets each call of a function of `os` fail, from the n-th on."""

    def __init__(self, monkeypatch, folder, number, after):
        self.calls, self.works = 0, True
        self._folder, self._number, self._after = str(folder), number, after
        for name in ("open", "replace", "mkdir"):
            monkeypatch.setattr(os, name, self._failing(getattr(os, name)))

    def _failing(self, function):
        def call(path, *args, **kwargs):
            if not self.works and str(path).startswith(self._folder):
                self.calls += 1
                if self.calls > self._after:
                    raise OSError(self._number, "out of order", str(path))
            return function(path, *args, **kwargs)

        return call


def check_nothing_is_lost(tmp_path, monkeypatch, tuner_class, number, after):
    whole = outcome(search(tuner_class, tmp_path / "whole"))
    disk = FailingDisk(monkeypatch, tmp_path / "broken", number, after)
    disk.works = False
    with pytest.raises(InputError) as raised:
        search(tuner_class, tmp_path / "broken")
    assert "\n" not in str(raised.value)
    assert os.strerror(number) in str(raised.value)
    disk.works = True
    again = search(tuner_class, tmp_path / "broken")
    assert outcome(again) == whole


@pytest.mark.parametrize(
    "tuner_class, after",
    [
        (Caviar, 12),
        pytest.param(Caviar, 2, marks=pytest.mark.slow),
        pytest.param(SerialTuner, 2, marks=pytest.mark.slow),
        pytest.param(SerialTuner, 12, marks=pytest.mark.slow),
    ],
)
def test_a_full_disk_loses_nothing(tmp_path, monkeypatch, tuner_class, after):
    check_nothing_is_lost(
        tmp_path, monkeypatch, tuner_class, errno.ENOSPC, after
    )


@pytest.mark.slow
@pytest.mark.parametrize(
    "number",
    [errno.ENOSPC, errno.EDQUOT, errno.EIO, errno.EROFS, errno.EACCES],
)
@pytest.mark.parametrize("after", range(0, 24, 4))
@pytest.mark.parametrize("tuner_class", [Caviar, SerialTuner])
def test_no_error_of_a_disk_loses_anything(
    tmp_path, monkeypatch, tuner_class, number, after
):
    check_nothing_is_lost(tmp_path, monkeypatch, tuner_class, number, after)


LIMITED = """
import pathlib, resource, sys
sys.path[:0] = {paths!r}
import test_disks
from tfcourse.errors import InputError
from tfcourse import tuning
try:
    resource.setrlimit(resource.RLIMIT_FSIZE, (4096, 4096))
    test_disks.search(getattr(tuning, {tuner!r}), {folder!r})
except InputError as error:
    sys.exit(str(error))
"""


@pytest.mark.slow
@pytest.mark.parametrize("tuner_class", [Caviar, SerialTuner])
def test_a_real_limit_of_what_can_be_written(tmp_path, tuner_class):
    here = pathlib.Path(__file__).parent
    source = LIMITED.format(
        paths=[str(here), str(here.parents[1] / "helpers")],
        tuner=tuner_class.__name__,
        folder=str(tmp_path),
    )
    done = subprocess.run(
        [sys.executable, "-c", source],
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 1, done.stderr
    assert "File too large" in done.stderr.splitlines()[-1]
    assert "Traceback" not in done.stderr
    again = search(tuner_class, tmp_path)
    assert {status for status, *_ in outcome(again).values()} == {"COMPLETED"}


LIMITED_TUNE = """
import resource
from tfcourse.cli import main
resource.setrlimit(resource.RLIMIT_FSIZE, (8192, resource.RLIM_INFINITY))
main()
"""


@pytest.mark.slow
@pytest.mark.parametrize("strategy", ["caviar", "serial"])
def test_a_full_disk_ends_tune_in_a_sentence(tmp_path, strategy):
    def tune(source, *arguments):
        return subprocess.run(
            [sys.executable, "-c", source, "tune", "--out", "r", *arguments],
            cwd=tmp_path,
            env={**os.environ, "COLUMNS": "500"},
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
        )

    settings = ("--epochs", "1", "--rounds", "1", "--trials", "2")
    settings += ("--strategy", strategy)
    full = tune(LIMITED_TUNE, *settings)
    assert full.returncode == 2, full.stderr
    assert "Traceback" not in full.stderr
    assert "File too large" in full.stderr
    again = tune("from tfcourse.cli import main; main()", "--resume")
    assert again.returncode == 0, again.stderr
    records = read_records(tmp_path / "r" / "search")
    assert [record.status for record in records] == ["completed"] * 2
    assert (tmp_path / "r" / "model.keras").exists()


@pytest.mark.parametrize("tuner_class", [Caviar, SerialTuner])
def test_a_folder_that_is_taken_away_ends_the_search(tmp_path, tuner_class):
    def take_away(tuner, trial):
        shutil.rmtree(tuner.project_dir)

    with pytest.raises(InputError, match="gone") as raised:
        search(tuner_class, tmp_path, on_trial=take_away)
    assert "\n" not in str(raised.value)
    again = search(tuner_class, tmp_path)
    assert [s for s, *_ in outcome(again).values()] == ["COMPLETED"] * 3


@pytest.mark.parametrize(
    "content",
    [
        b'{"trial_id": "1", "hyp',
        *(
            pytest.param(content, marks=pytest.mark.slow)
            for content in (None, b"", b"[]")
        ),
    ],
)
@pytest.mark.parametrize(
    "oracle",
    [
        RandomSearchOracle,
        pytest.param(
            keras_tuner.oracles.RandomSearchOracle, marks=pytest.mark.slow
        ),
    ],
)
def test_a_damaged_trial_is_run_again(tmp_path, content, oracle):
    first = search(Caviar, tmp_path, oracle=oracle(LOSS, 3, seed=5))
    path = pathlib.Path(first.get_trial_dir("1"), "trial.json")
    path.unlink()
    if content is not None:
        path.write_bytes(content)
    again = search(Caviar, tmp_path, 4, oracle=oracle(LOSS, 4, seed=5))
    before, after = outcome(first), outcome(again)
    assert sorted(after) == ["0", "1", "2", "3"]
    assert {status for status, *_ in after.values()} == {"COMPLETED"}
    assert (after["0"], after["2"]) == (before["0"], before["2"])
    assert len({str(values) for _, values, _ in after.values()}) == 4
    if oracle is RandomSearchOracle:
        assert after["1"] == before["1"]


@pytest.mark.parametrize("content", [None, b"", b'{"a', b"[" * 100_000])
def test_a_search_is_known_without_the_file_of_its_tuner(tmp_path, content):
    first = search(SerialTuner, tmp_path)
    own = tuner_path(first)
    own.unlink()
    if content is not None:
        own.write_bytes(content)
    files = {path: path.stat().st_mtime_ns for path in trial_files(tmp_path)}

    again = search(SerialTuner, tmp_path)

    assert outcome(again) == outcome(first)
    assert files == {p: p.stat().st_mtime_ns for p in trial_files(tmp_path)}


def trial_files(folder):
    return [p for p in folder.rglob("trial_*/*") if p.is_file()]


def test_no_trial_is_written_over_where_the_list_is_gone(tmp_path):
    first = search(SerialTuner, tmp_path)
    tuner_path(first).unlink()
    pathlib.Path(first.project_dir, "oracle.json").unlink()

    with pytest.raises(InputError, match=r"oracle\.json is damaged"):
        search(SerialTuner, tmp_path)


def test_a_damaged_list_of_trials_is_told(tmp_path):
    path = pathlib.Path(search(Caviar, tmp_path).project_dir, "oracle.json")
    path.write_text(path.read_text()[:-9])
    with pytest.raises(InputError, match=r"oracle\.json is damaged.*overwrite"):
        search(Caviar, tmp_path)


@pytest.mark.parametrize(
    "error, folder, words",
    [
        (OSError(errno.ENOSPC, ""), None, "No space left on device"),
        (
            OSError(errno.ENOENT, "", "/a/b/c"),
            "/a/b",
            "No such file or directory",
        ),
        (OSError(errno.ENOENT, "", "/a/bc"), "/a/b", None),
        (OSError(errno.ENOENT, "", "/a/b/c"), None, None),
        (
            RuntimeError("HDF5 (errno = 28, error)"),
            None,
            "No space left on device",
        ),
        (ValueError("errno = 28"), None, None),
    ],
)
def test_errors_of_a_disk_are_told_apart(error, folder, words):
    assert disk_error(error, folder) == words
    outer = RuntimeError("later")
    outer.__context__ = error
    assert disk_error(outer, folder) == words
