"""Settings: remembered, checked, and kept when a run goes on."""

import dataclasses
import json

import pytest

from tfcourse.errors import InputError
from tfcourse.runs.settings import Settings, objective_of, read_settings
from tfcourse.utils.atomic_files import write_json


@pytest.mark.parametrize(
    "text, name, direction",
    [
        ("val_accuracy", "val_accuracy", "max"),
        ("val_loss", "val_loss", "min"),
        ("val_f1", "val_f1", "max"),
        ("val_rmse", "val_rmse", "min"),
        ("val_profit:max", "val_profit", "max"),
        ("val_accuracy:min", "val_accuracy", "min"),
    ],
)
def test_objective_has_a_direction(text, name, direction):
    objective = objective_of(text)
    assert (objective.name, objective.direction) == (name, direction)


@pytest.mark.parametrize("text", ["val_profit", "val_profit:up"])
def test_objective_without_direction_is_refused(text):
    with pytest.raises(InputError, match="--objective val_profit:max"):
        objective_of(text)


@pytest.mark.parametrize(
    "name, value",
    [
        ("trials", 0),
        ("epochs", 0),
        ("seed", -1),
        ("seed", 2**32),
        ("early_stopping", 0),
        ("folds", 1),
        ("image_size", 3),
        ("time_limit", -1),
    ],
)
def test_numbers_out_of_range_are_refused(name, value):
    option = name.replace("_", "-")
    with pytest.raises(InputError, match=f"--{option} must be .* {value}"):
        Settings(**{name: value})


def test_the_objective_follows_the_task():
    assert Settings().of_task("classification").objective == "val_accuracy"
    assert Settings().of_task("regression").objective == "val_mse"
    own = Settings(space="mine.py:build").of_task("regression")
    assert own.objective == "val_loss"
    given = Settings(objective="val_mae", space="wide", epochs=5)
    assert given.of_task("regression") == given
    with pytest.raises(InputError, match="--class-weight is for classes"):
        Settings(class_weight="balanced").of_task("regression")


@pytest.mark.parametrize(
    "examples, epochs",
    [(60_000, 10), (1000, 10), (999, 11), (250, 40), (100, 100), (20, 100)],
)
def test_few_examples_are_seen_more_often(examples, epochs):
    found = Settings().of_task("classification", examples=examples)
    assert found.epochs == epochs
    given = Settings(epochs=3).of_task("classification", examples=examples)
    assert given.epochs == 3


def test_the_space_follows_the_examples():
    assert Settings().of_task("classification").space == "course"
    for kind, examples, space in [
        ("images", 100, "cnn"),
        ("table", 999, "small"),
        ("table", 1000, "course"),
        ("arrays", 100, "course"),
    ]:
        found = Settings().of_task("regression", kind, examples)
        assert found.space == space
        given = Settings(space="wide").of_task("regression", kind, examples)
        assert given.space == "wide"
    given = Settings(space="full")
    assert given.of_task("classification", "images").space == "full"


@pytest.mark.parametrize("name", ["split", "group", "time", "dev"])
def test_folds_and_a_set_that_chooses_exclude_each_other(name):
    with pytest.raises(InputError, match=f"--{name} says which rows compare"):
        Settings(folds=5, **{name: "a"})


def test_an_unknown_sampler_is_refused():
    with pytest.raises(InputError, match="no --sampler 'tp'. Did you .*'tpe'"):
        Settings(sampler="tp")


def test_settings_of_tables_are_read_from_json(tmp_path):
    settings = Settings(data="a.csv", target="y", drop=("b", "c")).resolved()
    write_json(
        tmp_path / "run.json", {"settings": dataclasses.asdict(settings)}
    )

    read = read_settings(tmp_path)

    assert read == settings
    assert read.resumed(drop=["b", "c"]).drop == ("b", "c")
    assert read.drop == ("b", "c")


def test_paths_hold_from_anywhere(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)

    resolved = Settings(data="a/b.csv", space="m.py:build").resolved()

    assert resolved.data == str(tmp_path / "a/b.csv")
    assert resolved.space == f"{tmp_path}/m.py:build"
    assert Settings().resolved() == Settings()


def test_a_run_goes_on_with_its_settings():
    started = Settings(data="wine", epochs=3, trials=5)

    assert started.resumed() == started
    assert started.resumed(epochs=3, trials=5) == started
    assert started.resumed(trials=9) == dataclasses.replace(started, trials=9)
    for name, value in {"epochs": 4, "trials": 4, "data": "iris"}.items():
        with pytest.raises(InputError, match=f"--{name} "):
            started.resumed(**{name: value})


def test_a_strategy_that_is_none_is_refused():
    with pytest.raises(InputError, match="no --strategy 'panda'"):
        Settings(strategy="panda")


def test_manifest_round_trip_and_damage(tmp_path):
    with pytest.raises(InputError, match="no run in .*no run.json"):
        read_settings(tmp_path)

    path = tmp_path / "run.json"
    write_json(path, {"settings": dataclasses.asdict(Settings(seed=7))})
    assert read_settings(tmp_path) == Settings(seed=7)

    odd = [{"colour": 1}, {"seed": "x"}, {"seed": None}, {"drop": [1]}]
    odd += [{"time": 3}, {"early_stopping": [2]}, {"skip_bad": "no"}]
    for damage in (
        '{"settings": {"se',
        "{}",
        *(json.dumps({"settings": settings}) for settings in odd),
    ):
        path.write_text(damage)
        with pytest.raises(InputError, match="damaged or from another version"):
            read_settings(tmp_path)
