"""Are two commits compared rightly? Their times are recorded, not measured."""

import importlib.util
import json
import pathlib
import re
import subprocess
import sys

import pytest

FOLDER = pathlib.Path(__file__).parents[1] / "benchmarks"
# It answers with the times in its version's file, one after the other.
STAND_IN = """
import json, os, pathlib, sys
folder = os.environ["PYTHONPATH"]
print(json.dumps({"folder": os.path.realpath(folder)}), flush=True)
recorded = json.loads(pathlib.Path(folder, "tfcourse/times.json").read_text())
for line in sys.stdin:
    said = recorded[line.split()[0]].pop(0)
    if said == "dies":
        sys.exit(3)
    key = "error" if isinstance(said, str) else "seconds"
    print(json.dumps({key: said}), flush=True)
"""


@pytest.fixture
def watch(monkeypatch):
    monkeypatch.syspath_prepend(FOLDER)
    spec = importlib.util.spec_from_file_location("watch", FOLDER / "watch.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def git(folder, *words):
    subprocess.run(["git", *words], cwd=folder, check=True, capture_output=True)


def commit(folder, times):
    (folder / "tfcourse").mkdir(exist_ok=True)
    (folder / "tfcourse/times.json").write_text(json.dumps(times))
    git(folder, "add", ".")
    git(folder, "commit", "--quiet", "-m", "Change the times")


@pytest.fixture
def repository(tmp_path):
    folder = tmp_path / "repository"
    folder.mkdir()
    git(folder, "init", "--quiet")
    git(folder, "config", "user.name", "a")
    git(folder, "config", "user.email", "a@b.c")
    return folder


@pytest.fixture
def result(watch, repository, capsys):
    def run(*words):
        """Returns the exit code, and what was printed."""
        with pytest.raises(SystemExit) as end:
            watch.main(words, (sys.executable, "-c", STAND_IN), repository)
        said = capsys.readouterr()
        return end.value.code, said.out + said.err

    return run


MLP = ("--cases", "mlp", "--turns", "3")


@pytest.mark.parametrize(
    "after, code, row",
    [
        # Of 3 turns: 1.0, 1.05 and 2.0, of which one is a busy moment.
        ([2.0, 2.1, 4.0], 0, "2.00     2.10    1.05  (1.00 to 2.00, 3 turns)"),
        # A planted slowdown is measured again, and stays.
        (
            [2.4] * 6,
            1,
            "2.00     2.40    1.20  (1.20 to 1.20, 6 turns)  SLOWER",
        ),
        # In two turns of three the machine was busy.
        (
            [2.4, 2.0, 2.4],
            0,
            "2.00     2.40    1.20  (1.00 to 1.20, 3 turns)\n",
        ),
        # What seemed to be slower is not.
        (
            [2.4] * 3 + [2] * 3,
            0,
            "2.00     2.20    1.10  (1.00 to 1.20, 6 turns)\n",
        ),
    ],
)
def test_the_median_of_the_turns_decides(repository, result, after, code, row):
    commit(repository, {"mlp": [2.0] * 6})
    commit(repository, {"mlp": after})

    found, said = result("HEAD~1", "HEAD", *MLP)

    assert row in said
    assert found == code


def test_a_wider_limit_lets_it_pass(repository, result):
    commit(repository, {"mlp": [2.0] * 3})
    commit(repository, {"mlp": [2.4] * 3})
    assert result(*MLP, "--limit", "1.5")[0] == 0


def test_the_files_as_they_are_can_be_slower_than_the_last_commit(
    repository, result
):
    commit(repository, {"mlp": [2.0] * 6})
    (repository / "tfcourse/times.json").write_text(
        '{"mlp": [3, 3, 3, 3, 3, 3]}'
    )

    code, said = result("HEAD", *MLP)

    assert code == 1
    assert "1.50" in said


@pytest.mark.parametrize("why", ["KeyError: 'a'", "dies"])
def test_what_only_the_older_version_cannot_do_is_no_failure(
    repository, result, why
):
    commit(repository, {"mlp": [why], "cnn": [1] * 9})
    commit(repository, {"mlp": [1] * 9, "cnn": [1] * 9})
    words = ("--cases", "mlp", "cnn", "--turns", "1")

    code, said = result("HEAD~1", "HEAD", *words)
    assert "mlp        not compared: before" in said
    assert code == 0

    code, said = result("HEAD", "HEAD~1", *words)
    assert "mlp        not compared: after" in said
    assert code == 1


def test_without_a_commit_before_there_is_nothing_to_compare(
    repository, result
):
    assert result("--quick") == (
        0,
        "Nothing to compare: no commit before this one is here.\n",
    )
    commit(repository, {})
    assert "no commit before" in result("--quick")[1]


def test_a_commit_that_leaves_the_package_is_not_measured(repository, result):
    commit(repository, {})
    (repository / "README.md").write_text("More.")
    git(repository, "add", ".")
    git(repository, "commit", "--quiet", "-m", "Say more")

    code, said = result("--quick")

    assert (
        said == "Nothing to compare: the commit before has the same tfcourse.\n"
    )
    assert code == 0


@pytest.mark.parametrize(
    "words, sentence",
    [
        (["nowhere"], r"'nowhere' is no commit of the repository in \S+: name"),
        (["--turns", "0"], r"--turns must be at least 1\. Received: 0"),
        (["--limit", "nan"], r"--limit must be at least 1\. Received: nan"),
        (["--cases", "all"], r"invalid choice: 'all'"),
    ],
)
def test_a_wrong_argument_gets_a_sentence(repository, result, words, sentence):
    commit(repository, {})
    code, said = result(*words)
    assert re.search(sentence, said.splitlines()[-1])
    assert code == 2


def test_the_interval_holds_the_median_nine_times_in_ten(watch, rng):
    samples = rng.exponential(size=(2000, 9))
    inside = 0
    for sample in samples:
        low, high = watch.pairs.interval(list(sample))
        inside += low <= 0.6931 <= high
    # 1 - 20 / 2^9 of them, and 3.4 standard deviations.
    assert inside / 2000 == pytest.approx(0.961, abs=0.015)
    assert watch.pairs.interval([3, 1, 2]) == (1, 3)
