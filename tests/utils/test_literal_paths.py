"""Folders whose names would be patterns."""

import pathlib

import pytest

from tfcourse.utils.literal_paths import without_pattern


@pytest.mark.parametrize("name", ["exp[1]", "a*b", "why?", "a\\b"])
@pytest.mark.parametrize("links", [True, False])
def test_a_pattern_is_read_by_another_name(tmp_path, monkeypatch, name, links):
    if not links:

        def symlink_to(*_, **__):
            raise OSError

        monkeypatch.setattr(pathlib.Path, "symlink_to", symlink_to)
    folder = tmp_path / name
    folder.mkdir()
    (folder / "file").write_text("text")
    with without_pattern(folder) as literal:
        assert not set("[*?\\") & set(str(literal))
        assert (literal / "file").read_text() == "text"
    assert not literal.exists()
    assert (folder / "file").read_text() == "text"


def test_another_name_is_left_as_it_is(tmp_path):
    with without_pattern(tmp_path / "a b-ü") as literal:
        assert literal == tmp_path / "a b-ü"
