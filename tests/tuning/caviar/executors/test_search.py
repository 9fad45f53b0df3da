"""An executor: are its trials, scores and weights those of one process?"""

import keras
import keras_tuner
import numpy as np
import pytest
from executors.fake import DriverKilledError, FakeExecutor
from executors.outcomes import outcome
from marks import slow_but

from tfcourse.errors import InputError
from tfcourse.tuning import Caviar, CoarseToFineSearch, OptunaOracle
from tfcourse.utils.atomic_files import read_json

OBJECTIVE = keras_tuner.Objective("val_loss", "min")


@pytest.fixture(scope="module")
def data():
    rng = np.random.default_rng(0)
    x = rng.normal(size=(32, 3)).astype("float32")
    return x, x.sum(1, keepdims=True)


def build(hp):
    model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(1)])
    rate = hp.Float("learning_rate", 1e-3, 1e-1, sampling="log")
    model.compile(keras.optimizers.SGD(rate), "mse")
    return model


def wide(hp):
    """Of several widths and depths, which are embedded in one network."""
    model = keras.Sequential([keras.Input((3,))])
    for n in range(hp.Int("layers", 1, 2)):
        model.add(keras.layers.Dense(hp.Int(f"units_{n}", 2, 9), "relu"))
    model.add(keras.layers.Dense(1))
    rate = hp.Float("learning_rate", 1e-3, 1e-1, sampling="log")
    model.compile(keras.optimizers.Adam(rate), "mse")
    return model


def search(folder, data, tuner=Caviar, space=build, **kwargs):
    """Returns the tuner, and what it leaves."""
    settings = {"objective": OBJECTIVE, "max_trials": 9, "population": 4}
    if "oracle" in kwargs:
        del settings["objective"], settings["max_trials"]
    made = tuner(
        space,
        directory=folder,
        project_name="p",
        verify=False,
        **settings | kwargs,
    )
    made.search(*data, validation_data=data, epochs=4, verbose=0)
    return made, outcome(made.project_dir)


@pytest.fixture(scope="module")
def local(tmp_path_factory, data):
    return search(tmp_path_factory.mktemp("local"), data, ahead=2)[1]


def test_the_rules_of_many_change_nothing_here(tmp_path, data, local):
    assert search(tmp_path, data)[1] == local


@pytest.mark.parametrize(
    "workers, seed", [pytest.param(1, 0, marks=pytest.mark.slow), (3, 1)]
)
def test_any_order_and_losses(tmp_path, data, local, workers, seed):
    fake = FakeExecutor(workers, seed, loses=4)
    tuner, found = search(tmp_path, data, executor=fake)

    assert found == local
    assert fake.most_at_once <= workers + 1
    assert tuner.oracle.end_order == tuner.oracle.start_order
    assert {group["node"] for group in tuner.groups} == {"fake"}
    trained = [i for group in tuner.groups for i in group["trials"]]
    assert sorted(trained) == sorted(tuner.oracle.trials)


@pytest.mark.slow
def test_too_little_memory_halves(tmp_path, data, local):
    fake = FakeExecutor(most=1)
    assert search(tmp_path, data, executor=fake)[1] == local
    assert (0, ("0", "1", "2", "3")) in fake.submitted
    assert (0, ("0", "1")) in fake.submitted


def test_what_kills_its_worker_fails_and_no_other(tmp_path, data, local):
    fake = FakeExecutor(kills=["5"])
    tuner, found = search(tmp_path, data, executor=fake)

    failed = tuner.oracle.trials["5"]
    assert failed.status == "FAILED"
    assert "killed by signal 9" in failed.message
    for name in found:
        if name != "oracle" and not name.startswith("trial_5"):
            assert found[name] == local[name]
    assert [only for _, only in fake.submitted if "5" in only] == [
        *[("4", "5", "6", "7")] * 2,
        ("4", "5"),
        *[("5",)] * 2,
    ]


@pytest.mark.parametrize("dies_after", slow_but([0, 1, 2], [1]))
def test_a_driver_that_was_killed_goes_on(tmp_path, data, local, dies_after):
    with pytest.raises(DriverKilledError):
        search(tmp_path, data, executor=FakeExecutor(dies_after=dies_after))
    fake = FakeExecutor(seed=3)
    assert search(tmp_path, data, executor=fake)[1] == local
    # What had come back is not trained again.
    assert len(fake.submitted) == 3 - dies_after
    assert not list(tmp_path.glob("p/*/arrived.json"))


def test_a_search_of_workers_goes_on_here(tmp_path, data, local):
    with pytest.raises(DriverKilledError):
        search(tmp_path, data, executor=FakeExecutor(dies_after=1))
    assert search(tmp_path, data, population=None)[1] == local
    with pytest.raises(InputError, match="started with population=4"):
        search(tmp_path, data, population=5)


KINDS = {
    "rounds": {"tuner": CoarseToFineSearch, "rounds": 2},
    "folds": {"folds": 2, "halving": False},
    "executions": {"executions_per_trial": 2},
    "halving": {"halving": True},
    "widths": {"space": wide},
}


@pytest.mark.slow
@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_of_search(tmp_path, data, kind):
    ours = KINDS[kind]
    if kind == "folds":
        data = data[0], (data[1] > 0).astype("float32")
    _, expected = find(tmp_path / "1", data, ours, ahead=3)
    fake = FakeExecutor(3, loses=3)
    _, found = find(tmp_path / "2", data, ours, executor=fake)
    assert found == expected
    if kind != "halving":
        # Halves of a batch are trained by the program of all.
        fake = FakeExecutor(most=2)
        halves = find(tmp_path / "4", data, ours, executor=fake)
        assert halves[1] == expected
    killed = FakeExecutor(2, seed=5, loses=3, dies_after=1)
    with pytest.raises(DriverKilledError):
        find(tmp_path / "3", data, ours, executor=killed)
    fake = FakeExecutor(2, seed=6)
    assert find(tmp_path / "3", data, ours, executor=fake)[1] == expected


def find(folder, data, ours, **kwargs):
    if "folds" not in ours:
        return search(folder, data, **ours, **kwargs)
    tuner = Caviar(
        build,
        OBJECTIVE,
        9,
        population=4,
        directory=folder,
        project_name="p",
        verify=False,
        **ours,
        **kwargs,
    )
    tuner.search(*data, epochs=4, verbose=0)
    return tuner, outcome(tuner.project_dir)


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["hyperband", "tpe"])
def test_oracles_that_learn(tmp_path, data, kind):
    def oracle():
        if kind == "tpe":
            return OptunaOracle(OBJECTIVE, 9)
        return keras_tuner.oracles.HyperbandOracle(
            OBJECTIVE, max_epochs=4, factor=2, seed=1
        )

    _, expected = search(tmp_path / "1", data, oracle=oracle())
    for n, ahead in enumerate([1, 2], start=2):
        fake = FakeExecutor(2, loses=3)
        kwargs = {"executor": fake, "ahead": ahead}
        _, found = search(tmp_path / str(n), data, oracle=oracle(), **kwargs)
        if ahead == 1:
            assert found == expected
        else:
            _, here = search(tmp_path / "4", data, oracle=oracle(), ahead=2)
            assert found == here


def test_what_cannot_travel_is_refused(tmp_path, data):
    class Own(Caviar):
        def run_trial(self, trial, *args, **kwargs):
            return 1.0

    with pytest.raises(InputError, match="overrides `run_trial`"):
        search(tmp_path, data, Own, executor=FakeExecutor())
    with pytest.raises(TypeError, match="`executor` of Caviar must be one"):
        search(tmp_path, data, executor="ray")


def test_batches_are_written_before_they_are_given_out(tmp_path, data):
    with pytest.raises(DriverKilledError):
        search(tmp_path, data, executor=FakeExecutor(dies_after=0))
    assert read_json(tmp_path / "p/batches.json") == {
        "population": 4,
        "ahead": None,
        "batches": [
            [["0", "1", "2", "3"]],
            [["4", "5", "6", "7"]],
            [["8"]],
        ],
    }


def test_workers_are_told_of_on_one_line(tmp_path, data):
    fake, told = FakeExecutor(loses=6), []
    fake.progress = told.append
    search(tmp_path, data, executor=fake)

    assert told[0] == "at work: nobody yet, 3 batches to begin"
    assert any(" lost and handed out again" in words for words in told)
