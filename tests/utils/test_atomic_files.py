"""Files are whole or not there, whatever happens while they are written."""

import os
import pathlib
import stat
import threading

import pytest

from tfcourse.utils.atomic_files import (
    AtomicBatch,
    read_json,
    replacing,
    write_json,
    write_text,
)


def test_content_is_written(tmp_path):
    write_json(tmp_path / "new" / "a.json", {"β": [1, None]})

    assert read_json(tmp_path / "new" / "a.json") == {"β": [1, None]}
    assert [p.name for p in (tmp_path / "new").iterdir()] == ["a.json"]


def test_line_ends_are_kept(tmp_path):
    write_text(tmp_path / "a.csv", "α\nb\n")

    assert (tmp_path / "a.csv").read_bytes() == "α\nb\n".encode()


@pytest.mark.parametrize("mode", [0o600, 0o640, 0o444, 0o755])
def test_the_mode_of_a_file_is_kept(tmp_path, mode):
    for path, write in (
        (tmp_path / "a.txt", lambda path: write_text(path, "new")),
        (tmp_path / "b.json", _write_in_a_batch),
    ):
        path.write_text("old")
        path.chmod(mode)
        write(path)

        assert path.read_text() != "old"
        assert stat.S_IMODE(path.stat().st_mode) == mode


def _write_in_a_batch(path):
    with AtomicBatch() as files:
        files.write_json(path, "new")


@pytest.mark.parametrize("mode", [0o700, 0o750])
def test_the_mode_of_a_folder_is_kept(tmp_path, mode):
    path = tmp_path / "model"
    path.mkdir(mode)
    with replacing(path) as beside:
        beside.mkdir()

    assert stat.S_IMODE(path.stat().st_mode) == mode


@pytest.mark.parametrize("write", [write_text, _write_in_a_batch])
def test_a_link_stays_and_what_it_leads_to_is_replaced(tmp_path, write):
    target, link = tmp_path / "a" / "target", tmp_path / "link"
    link.symlink_to(target)  # Which is not there yet.
    for _ in range(2):
        write(link, "new") if write is write_text else write(link)

        assert link.is_symlink()
        assert not target.is_symlink()
        assert target.read_text().strip('"') == "new"
    assert list(target.parent.iterdir()) == [target]


def test_a_link_to_a_folder_stays(tmp_path):
    (tmp_path / "target").mkdir()
    (tmp_path / "target" / "old").touch()
    (tmp_path / "link").symlink_to("target")
    with replacing(tmp_path / "link") as beside:
        beside.mkdir()
        (beside / "new").touch()

    assert (tmp_path / "link").is_symlink()
    assert [p.name for p in (tmp_path / "target").iterdir()] == ["new"]


def test_files_of_several_names_stay_one_where_that_is_wanted(tmp_path):
    first, second = tmp_path / "first", tmp_path / "second"
    first.write_text("old and long")
    second.hardlink_to(first)

    write_text(first, "new", keep_links=True)
    assert second.read_text() == "new"
    # What is a state and no output is renamed into its place, whole.
    write_text(first, "newer")
    assert second.read_text() == "new"


def test_a_pipe_is_written_through(tmp_path):
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    (tmp_path / "link").symlink_to(pipe)
    for path in (pipe, tmp_path / "link"):
        read = []
        reader = threading.Thread(target=lambda: read.append(pipe.read_text()))  # noqa: B023
        reader.start()
        write_text(path, "through", keep_links=True)
        reader.join()

        assert read == ["through"]
        assert stat.S_ISFIFO(pipe.lstat().st_mode)


def test_no_state_is_written_to_a_pipe_or_over_what_is_in_a_folder(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder" / "mine").write_text("of the user")
    for name in ("pipe", "folder"):
        with pytest.raises(OSError, match=name):
            write_text(tmp_path / name, "new")
    with (
        pytest.raises(OSError, match="pipe"),
        AtomicBatch() as files,
    ):
        files.write_json(tmp_path / "pipe", {})

    (tmp_path / "empty").mkdir()
    write_text(tmp_path / "empty", "new")

    assert (tmp_path / "empty").read_text() == "new"
    assert (tmp_path / "folder" / "mine").read_text() == "of the user"
    assert sorted(p.name for p in tmp_path.iterdir()) == [
        "empty",
        "folder",
        "pipe",
    ]


def test_a_device_stays_one():
    write_text(os.devnull, "to nowhere")

    assert stat.S_ISCHR(os.stat(os.devnull).st_mode)  # noqa: PTH116


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt])
def test_old_file_stays_when_writing_fails(tmp_path, error):
    path = tmp_path / "a.txt"
    path.write_text("old")

    def interrupted():
        with replacing(path) as beside:
            beside.write_text("ne")
            raise error

    with pytest.raises(error):
        interrupted()

    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_folder_is_replaced_as_a_whole(tmp_path):
    path = tmp_path / "model"
    for content in ("old", "new"):
        with replacing(path) as beside:
            beside.mkdir()
            (beside / content).write_text(content)

    assert [p.name for p in path.iterdir()] == ["new"]
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("error", [OSError, KeyboardInterrupt])
def test_old_folder_stays_when_renaming_fails(tmp_path, monkeypatch, error):
    path = tmp_path / "model"
    path.mkdir()
    (path / "old").touch()
    rename = pathlib.Path.rename

    def failing(self, target):
        if self.name.startswith(".partial"):
            raise error
        return rename(self, target)

    monkeypatch.setattr(pathlib.Path, "rename", failing)
    with pytest.raises(error), replacing(path) as beside:
        beside.mkdir()

    assert [p.name for p in path.iterdir()] == ["old"]
    assert list(tmp_path.iterdir()) == [path]


def test_killed_between_the_renames_of_a_folder(tmp_path):
    aside = tmp_path / ".old-model"
    aside.mkdir()
    (aside / "old").touch()
    path = tmp_path / "model"

    with pytest.raises(ZeroDivisionError), replacing(path):
        raise ZeroDivisionError

    assert [p.name for p in path.iterdir()] == ["old"]


def test_old_folder_stays_when_writing_fails(tmp_path):
    path = tmp_path / "model"
    (path / "inside").mkdir(parents=True)

    def interrupted():
        with replacing(path) as beside:
            beside.mkdir()
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        interrupted()

    assert (path / "inside").is_dir()
    assert list(tmp_path.iterdir()) == [path]
