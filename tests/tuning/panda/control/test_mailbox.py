"""Whatever lies among a run's commands, the training goes on."""

import contextlib
import json
import os
import pathlib
import shutil
import socket
import tempfile

import keras
import pytest

from tfcourse.errors import InputError
from tfcourse.tuning.panda import Panda, Remote, read_journal, read_status
from tfcourse.tuning.panda.control.mailbox import Mailbox
from tfcourse.tuning.panda.control.run_folder import is_alive, lock_of
from tfcourse.utils.atomic_files import read_json

TEXTS = {
    "empty": "",
    "half": '{"command": "se',
    "list": "[]",
    "number": "3",
    "null": "null",
    "deep": "[" * 100_000,
    "deep object": '{"a":' * 5000 + "1" + "}" * 5000,
    "long number": '{"command": "set", "changes": {"beta": 1'
    + "0" * 9999
    + "}}",
    "huge": '{"command": "stop", "why": "' + "x" * 10**6 + '"}',
    "no such": '{"command": "dance"}',
    "not a command": '{"changes": {"learning_rate": 1}}',
    "command list": '{"command": ["stop"]}',
    "command null": '{"command": null}',
    "changes list": '{"command": "set", "changes": [1]}',
    "changes null": '{"command": "set", "changes": null}',
    "nothing": '{"command": "set"}',
    "10**400": '{"command": "set", "changes": {"learning_rate": 1'
    + "0" * 400
    + "}}",
    "1e400": '{"command": "set", "changes": {"learning_rate": 1e400}}',
    "NaN": '{"command": "set", "changes": {"learning_rate": NaN}}',
    "text": '{"command": "set", "changes": {"learning_rate": "1"}}',
    "true": '{"command": "set", "changes": {"learning_rate": true}}',
    "object": '{"command": "set", "changes": {"learning_rate": {}}}',
    "long name": json.dumps({"command": "set", "changes": {"x" * 60_000: 1}}),
    "half a code point": '{"command": "dance", "who": "\\ud800"}',
    "escapes": '{"command": "set", "changes": {"\\u001b[2J": 1}}',
    "escapes of whom": '{"command": "dance", "who": "\\u001b[2J"}',
    "to text": '{"command": "rollback", "to": "last"}',
    "to list": '{"command": "rollback", "to": [1]}',
    "step huge": '{"command": "rollback", "step": 1' + "0" * 400 + "}",
    "who list": '{"command": "stop", "who": [1]}',
}
ODD_NAMES = {
    "escape": "0-\x1b[2J.json",
    "line feed": "0-\n\r.json",
    "no UTF-8": b"0-\xff.json".decode("utf-8", "surrogateescape"),
    "long": "0" * 250 + ".json",
    "markup": "0-[x].json",
}


def directory(path):
    path.mkdir()
    (path / "inside").write_text("kept")


def bound(path):
    with contextlib.closing(socket.socket(socket.AF_UNIX)) as s:
        here = pathlib.Path.cwd()
        os.chdir(path.parent)  # A socket's path may not be long.
        try:
            s.bind(path.name)
        finally:
            os.chdir(here)


def sparse(path):
    path.touch()
    os.truncate(path, 10**12)


FILES = {
    "directory": directory,
    "empty directory": pathlib.Path.mkdir,
    "FIFO": os.mkfifo,
    "socket": bound,
    "dangling link": lambda path: path.symlink_to("nowhere"),
    "link to itself": lambda path: path.symlink_to(path.name),
    "link to a folder": lambda path: path.symlink_to("/"),
    "link to a device": lambda path: path.symlink_to("/dev/zero"),
    "link to a file": lambda path: path.symlink_to(__file__),
    "no UTF-8": lambda path: path.write_bytes(b'{"command": "\xff"}'),
    "zeros": lambda path: path.write_bytes(b"\0" * 1000),
    "sparse": sparse,
}


def fill(folder):
    """Puts all that is odd among the commands of a run."""
    for n, text in enumerate(TEXTS.values()):
        (folder / f"1-{n:03}.json").write_text(text)
    for n, make in enumerate(FILES.values()):
        make(folder / f"2-{n:03}.json")
    for name in ODD_NAMES.values():
        (folder / name).write_text("{")
    (folder / "no json").write_text("left alone")


@pytest.fixture
def mailbox(tmp_path):
    box = Mailbox(tmp_path)
    box.open()
    return box


@pytest.mark.parametrize("kind", FILES)
def test_what_is_no_file_is_refused_once(tmp_path, mailbox, kind):
    FILES[kind](tmp_path / "commands" / "1.json")

    ((name, command),) = mailbox.take()
    mailbox.answer(name, False, str(command))

    assert isinstance(command, InputError)
    assert "the command cannot be read: " in str(command)
    assert list(mailbox.take()) == []
    assert not read_json(tmp_path / "answers" / "1.json")["done"]


def test_what_is_in_a_folder_is_kept(tmp_path, mailbox):
    directory(tmp_path / "commands" / "1.json")

    mailbox.answer("1.json", False, "")

    kept = tmp_path / "commands" / ".refused-1.json" / "inside"
    assert kept.read_text() == "kept"


def test_a_link_is_removed_and_not_what_it_leads_to(tmp_path, mailbox):
    kept = tmp_path / "kept"
    kept.write_text("{}")
    (tmp_path / "commands" / "1.json").symlink_to(kept)

    mailbox.answer("1.json", False, "")

    assert kept.read_text() == "{}"


def test_what_cannot_be_moved_is_refused_once(tmp_path, mailbox, monkeypatch):
    directory(tmp_path / "commands" / "1.json")

    def refuse(*_):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(pathlib.Path, "rename", refuse)
    mailbox.answer("1.json", False, "")

    assert list(mailbox.take()) == []


@pytest.mark.parametrize("kind", ["commands", "answers"])
@pytest.mark.parametrize("make", [os.mkfifo, lambda path: path.write_text("")])
def test_a_folder_of_commands_may_be_something_else(tmp_path, kind, make):
    make(tmp_path / kind)
    box = Mailbox(tmp_path)

    assert box.open() == 0
    assert list(box.take()) == []
    box.answer("1.json", True, "")


def test_thousands_of_commands_are_taken_some_at_a_time(tmp_path, mailbox):
    for n in range(3000):
        (tmp_path / "commands" / f"{n:04}.json").write_text("{}")

    taken = [name for name, _ in mailbox.take()]

    assert taken == [f"{n:04}.json" for n in range(100)]


class Put(keras.callbacks.Callback):
    def __init__(self, folder):
        super().__init__()
        self._folder = folder

    def on_train_begin(self, logs=None):
        fill(self._folder / "commands")


def test_the_training_goes_on(tmp_path, runs, monkeypatch):
    monkeypatch.setattr(
        "tfcourse.tuning.panda.training.commands.SECONDS_BETWEEN_LOOKS", 0.0
    )
    plain = runs.fresh()
    runs.train(plain, Panda(tmp_path / "plain", guard=False), epochs=2)
    model = runs.fresh()
    folder = tmp_path / "run"

    runs.train(model, Panda(folder, guard=False), Put(folder), epochs=2)

    assert [e["epoch"] for e in runs.periods(folder)] == [1, 2]
    for ours, theirs in zip(model.weights, plain.weights, strict=True):
        assert (ours.numpy() == theirs.numpy()).all()
    odd = len(TEXTS) + len(FILES) + len(ODD_NAMES)
    refused = runs.events(folder, "refuse")
    assert len(refused) == odd
    for event in refused:
        assert event["why"].isprintable()
        assert event["who"].isprintable()
        assert len(event["why"]) <= 1000
    left = {p.name for p in (folder / "commands").iterdir()}
    aside = {name for name in left if name.startswith(".refused-")}
    assert left - aside == {"no json"}
    # Nothing is lost; commands with a wrong value are gone.
    assert 2 < len(aside) <= odd
    assert read_status(folder).state == "finished"
    assert len(read_journal(folder)) > odd


def test_a_run_begins_whatever_an_earlier_one_left(tmp_path, runs):
    (tmp_path / "commands").mkdir()
    fill(tmp_path / "commands")

    runs.train(runs.fresh(), Panda(tmp_path), epochs=1)

    assert runs.periods(tmp_path)[-1]["epoch"] == 1
    assert len(runs.events(tmp_path, "discard")) == 1
    assert runs.events(tmp_path, "refuse") == []


def test_to_watch_writes_nothing(tmp_path, runs):
    runs.train(runs.fresh(), Panda(tmp_path), epochs=1)
    (tmp_path / ".panda-lock").unlink()
    before = {p: p.stat().st_mtime_ns for p in tmp_path.rglob("*")}

    assert not read_status(tmp_path).alive

    assert {p: p.stat().st_mtime_ns for p in tmp_path.rglob("*")} == before


def test_who_watches_keeps_no_run_from_beginning(tmp_path, runs):
    runs.train(runs.fresh(), Panda(tmp_path), epochs=1)

    # Others that watch at the same moment do not look like a run.
    fcntl = pytest.importorskip("fcntl")
    with (tmp_path / ".panda-lock").open() as watched:
        fcntl.flock(watched, fcntl.LOCK_SH)
        assert not is_alive(tmp_path)
    with lock_of(tmp_path):
        assert is_alive(tmp_path)


@pytest.mark.skipif(
    not hasattr(os, "geteuid") or os.geteuid() != 0,
    reason="Only root can become somebody else.",
)
def test_who_may_only_read_can_watch(runs):
    # pytest's own folders are closed to others.
    folder = pathlib.Path(tempfile.mkdtemp())
    try:
        runs.train(runs.fresh(), Panda(folder), epochs=1)
        folder.chmod(0o755)
        with lock_of(folder):
            os.seteuid(65534)
            try:
                with pytest.raises(PermissionError):
                    folder.joinpath("mine").touch()
                status = read_status(folder)
            finally:
                os.seteuid(0)
        assert status.alive
        assert status.periods
    finally:
        shutil.rmtree(folder)


def test_a_command_of_ours_has_its_place(tmp_path, mailbox):
    with pytest.raises(InputError, match="There is no run of Panda"):
        Remote(tmp_path).pause()
    content = {"command": "set", "who": "me", "why": None, "changes": {"a": 1}}
    (tmp_path / "commands" / "1.json").write_text(json.dumps(content))

    assert list(mailbox.take()) == [("1.json", content)]
