"""Commands to a run: all take effect, in order, or are refused with a list."""

import re
import threading

import keras
import numpy as np
import pytest

from tfcourse import layers, optimizers
from tfcourse.errors import InputError
from tfcourse.tuning.panda import Guard, Panda, Remote, read_status
from tfcourse.tuning.panda.control.run_folder import is_alive, lock_of
from tfcourse.utils.atomic_files import read_json


class At(keras.callbacks.Callback):
    """Gives commands from another thread while batch `step` is trained.

    The batch ends when the thread has put its commands in the folder, so that
    the run finds them; it does not wait for the answers.
    """

    def __init__(self, step, folder, *commands):
        super().__init__()
        self._step = step
        self._folder = folder
        self._commands = commands
        self.answers = [None] * len(commands)

    def on_train_batch_begin(self, batch, logs=None):
        self._step -= 1
        if self._step == 0:
            for n, command in enumerate(self._commands):
                self._start(n, command)

    def _start(self, n, command):
        def ask():
            try:
                self.answers[n] = command(Remote(self._folder, who="me"))
            except InputError as error:
                self.answers[n] = error

        self.thread = threading.Thread(target=ask)
        self.thread.start()
        waiting = self._folder / "commands"
        while (
            len(list(waiting.glob("0*.json"))) <= n and self.thread.is_alive()
        ):
            self.thread.join(0.001)


@pytest.fixture
def quick(monkeypatch):
    """Lets a run look for commands at the end of every batch."""
    monkeypatch.setattr(
        "tfcourse.tuning.panda.training.commands.SECONDS_BETWEEN_LOOKS", 0.0
    )


@pytest.fixture
def steered(tmp_path, runs, quick):
    """Returns a function that runs commands at a step of a short run."""

    def steer(step, *commands, model=None, epochs=2, **settings):
        model = model or runs.fresh()
        settings = {"share": 1.0, **settings}
        at = At(step, tmp_path, *commands)
        panda = Panda(tmp_path, **settings)
        runs.train(model, panda, at, epochs=epochs)
        at.thread.join()
        return model, at.answers

    return steer


def test_set_takes_effect_and_is_acknowledged(tmp_path, runs, steered):
    layer = layers.InvertedDropout(0.9, name="drop")
    model = keras.Sequential([keras.Input((3,)), layer, keras.layers.Dense(1)])
    model.compile(optimizers.Momentum(0.01, beta=0.9), "mse")
    model, (answer,) = steered(
        3,
        lambda remote: remote.set(
            {"drop.keep_prob": 0.5}, learning_rate=3e-4, beta=0.95, why="noisy"
        ),
        model=model,
    )

    assert answer == (
        "drop.keep_prob 0.9 → 0.5, learning_rate 0.01 → 0.0003, beta 0.9 → 0.95"
    )
    assert float(np.asarray(layer.keep_prob)) == 0.5
    assert float(np.asarray(model.optimizer.beta)) == 0.95
    (nudge,) = runs.events(tmp_path, "nudge")
    assert (nudge["step"], nudge["who"], nudge["why"]) == (3, "me", "noisy")
    values = [e["hyperparameters"]["beta"] for e in runs.periods(tmp_path)]
    assert values == [0.95, 0.95]
    # So that a kill does not undo it.
    assert 3 in [e["step"] for e in read_checkpoints(tmp_path)]


def read_checkpoints(folder):
    return read_json(folder / "panda.json")["checkpoints"]


def test_two_commands_at_once_both_take_effect_in_order(
    tmp_path, runs, steered
):
    model, answers = steered(
        4,
        lambda remote: remote.set(learning_rate=0.5),
        lambda remote: remote.set(learning_rate=0.25),
    )

    assert answers == [
        "learning_rate 0.001 → 0.5",
        "learning_rate 0.5 → 0.25",
    ]
    assert float(np.asarray(model.optimizer.learning_rate)) == 0.25
    assert list((tmp_path / "commands").iterdir()) == []
    assert list((tmp_path / "answers").iterdir()) == []


WRONG = [
    (
        {"learning_rat": 0.1},
        r"no hyperparameter 'learning_rat' .*did you mean learning_rate.*"
        r"What can be set: learning_rate in \[0, inf\) \(now 0.001\)",
    ),
    (
        {"learning_rate": 0.1, "beta": 0.5},
        "no hyperparameter 'beta'.*What can be set",
    ),
    ({"learning_rate": -1.0}, r"must lie in \[0, inf\).*What can be set"),
    ({"learning_rate": float("inf")}, "must lie in"),
    ({"learning_rate": "much"}, "must lie in .* learning_rate=much"),
    ({}, "Nothing to set"),
]


def test_what_cannot_be_set_is_refused_with_a_list(steered):
    commands = [
        lambda remote, changes=changes: remote.set(changes)
        for changes, _ in WRONG
    ]
    model, answers = steered(2, *commands, epochs=1)

    for answer, (_, message) in zip(answers, WRONG, strict=True):
        assert isinstance(answer, InputError)
        assert re.search(message, str(answer))
    rate = float(np.asarray(model.optimizer.learning_rate))
    assert rate == pytest.approx(0.001)


def test_rollback_restores_an_epoch_and_goes_on(tmp_path, runs, steered):
    class Note(keras.callbacks.Callback):
        kernels = ()

        def on_epoch_end(self, epoch, logs=None):
            self.kernels = (
                *self.kernels,
                np.asarray(self.model.get_layer("hidden").kernel),
            )

    model = runs.fresh("sgd")
    note, at = (
        Note(),
        At(
            13,
            tmp_path,
            lambda remote: remote.rollback(
                1, changes={"learning_rate": 0.0}, why="bad day"
            ),
        ),
    )
    runs.train(model, Panda(tmp_path, share=1.0), note, at, epochs=4)
    at.thread.join()

    assert at.answers == ["back at epoch 1 (step 6), learning_rate 0.01 → 0"]
    # With no learning rate the weights stay as they were after epoch 1.
    np.testing.assert_array_equal(note.kernels[3], note.kernels[0])
    assert not np.array_equal(note.kernels[1], note.kernels[0])
    (event,) = runs.events(tmp_path, "rollback")
    assert (event["from"], event["to"]["step"], event["why"]) == (
        13,
        6,
        "bad day",
    )
    assert [e["epoch"] for e in runs.periods(tmp_path)] == [1, 2, 3, 4]


def test_rollback_to_what_is_not_kept_lists_what_is(steered):
    _, answers = steered(
        14,
        lambda remote: remote.rollback(7),
        lambda remote: remote.rollback(step=5),
        lambda remote: remote.rollback(1, changes={"nothing": 1.0}),
        epochs=3,
        keep=2,
    )

    assert "epoch 7 is not kept" in str(answers[0])
    assert "epoch 1 (step 6), epoch 2 (step 12)" in str(answers[0])
    assert "step 5 is not kept" in str(answers[1])
    assert "no hyperparameter 'nothing'" in str(answers[2])


def test_pause_holds_the_run_and_commands_still_work(tmp_path, runs, quick):
    seen = {}

    def visit(remote):
        seen["pause"] = remote.pause()
        seen["state"] = read_status(tmp_path).state
        before = read_json(tmp_path / "panda.json")["place"]
        seen["set"] = remote.set(learning_rate=0.125)
        seen["still"] = before == read_json(tmp_path / "panda.json")["place"]
        return remote.resume()

    at = At(3, tmp_path, visit)
    model = runs.fresh()
    runs.train(model, Panda(tmp_path), at, epochs=1)
    at.thread.join()

    assert seen == {
        "pause": "paused at step 3",
        "state": "paused",
        "set": "learning_rate 0.001 → 0.125",
        "still": True,
    }
    assert at.answers == ["continues at step 3"]
    assert runs.periods(tmp_path)[-1]["step"] == 6


def test_stopped_run_goes_on_in_the_middle_of_its_epoch(
    tmp_path, runs, steered
):
    model, (answer,) = steered(9, lambda remote: remote.stop(why="holidays"))

    assert answer == "stopped at step 9"
    assert read_status(tmp_path).state == "stopped"
    assert [e["epoch"] for e in runs.periods(tmp_path)] == [1]
    runs.train(model, Panda(tmp_path), epochs=2)
    assert [e["step"] for e in runs.periods(tmp_path)] == [6, 12]
    assert read_status(tmp_path).state == "finished"


def test_resume_without_a_pause_is_refused(steered):
    _, (answer,) = steered(2, lambda remote: remote.resume(), epochs=1)

    assert str(answer) == "Refused: the run is not paused"


def test_dead_runs_say_so(tmp_path, runs):
    with pytest.raises(InputError, match="no run of Panda in"):
        Remote(tmp_path)
    runs.train(runs.fresh(), Panda(tmp_path / "panda"), epochs=1)

    # The folder of `tfcourse train` will do.
    with pytest.raises(
        InputError, match=r"No run is alive in .*continues from"
    ):
        Remote(tmp_path).pause()
    assert not is_alive(tmp_path / "panda")


def test_commands_of_before_the_run_are_not_obeyed(tmp_path, runs, quick):
    runs.train(runs.fresh(), Panda(tmp_path), epochs=1)
    (tmp_path / "commands" / "0001.json").write_text('{"command": "stop"}')
    runs.train(runs.fresh(), Panda(tmp_path), epochs=2)

    assert runs.periods(tmp_path)[-1]["epoch"] == 2
    assert len(runs.events(tmp_path, "discard")) == 1


def test_strange_commands_do_no_harm(tmp_path, runs, quick):
    texts = ["{", "[]", '{"command": "dance"}', '{"command": "set"}']

    class Put(keras.callbacks.Callback):
        def on_train_begin(self, logs=None):
            for n, text in enumerate(texts):
                (tmp_path / "commands" / f"000{n}.json").write_text(text)

    runs.train(runs.fresh(), Panda(tmp_path), Put(), epochs=1)

    assert runs.periods(tmp_path)[-1]["epoch"] == 1
    for n in range(4):
        assert not read_json(tmp_path / "answers" / f"000{n}.json")["done"]


def test_folder_of_a_living_run_is_refused(tmp_path, runs):
    runs.train(runs.fresh(), Panda(tmp_path), epochs=1)
    with lock_of(tmp_path), pytest.MonkeyPatch.context() as patch:
        import filelock

        # As another process sees it: a lock object of its own.
        patch.setattr(
            "tfcourse.tuning.panda.control.run_folder.lock_of",
            lambda folder: filelock.FileLock(folder / ".panda-lock"),
        )
        with pytest.raises(InputError, match="in use by another process"):
            runs.train(runs.fresh(), Panda(tmp_path), epochs=2)


def test_no_answer_in_time_withdraws_the_command(tmp_path, runs):
    runs.train(runs.fresh(), Panda(tmp_path), epochs=1)
    with (
        lock_of(tmp_path),
        pytest.raises(InputError, match="not reached the end of a batch"),
    ):
        Remote(tmp_path, timeout=0.05).pause()

    assert list((tmp_path / "commands").iterdir()) == []


@pytest.mark.parametrize(
    "settings, error, message",
    [
        ({"period": "day"}, TypeError, "`period` of Panda must be 'epoch'"),
        ({"period": 0}, ValueError, "`period` of Panda must lie in"),
        ({"keep": 0}, ValueError, "`keep` of Panda must lie in"),
        ({"keep": 1.5}, TypeError, "`keep` of Panda must be a whole"),
        ({"guard": 3}, TypeError, "`guard` of Panda must be a Guard"),
        ({"mode": "up"}, ValueError, "`mode` of Panda must be"),
        ({"policy": "daily"}, TypeError, "`policy` of Panda must be a f"),
        ({"share": 0.0}, ValueError, r"`share` of Panda .*\(0, 1\]"),
        ({"gradient_norm": 1}, TypeError, "`gradient_norm` of Panda"),
    ],
)
def test_refuses_wrong_settings(tmp_path, settings, error, message):
    with pytest.raises(error, match=message):
        Panda(tmp_path, **settings)
    assert list(tmp_path.iterdir()) == []
    assert Guard().rollbacks == 5
