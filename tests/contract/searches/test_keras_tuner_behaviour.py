"""Does a search behave as keras-tuner's, whatever its parts return?"""

import io
import sys

import keras
import keras_tuner
import numpy as np
import pytest
from keras_tuner import errors
from keras_tuner.oracles import GridSearchOracle, RandomSearchOracle

from tfcourse.tuning import Caviar, SerialTuner

X, Y = np.ones((6, 2)), np.arange(6)[:, None] % 2
LOSS = keras_tuner.Objective("loss", "min")
CURVES = {0: [9.0, 6.0, 3.0], 1: [13.0, 12.0, 11.0]}
BOTH = pytest.mark.parametrize("tuner_class", [Caviar, SerialTuner])


class Recorded(keras.Model):
    """A model that is not trained: its curve is known before."""

    def __init__(self, losses):
        super().__init__()
        self.losses_to_be = losses

    def fit(self, *args, callbacks=(), **kwargs):
        history = keras.callbacks.History()
        every = keras.callbacks.CallbackList([*callbacks, history], model=self)
        every.on_train_begin()
        for epoch, loss in enumerate(self.losses_to_be):
            every.on_epoch_begin(epoch)
            every.on_epoch_end(epoch, {"loss": loss})
        return history

    def save_weights(self, path, **kwargs):
        pass

    def get_config(self):
        return {}


class Space(keras_tuner.HyperModel):
    def build(self, hp):
        return Recorded(CURVES[hp.Choice("mode", [0, 1])])


def dense(hp):
    model = keras.Sequential([keras.Input((2,))])
    for i in range(hp.Int("layers", 1, 3)):
        model.add(keras.layers.Dense(hp.Int(f"units_{i}", 2, 4, default=3)))
    model.add(keras.layers.Dense(1, "sigmoid"))
    rate = hp.Choice("rate", [0.1, 0.01])
    loss, optimizer = "binary_crossentropy", keras.optimizers.SGD(rate)
    model.compile(optimizer, loss, metrics=["accuracy"])
    return model


def made(tuner_class, folder, space=None, oracle=None, **settings):
    return tuner_class(
        oracle=oracle or RandomSearchOracle(LOSS, 2, seed=1337),
        hypermodel=space,
        directory=folder,
        **settings,
    )


def running(base, run):
    """Returns a tuner class whose trials are run by a function."""

    class Tuner(base):
        def run_trial(self, trial, *args, **kwargs):
            return run(self, trial)

    return Tuner


def losses_of(trial):
    return CURVES[trial.hyperparameters.Choice("mode", [0, 1])]


def updated(tuner, trial):
    tuner.oracle.update_trial(trial.trial_id, {"loss": min(losses_of(trial))})


RETURNED = {
    "a number": lambda tuner, trial: min(losses_of(trial)),
    "a whole number": lambda tuner, trial: int(min(losses_of(trial))),
    "numbers": lambda tuner, trial: [min(losses_of(trial))] * 3,
    "a dict": lambda tuner, trial: {"loss": min(losses_of(trial)), "b": 1.0},
    "dicts": lambda tuner, trial: [{"loss": min(losses_of(trial))}],
    "a history": lambda tuner, trial: Recorded(losses_of(trial)).fit(),
}


@BOTH
@pytest.mark.parametrize("name", RETURNED)
def test_the_best_is_found_by_what_run_trial_returns(
    tmp_path, tuner_class, name
):
    tuner = made(running(tuner_class, RETURNED[name]), tmp_path)
    tuner.search()
    assert sorted(t.score for t in tuner.oracle.trials.values()) == [3, 11]
    assert tuner.get_best_hyperparameters()[0]["mode"] == 0


@pytest.mark.filterwarnings("ignore:.* is deprecated")
# What is ignored elsewhere is an error where warnings are caught.
@pytest.mark.filterwarnings("ignore:__array__ implementation")
@BOTH
def test_a_run_trial_may_report_by_itself(tmp_path, tuner_class):
    tuner = made(running(tuner_class, updated), tmp_path)
    with pytest.deprecated_call(match="remove the call"):
        tuner.search()
    assert tuner.oracle.get_best_trials()[0].score == 3


@BOTH
def test_models_that_fit_by_themselves_are_scored(tmp_path, tuner_class):
    tuner = made(tuner_class, tmp_path, Space())
    tuner.search()
    best, other = tuner.oracle.get_best_trials(2)
    assert (best.score, best.best_step) == (3, 2)
    assert (other.score, other.best_step) == (11, 2)


FITTED = {
    "a number": lambda losses: min(losses),
    "a whole number": lambda losses: int(min(losses)),
    "a dict": lambda losses: {"loss": min(losses), "other": 0.5},
}


@BOTH
@pytest.mark.parametrize("name", FITTED)
def test_the_best_is_found_by_what_fit_returns(tmp_path, tuner_class, name):
    class Fitting(Space):
        def fit(self, hp, model, *args, **kwargs):
            history = super().fit(hp, model, *args, **kwargs)
            return FITTED[name](history.history["loss"])

    tuner = made(tuner_class, tmp_path, Fitting())
    tuner.search(callbacks=[])
    assert tuner.oracle.get_best_trials()[0].score == 3


REFUSED = {
    "nothing": (lambda *_: None, LOSS, "forget"),
    "a word": (lambda *_: "a", LOSS, r"run_trial\(\) to be one of"),
    "a dict for no objective": (lambda *_: {"a": 1.0}, None, "single float"),
}


@BOTH
@pytest.mark.parametrize("name", REFUSED)
def test_another_result_ends_the_search(tmp_path, tuner_class, name):
    run, objective, said = REFUSED[name]
    oracle = RandomSearchOracle(objective, 2)
    tuner = made(running(tuner_class, run), tmp_path, oracle=oracle)
    with pytest.raises(errors.FatalTypeError, match=said):
        tuner.search()


@BOTH
@pytest.mark.parametrize("result", ["a", {"a": 1.0}])
def test_another_result_of_fit_ends_the_search(tmp_path, tuner_class, result):
    class Fitting(Space):
        def fit(self, hp, model, *args, **kwargs):
            return result

    oracle = RandomSearchOracle(None, 2)
    with pytest.raises(errors.FatalTypeError, match=r"HyperModel\.fit\(\)"):
        made(tuner_class, tmp_path, Fitting(), oracle).search()


@BOTH
@pytest.mark.parametrize(
    "error, runs", [(ValueError, 9), (errors.FailedTrialError, 5)]
)
def test_a_failure_is_tried_again_unless_it_is_final(
    tmp_path, tuner_class, error, runs
):
    values = []

    def run(tuner, trial):
        values.append(trial.hyperparameters.Int("value", 1, 5))
        if values[-1] in (2, 3):
            raise error("wrong value")
        return float(values[-1])

    oracle = GridSearchOracle(max_retries_per_trial=2)
    tuner = made(running(tuner_class, run), tmp_path, oracle=oracle)
    tuner.search()
    assert len(values) == runs
    statuses = [trial.status for trial in tuner.oracle.trials.values()]
    assert (statuses.count("FAILED"), statuses.count("COMPLETED")) == (2, 3)


@BOTH
def test_failures_in_a_row_end_the_search(tmp_path, tuner_class):
    def run(tuner, trial):
        trial.hyperparameters.Int("value", 1, 9)
        raise ValueError("always")

    oracle = RandomSearchOracle(LOSS, 9, max_consecutive_failed_trials=3)
    tuner = made(running(tuner_class, run), tmp_path, oracle=oracle)
    with pytest.raises(RuntimeError, match=r"(?s)fail.*always"):
        tuner.search()
    assert len(tuner.oracle.trials) == 3


@BOTH
def test_a_fatal_error_is_raised(tmp_path, tuner_class):
    def run(tuner, trial):
        raise errors.FatalError("the end")

    tuner = made(running(tuner_class, run), tmp_path)
    with pytest.raises(errors.FatalError, match="the end"):
        tuner.search()


@BOTH
def test_a_space_that_is_gone_through_ends_the_search(tmp_path, tuner_class):
    def run(tuner, trial):
        a, b = map(trial.hyperparameters.Boolean, ["a", "b"])
        return [float(2 * a + b)]

    oracle = RandomSearchOracle(max_trials=15, seed=0)
    tuner = made(running(tuner_class, run), tmp_path, oracle=oracle)
    tuner.search()
    assert sorted(t.score for t in tuner.oracle.trials.values()) == [0, 1, 2, 3]


@BOTH
def test_an_oracle_may_have_nothing_at_first(tmp_path, tuner_class):
    class Late(RandomSearchOracle):
        waited = 0

        def populate_space(self, trial_id):
            self.waited += 1
            if self.waited < 3:
                return {"status": "IDLE", "values": None}
            return super().populate_space(trial_id)

    def run(tuner, trial):
        return trial.hyperparameters.Float("a", 0, 1)

    oracle = Late(max_trials=2)
    tuner = made(running(tuner_class, run), tmp_path, oracle=oracle)
    tuner.search()
    assert len(tuner.oracle.trials) == 2


# Spaces


def static(hp):
    model = keras.Sequential([keras.Input((2,))])
    model.add(keras.layers.Dense(hp.get("units")))
    model.add(keras.layers.Dense(1))
    model.compile(keras.optimizers.SGD(hp.Choice("rate", [0.1, 0.2])), "mse")
    return model


def given():
    hp = keras_tuner.HyperParameters()
    hp.Int("units", 2, 4)
    return hp


@BOTH
def test_new_entries_may_be_refused(tmp_path, tuner_class):
    oracle = RandomSearchOracle(
        LOSS, 2, hyperparameters=given(), allow_new_entries=False
    )
    with pytest.raises(RuntimeError, match="`allow_new_entries` is `False`"):
        made(tuner_class, tmp_path, static, oracle).search(X, Y, verbose=0)


@BOTH
def test_new_entries_may_stay_at_their_defaults(tmp_path, tuner_class):
    oracle = RandomSearchOracle(
        LOSS, 3, 0, hyperparameters=given(), tune_new_entries=False
    )
    tuner = made(tuner_class, tmp_path, static, oracle)
    tuner.search(X, Y, verbose=0)
    assert [p.name for p in tuner.oracle.get_space().space] == ["units"]
    points = [t.hyperparameters.values for t in tuner.oracle.trials.values()]
    assert len({point["units"] for point in points}) > 1
    assert {point["rate"] for point in points} == {0.1}


@BOTH
def test_all_conditions_are_known_from_the_start(tmp_path, tuner_class):
    class Nested(Space):
        def build(self, hp):
            kind = hp.Choice("kind", ["a", "b"])
            for one in ("a", "b"):
                with hp.conditional_scope("kind", [one]):
                    if kind == one and hp.Boolean(f"more_{one}"):
                        with hp.conditional_scope(f"more_{one}", [True]):
                            hp.Int(f"size_{one}", 1, 3)
            return super().build(hp)

    tuner = made(tuner_class, tmp_path, Nested())
    names = {p.name for p in tuner.oracle.get_space().space}
    assert names >= {"kind", "more_a", "more_b", "mode"}


# Tuners


@pytest.mark.parametrize("tuner_class", [Caviar, SerialTuner])
def test_wrong_parts_are_named(tmp_path, tuner_class):
    with pytest.raises((TypeError, ValueError), match="oracle"):
        tuner_class(oracle="no", hypermodel=dense, directory=tmp_path)
    with pytest.raises((TypeError, ValueError), match="hypermodel"):
        made(tuner_class, tmp_path, "dense")
    with pytest.raises(ValueError, match="hypermodel=None"):
        made(tuner_class, tmp_path)
    with pytest.raises(ValueError, match="unrecognized"):
        made(tuner_class, tmp_path, dense, unrecognized=3)
    with pytest.raises(ValueError, match="direction"):
        made(tuner_class, tmp_path, dense, RandomSearchOracle("custom"))


@BOTH
def test_a_model_that_is_none_is_named(tmp_path, tuner_class):
    tuner = made(tuner_class, tmp_path, lambda hp: None)
    with pytest.raises((TypeError, ValueError), match="model"):
        tuner.search(X, Y, verbose=0)


class Uncopyable(keras.callbacks.Callback):
    def __deepcopy__(self, memo):
        raise TypeError("one of a kind")


@BOTH
def test_callbacks_that_cannot_be_copied_are_named(tmp_path, tuner_class):
    tuner = made(tuner_class, tmp_path, dense)
    with pytest.raises(errors.FatalValueError, match="deep-copyable"):
        tuner.search(X, Y, verbose=0, callbacks=[Uncopyable()])


class Counting(keras.callbacks.Callback):
    begun: list = []  # noqa: RUF012

    def on_train_begin(self, logs=None):
        self.begun.append(id(self))


@BOTH
def test_callbacks_see_each_execution(tmp_path, tuner_class, monkeypatch):
    monkeypatch.setattr(Counting, "begun", [])
    tuner = made(tuner_class, tmp_path, dense, executions_per_trial=2)
    tuner.search(X, Y, verbose=0, callbacks=[Counting()])
    assert len(Counting.begun) == 4


@BOTH
def test_nothing_is_printed_if_that_is_asked_for(
    tmp_path, tuner_class, monkeypatch
):
    tuner = made(tuner_class, tmp_path, dense)
    monkeypatch.setattr(sys, "stdout", io.StringIO())
    tuner.search(X, Y, verbose=0)
    assert not sys.stdout.getvalue().strip()


@BOTH
def test_the_tuner_says_what_it_is_and_goes_on(tmp_path, tuner_class, capsys):
    def begun(trials):
        oracle = RandomSearchOracle(LOSS, trials, seed=3)
        return made(tuner_class, tmp_path, dense, oracle)

    tuner = begun(2)
    assert tuner.remaining_trials == 2
    assert tuner.project_dir == str(tmp_path / "untitled_project")
    tuner.search_space_summary()
    tuner.search(X, Y, verbose=0)
    tuner.results_summary()
    told = capsys.readouterr().out
    assert "rate (Choice)" in told
    assert "Showing 10 best trials" in told

    again = begun(3)
    assert len(again.oracle.trials) == 2
    assert again.remaining_trials == 1
    again.search(X, Y, verbose=0)
    best, *others = again.get_best_models(3)
    assert len(others) == 2
    score = again.oracle.get_best_trials()[0].score
    loss = best.evaluate(X, Y, verbose=0, return_dict=True)["loss"]
    # The score is the mean over an epoch, the loss that after it.
    assert loss == pytest.approx(score, rel=0.2)
    made(tuner_class, tmp_path, dense, overwrite=True)
    assert not list(tmp_path.glob("**/trial.json"))


@BOTH
def test_a_hypermodel_may_be_compiled_otherwise(tmp_path, tuner_class):
    oracle = RandomSearchOracle(keras_tuner.Objective("mae", "min"), 2, seed=1)
    tuner = made(
        tuner_class,
        tmp_path,
        dense,
        oracle,
        optimizer=keras.optimizers.RMSprop(0.01),
        loss="mse",
        metrics=["mae"],
    )
    tuner.search(X, Y, verbose=0)
    assert {t.status for t in tuner.oracle.trials.values()} == {"COMPLETED"}
    model = tuner.get_best_models()[0]
    assert model.loss == "mse"
    assert type(model.optimizer) is keras.optimizers.RMSprop


@BOTH
def test_two_objectives_are_one_sum(tmp_path, tuner_class):
    both = [LOSS, keras_tuner.Objective("accuracy", "max")]
    oracle = RandomSearchOracle(both, 2, seed=1)
    tuner = made(tuner_class, tmp_path, dense, oracle)
    tuner.search(X, Y, verbose=0)
    for trial in tuner.oracle.trials.values():
        value = trial.metrics.get_best_value
        sums = value("loss") - value("accuracy")
        assert trial.score == pytest.approx(sums, rel=1e-5)


@BOTH
def test_a_model_that_is_too_large_is_refused(tmp_path, tuner_class):
    oracle = RandomSearchOracle(LOSS, 3)
    tuner = made(tuner_class, tmp_path, dense, oracle, max_model_size=4)
    with pytest.raises((RuntimeError, ValueError), match=r"(?i)oversized"):
        tuner.search(X, Y, verbose=0)
