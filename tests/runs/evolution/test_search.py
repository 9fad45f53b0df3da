"""Runs that evolve: are they killed, resumed and refused as others are?"""

import keras
import keras_tuner
import numpy as np
import pytest
from kills import SPACE, Killer, outcome

from tfcourse.errors import InputError
from tfcourse.runs.evolution.search import check_evolves, holding_sizes
from tfcourse.runs.search import SearchRun
from tfcourse.runs.settings import Settings
from tfcourse.runs.spaces import SPACES
from tfcourse.utils.atomic_files import read_json

OWN = Settings(
    data="iris", space=SPACE, evolve=True, population=4, epochs=4, interval=1
)


@pytest.mark.parametrize("name", [*SPACES])
def test_of_our_own_spaces_all_but_sizes_evolve(name):
    space = SPACES[name]((16, 16), 3, "classification", "accuracy", 100)
    hp = keras_tuner.HyperParameters()
    holding_sizes(space).build(hp)
    kinds = {p.name: type(p).__name__ for p in hp.space}
    assert kinds["learning_rate"] == kinds["1 - beta"] == "Float"
    assert kinds["batch_size"] == kinds["optimizer"] == "Fixed"
    assert "Int" not in kinds.values()
    assert "Choice" not in kinds.values()


@pytest.mark.slow
@pytest.mark.parametrize("name", [*SPACES])
def test_they_are_what_evolution_can_change(rng, name):
    x = rng.normal(size=(8, 16, 16)).astype("float32")
    y = np.arange(8) % 3
    space = SPACES[name]((16, 16), 3, "classification", "accuracy", 8)
    # Raises for what cannot evolve.
    check_evolves(
        Settings(evolve=True),
        holding_sizes(space),
        keras_tuner.Objective("val_accuracy", "max"),
        {"x": x, "y": y, "validation_data": (x, y), "epochs": 2},
    )


@pytest.mark.slow
def test_a_run_says_what_the_winner_was_trained_with(tmp_path):
    run = SearchRun(OWN, tmp_path / "r")
    run.search()
    result = run.finish()

    assert result.completed == 4
    assert result.programs == 1
    best = result.best
    rates = result.schedule.of("learning_rate")
    assert len(rates) == best.best_epoch
    assert rates[-1] == best.hyperparameters["learning_rate"]
    found = read_json(tmp_path / "r" / "run.json")["result"]["schedule"]
    assert found["values"][-1]["learning_rate"] == rates[-1]
    assert keras.saving.load_model(tmp_path / "r" / "model.keras").built

    # Once it has ended there is nothing to go on with.
    before = outcome(tmp_path / "r")
    again = SearchRun(OWN, tmp_path / "r", resume=True)
    again.search()
    assert again.finish().schedule == result.schedule
    assert outcome(tmp_path / "r") == before
    with pytest.raises(InputError, match="is not empty|already"):
        SearchRun(OWN, tmp_path / "r")

    # With the weights of the best gone, all are trained again, as before.
    lost = tmp_path / "r" / "search" / f"trial_{best.trial}"
    (lost / "checkpoint.weights.h5").unlink()
    mended = SearchRun(OWN, tmp_path / "r", resume=True)
    mended.search()
    assert mended.finish().schedule == result.schedule
    assert outcome(tmp_path / "r") == before


@pytest.mark.slow
def test_what_cannot_evolve_is_refused_before_anything_is_written(tmp_path):
    (tmp_path / "space.py").write_text(
        "import keras\n"
        "def build(hp):\n"
        "    units = hp.Int('units', 2, 8)\n"
        "    model = keras.Sequential([keras.Input((4,)),\n"
        "        keras.layers.Dense(units),\n"
        "        keras.layers.Dense(3, 'softmax')])\n"
        "    rate = hp.Float('learning_rate', 1e-3, 1.0, sampling='log')\n"
        "    model.compile(keras.optimizers.SGD(rate),\n"
        "        'sparse_categorical_crossentropy', metrics=['accuracy'])\n"
        "    return model\n"
    )
    settings = {
        "data": "iris",
        "space": f"{tmp_path / 'space.py'}:build",
        "evolve": True,
    }
    with pytest.raises(InputError, match="'units'.*--fix units=2"):
        SearchRun(Settings(**settings), tmp_path / "r")
    assert not (tmp_path / "r").exists()
    SearchRun(Settings(**settings, fix=("units=4",)), tmp_path / "r")


@pytest.mark.slow
def test_a_run_that_is_killed_ends_as_a_whole_one(tmp_path):
    killer = Killer(OWN, seed=0)
    killer.whole(tmp_path / "whole")
    for attempt in range(4):
        folder = tmp_path / f"broken-{attempt}"
        killer.broken(folder, kills=4 - killer.kills)
        assert outcome(folder) == outcome(tmp_path / "whole")
        if killer.kills == 4:
            break
    assert killer.kills > 0
