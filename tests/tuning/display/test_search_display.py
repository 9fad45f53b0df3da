"""A search as it is watched: one line, a table, and a clean interrupt."""

import re
import sys
import types

import keras
import keras_tuner
import numpy as np
import pytest

from tfcourse.tuning import Caviar, SerialTuner
from tfcourse.tuning.display import search_display

X, Y = np.eye(3), np.ones((3, 1))


def build(hp):
    model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(1)])
    rate = hp.Float("learning_rate", 1e-4, 1e-1, sampling="log")
    model.compile(keras.optimizers.SGD(rate), "mse")
    return model


@pytest.fixture
def notebook(monkeypatch):
    """Stands in for a kernel; a list of what was displayed."""
    displayed = []

    class Handle:
        def update(self, shown):
            displayed.append(shown._repr_html_())

    def display(shown, display_id=False):
        displayed.append(shown._repr_html_())
        return Handle() if display_id else None

    shell = types.SimpleNamespace(config={"IPKernelApp": {}})
    stub = types.SimpleNamespace(
        get_ipython=lambda: shell,
        display=types.SimpleNamespace(display=display),
    )
    monkeypatch.setitem(sys.modules, "IPython", stub)
    return displayed


def caviar(tmp_path, **kwargs):
    return Caviar(build, "loss", 4, directory=tmp_path, **kwargs)


def test_a_log_has_a_line_for_trials_that_end_together(tmp_path, capsys):
    caviar(tmp_path).search(X, Y, epochs=2)

    assert re.fullmatch(
        r"trial 4/4  best loss \d\.\d{4}  about 0 s left\n",
        capsys.readouterr().out,
    )


def test_trials_alone_are_silent_but_for_that_line(tmp_path, capsys):
    oracle = keras_tuner.oracles.RandomSearchOracle("loss", 2, seed=0)
    tuner = SerialTuner(oracle, build, directory=tmp_path)
    tuner.search(X, Y, epochs=2)

    lines = capsys.readouterr().out.splitlines()
    assert [line[:9] for line in lines] == ["trial 1/2", "trial 2/2"]
    assert tuner.oracle.verbose == 1


@pytest.mark.parametrize("verbose, said", [(0, ""), (2, "Trial 2 Complete")])
def test_verbose_is_what_it_was(tmp_path, capsys, verbose, said):
    oracle = keras_tuner.oracles.RandomSearchOracle("loss", 2, seed=0)
    tuner = SerialTuner(oracle, build, directory=tmp_path)
    tuner.search(X, Y, epochs=1, verbose=verbose)

    out = capsys.readouterr().out
    assert said in out
    assert bool(out) == bool(said)


def test_a_fit_that_takes_no_verbose_gets_none(tmp_path, capsys):
    class Own(keras_tuner.HyperModel):
        def build(self, hp):
            return build(hp)

        def fit(self, hp, model, x, y, callbacks=None):
            return model.fit(x, y, callbacks=callbacks, verbose=0)

    oracle = keras_tuner.oracles.RandomSearchOracle("loss", 1, seed=0)
    tuner = SerialTuner(oracle, Own(), directory=tmp_path)
    tuner.search(X, Y)

    assert capsys.readouterr().out.startswith("trial 1/1  best loss")


def test_a_notebook_has_one_bar_and_a_table(tmp_path, notebook, capsys):
    caviar(tmp_path).search(X, Y, epochs=3)

    *bars, table = notebook
    assert capsys.readouterr().out == ""
    assert all("<progress" in bar for bar in bars)
    assert any("4 in epoch 2 of 3" in bar for bar in bars)
    assert re.search(r'value="4".*4 of 4 trials best loss \d', bars[-1])
    assert "<th>trial</th><th>loss</th><th>learning_rate</th>" in table
    assert table.count("<tr>") == 5


def test_an_interrupt_in_a_notebook_is_one_line(tmp_path, notebook):
    def interrupt(tuner, trial):
        raise KeyboardInterrupt

    tuner = caviar(tmp_path, on_trial=interrupt)
    with pytest.raises(search_display.SearchInterrupted) as raised:
        tuner.search(X, Y, epochs=1)

    assert raised.value._render_traceback_() == [
        "Interrupted: 4 of 4 trials are done and kept. Call `search` again "
        "to continue from there."
    ]


def test_an_interrupt_elsewhere_is_as_it_was(tmp_path):
    def interrupt(tuner, trial):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt) as raised:
        caviar(tmp_path, on_trial=interrupt).search(X, Y, verbose=0)
    assert type(raised.value) is KeyboardInterrupt
    assert search_display._shown == []


def test_a_tuner_tells_its_best_trial(tmp_path):
    tuner = caviar(tmp_path)
    assert repr(tuner).startswith("<Caviar: 0 of 4 trials, in ")
    assert "No trial has completed." in tuner._repr_html_()

    tuner.search(X, Y, verbose=0)
    assert re.match(
        r"<Caviar: 4 of 4 trials, best loss \d\.\d+ \(trial \d\), in ",
        repr(tuner),
    )
    assert tuner._repr_html_().count("<tr>") == 5


def test_epochs_are_told_to_who_trains_for_another(tmp_path):
    told = []
    oracle = keras_tuner.oracles.RandomSearchOracle(
        keras_tuner.Objective("loss", "min"), 4, seed=0
    )
    tuner = Caviar(
        build,
        oracle=oracle,
        directory=tmp_path,
        project_name="p",
        smallest_group=2,
    )
    with search_display.epochs_told(lambda *what: told.append(what)):
        tuner.search(X, Y, epochs=3, verbose=0)
    assert told == [(4, 1, 3), (4, 2, 3), (4, 3, 3)]
    assert search_display.showing_epochs(None, 4, 3) is None
