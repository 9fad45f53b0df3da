"""Files are whole or not there, whatever happens while they are written."""

import pathlib

import pytest

from tfcourse.utils.atomic_files import (
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
