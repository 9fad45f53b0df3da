"""Panda leaves the model to the next `fit`."""

import pytest

from tfcourse.errors import InputError
from tfcourse.tuning.panda import Panda, read_journal


def test_next_fit_of_the_model_begins_at_its_own_epoch(tmp_path, runs):
    model = runs.fresh()
    runs.train(model, Panda(tmp_path), epochs=2)
    runs.train(model, Panda(tmp_path), epochs=3)

    assert runs.train(model, epochs=2).epoch == [0, 1]


@pytest.mark.parametrize(
    "name, content",
    [
        ("journal.jsonl", '{"kind": "event", "what": "mine"}\nlast'),
        ("journal.jsonl", "plain text"),
        ("panda.json", '{"food": "bamboo"}'),
        ("answers/42.json", "{}"),
    ],
)
def test_files_of_others_stay_as_they_are(tmp_path, runs, name, content):
    path = tmp_path / name
    path.parent.mkdir(exist_ok=True)
    path.write_text(content)

    with pytest.raises(InputError, match=f"{path.name} exists already"):
        runs.train(runs.fresh(), Panda(tmp_path), epochs=1)

    assert path.read_text() == content
    # An empty one is nobody's; and once it is gone the folder is free.
    path.write_text("")
    runs.train(runs.fresh(), Panda(tmp_path), epochs=1)
    assert read_journal(tmp_path)


def test_what_is_no_command_is_put_aside(tmp_path, runs):
    note = tmp_path / "commands" / "note.json"
    note.parent.mkdir()
    note.write_text("[1]")

    runs.train(runs.fresh(), Panda(tmp_path), epochs=1)

    assert note.with_name(".refused-note.json").read_text() == "[1]"


def test_two_in_one_folder_are_refused_in_one_fit(tmp_path, runs):
    other = tmp_path / ".." / tmp_path.name
    with pytest.raises(InputError, match="given to two Pandas"):
        runs.train(runs.fresh(), Panda(tmp_path), Panda(other))

    # Each in its own, and then the same folder again.
    both = Panda(tmp_path / "a"), Panda(tmp_path / "b")
    runs.train(runs.fresh(), *both, epochs=1)
    runs.train(runs.fresh(), *both, epochs=2)
    assert [len(runs.periods(tmp_path / name)) for name in "ab"] == [2, 2]
