"""Population: what it does beside training, and what it refuses."""

import functools

import keras
import numpy as np
import pytest
from keras import layers

from tfcourse.tuning.population import CannotVectorize, Population
from tfcourse.tuning.population.training_loop import TrainingLoop


def data(rng, n=40):
    y = rng.integers(3, size=n)
    x = rng.normal(size=(n, 5)) + y[:, None]
    return x.astype("float32"), y


def model(rate=0.1, units=4, seed=0, loss="sparse_categorical_crossentropy"):
    keras.utils.set_random_seed(seed)
    model = keras.Sequential(
        [
            keras.Input((5,)),
            layers.Dense(units, activation="tanh"),
            layers.Dense(3, activation="softmax"),
        ]
    )
    model.compile(keras.optimizers.SGD(rate), loss, metrics=["accuracy"])
    return model


@functools.cache
def traced():
    """Returns programs that serve the populations of all tests."""
    first = Population([model(seed=i) for i in range(2)], jit_compile=False)
    first.fit(*data(np.random.default_rng(1)))
    return first._trainer.traced


def population(rates=(0.1, 0.2, 0.3)):
    models = [model(rate, seed=i) for i, rate in enumerate(rates)]
    members = Population(models, jit_compile=False)
    members._trainer.like = traced()
    return members


def test_diverged_member_freezes_and_touches_no_other(rng):
    x, y = data(rng)

    def fit(rate):
        members = population([0.1, rate, 0.3])
        kept = []
        histories = members.fit(
            x,
            y,
            epochs=3,
            seed=0,
            on_epoch_end=lambda p, *_: kept.append(p.values(1)[0]),
        )
        return members, histories, kept

    good, expected, _ = fit(0.2)
    bad, histories, kept = fit(np.inf)

    assert bad.diverged.tolist() == [False, True, False]
    assert histories[1].diverged_epoch == 0
    assert not np.isfinite(histories[1].diverged_value)
    assert len(histories[1].epoch) == 1
    assert np.isfinite(bad.values(1)[0]).all()
    np.testing.assert_array_equal(kept[0], kept[-1])
    for k in (0, 2):
        assert histories[k].history == expected[k].history
        for a, b in zip(good.values(k), bad.values(k), strict=True):
            np.testing.assert_array_equal(a, b)


def test_training_ends_when_all_have_diverged(rng):
    histories = population([np.inf, np.inf]).fit(*data(rng), epochs=5)
    assert [len(h.epoch) for h in histories] == [1, 1]
    assert all(h.diverged_epoch == 0 for h in histories)


def test_all_that_diverged_have_no_mean(rng):
    x, y = data(rng)
    members = population([np.inf, np.inf])
    members.fit(x, y)
    assert members.diverged.all()
    assert not len(members.training)
    assert np.isfinite(members.predict(x)).all()
    with pytest.raises(ValueError, match="All members have diverged"):
        members.ensemble_predict(x)


def test_each_member_stops_by_its_own_patience(rng):
    x, y = data(rng)
    held_out = data(rng)
    rates = (1.0, 5.0, 0.001)

    def callback():
        return keras.callbacks.EarlyStopping(
            "val_loss", patience=1, restore_best_weights=True
        )

    members = population(rates)
    histories = members.fit(
        x,
        y,
        epochs=12,
        shuffle=False,
        validation_data=held_out,
        early_stopping=callback(),
    )
    lengths = set()
    for k, rate in enumerate(rates):
        alone = model(rate, seed=k)
        expected = alone.fit(
            x,
            y,
            epochs=12,
            shuffle=False,
            validation_data=held_out,
            callbacks=[callback()],
            verbose=0,
        )
        assert histories[k].epoch == expected.epoch
        lengths.add(len(expected.epoch))
        np.testing.assert_allclose(
            histories[k].history["val_loss"],
            expected.history["val_loss"],
            rtol=1e-4,
        )
        for a, b in zip(members.values(k), alone.weights, strict=False):
            np.testing.assert_allclose(a, b, atol=1e-4)
    assert len(lengths) > 1


def test_keeps_the_weights_of_the_best_epoch(rng):
    x, y = data(rng)
    members = population((3.0, 8.0, 5.0))
    seen = []
    histories = members.fit(
        x,
        y,
        epochs=6,
        validation_data=data(rng),
        keep_best="val_loss",
        on_epoch_end=lambda p, *_: seen.append([p.values(k) for k in range(3)]),
    )
    bests = [h.best_epoch for h in histories]
    assert bests == [int(np.argmin(h.history["val_loss"])) for h in histories]
    assert set(bests) != {5}
    for k, epoch in enumerate(bests):
        for a, b in zip(
            members.values(k, best=True), seen[epoch][k], strict=True
        ):
            np.testing.assert_array_equal(a, b)
    other = model()
    members.assign_to(1, other, best=True)
    np.testing.assert_allclose(
        other.predict(x, verbose=0), members.predict(x, best=True)[1], atol=1e-6
    )


def test_halving_shrinks_the_arrays_and_keeps_what_was_learned(rng):
    x, y = data(rng)
    members = population((0.1, 0.2, 0.3, 0.4))
    at_drop = {}

    def halve(p, epoch, logs):
        if epoch == 0:
            best = p.members[np.argsort(logs["loss"])[:2]]
            at_drop.update({k: p.values(k)[0] for k in range(4)})
            p.keep(best)

    histories = members.fit(x, y, epochs=3, on_epoch_end=halve, seed=0)

    kept = members.members.tolist()
    assert len(kept) == 2
    assert {len(array) for array in members._trainer._built.state.arrays} == {2}
    assert [len(h.epoch) for h in histories] == [
        3 if k in kept else 1 for k in range(4)
    ]
    for k in set(range(4)) - set(kept):
        np.testing.assert_array_equal(members.values(k)[0], at_drop[k])
        assert histories[k].stopped_epoch == 0
    assert members.predict(x).shape == (4, 40, 3)
    straight = population((0.1, 0.2, 0.3, 0.4))
    expected = straight.fit(x, y, epochs=3, seed=0)
    for k in kept:
        np.testing.assert_allclose(
            histories[k].history["loss"],
            expected[k].history["loss"],
            rtol=1e-5,
        )


def test_out_of_memory_goes_on_in_pieces(rng, monkeypatch):
    x, y = data(rng)
    expected = population().fit(x, y, epochs=2, validation_data=(x, y), seed=0)
    one = TrainingLoop._one

    def scarce(self, arrays, *args):
        if len(arrays[0]) > 1:
            raise MemoryError
        return one(self, arrays, *args)

    monkeypatch.setattr(TrainingLoop, "_one", scarce)
    members = population()
    histories = members.fit(x, y, epochs=2, validation_data=(x, y), seed=0)

    assert members.report["pieces"] == 3
    for a, b in zip(histories, expected, strict=True):
        for name in ("loss", "val_loss"):
            np.testing.assert_allclose(
                a.history[name], b.history[name], rtol=1e-5
            )


def test_subsets_go_with_their_members(rng, monkeypatch):
    x, y = data(rng)
    orders = np.stack([rng.permutation(40) for _ in range(3)])
    settings = {"subsets": np.split(orders, [25], 1), "epochs": 2, "seed": 0}
    expected = population().fit(x, y, **settings)

    def alike(histories):
        for a, b in zip(histories, expected[-len(histories) :], strict=True):
            for name in ("loss", "val_loss"):
                np.testing.assert_allclose(
                    a.history[name], b.history[name], rtol=1e-5
                )

    def drop(members, epoch, logs):
        members.keep([1, 2])

    alike(population().fit(x, y, on_epoch_end=drop, **settings)[1:])
    one = TrainingLoop._one

    def scarce(self, arrays, *args):
        if len(arrays[0]) > 2:
            raise MemoryError
        return one(self, arrays, *args)

    monkeypatch.setattr(TrainingLoop, "_one", scarce)
    alike(population().fit(x, y, **settings))


def test_a_first_batch_is_tried_and_leaves_no_trace(rng):
    x, y = data(rng)
    settings = {"epochs": 2, "validation_data": (x, y), "seed": 0}
    expected, first = population().fit(x, y, **settings), []
    trainer = population()._trainer
    histories = trainer.fit(x, y, before_training=first.append, **settings)
    for a, b in zip(histories, expected, strict=True):
        assert a.history == b.history
    (first,) = first
    own = model(0.2, seed=1)
    np.testing.assert_array_equal(first.before(1)[0], own.get_weights()[0])
    # Of 40 examples the mini-batch has 32, from the first to the last.
    assert first.sample.positions[[0, -1]].tolist() == [0, 39]
    some = first.sample.positions
    before = own.test_on_batch(x[some], y[some], return_dict=True)
    logs = own.train_on_batch(x[some], y[some], return_dict=True)
    logs |= {f"val_{name}": value for name, value in before.items()}
    assert {name: values[1] for name, values in first.logs.items()} == (
        pytest.approx(logs, rel=1e-5)
    )
    for actual, value in zip(first.after(1), own.get_weights(), strict=False):
        np.testing.assert_allclose(actual, value, rtol=1e-5, atol=1e-6)


def test_a_first_batch_of_subsets_is_each_members_own(rng):
    x, y = data(rng)
    orders = np.stack([rng.permutation(40) for _ in range(3)])
    first = []
    population()._trainer.fit(
        x,
        y,
        subsets=np.split(orders, [25], 1),
        before_training=first.append,
        batch_size=8,
    )
    (first,) = first
    some = orders[2, np.linspace(0, 24, 8).astype(int)]
    held_out = orders[2, 25 + np.linspace(0, 14, 8).astype(int)]
    own = model(0.3, seed=2)
    before = own.evaluate(x[held_out], y[held_out], verbose=0)
    loss = own.train_on_batch(x[some], y[some])[0]
    assert first.logs["val_loss"][2] == pytest.approx(before[0], rel=1e-5)
    assert first.logs["loss"][2] == pytest.approx(loss, rel=1e-5)


def test_a_first_batch_takes_no_pass_over_data_of_its_own(rng):
    class Counted(keras.utils.PyDataset):
        passes = 0

        def __len__(self):
            return 2

        def __getitem__(self, i):
            self.passes += i == 0
            return x[20 * i :][:20], y[20 * i :][:20]

    x, y = data(rng)
    passes = []
    for first in (None, lambda _: 0):
        train, held_out = Counted(), Counted()
        population()._trainer.fit(
            train, validation_data=held_out, epochs=2, before_training=first
        )
        passes.append((train.passes, held_out.passes))
    assert passes[0] == passes[1]


ROWS = np.zeros((3, 2), int)


@pytest.mark.parametrize(
    "subsets, settings, words",
    [
        (
            (ROWS, ROWS),
            {"validation_split": 0.5},
            "Leave out `validation_data`",
        ),
        ((ROWS, ROWS[:2]), {}, "each of the 3 members"),
        ((ROWS, ROWS + 40), {}, "indices of the 40 .* 40 to 40"),
        ((ROWS - 1, ROWS), {}, "indices of the 40 .* -1 to -1"),
        ((ROWS, ROWS * 1.0), {}, "indices of the 40 .* float64"),
    ],
    ids=["validation", "members", "high", "negative", "floats"],
)
def test_refuses_bad_subsets(rng, subsets, settings, words):
    with pytest.raises(ValueError, match=words):
        population().fit(*data(rng), subsets=subsets, **settings)


def test_refuses_subsets_of_a_dataset():
    class Nothing(keras.utils.PyDataset):
        pass

    with pytest.raises(ValueError, match="are for arrays. .*x=Nothing"):
        population().fit(Nothing(), subsets=(ROWS, ROWS))


def test_a_member_that_does_not_fit_is_out_of_memory(rng, monkeypatch):
    def none(*_):
        raise MemoryError

    monkeypatch.setattr(TrainingLoop, "_one", none)
    with pytest.raises(MemoryError):
        population().fit(*data(rng))


def test_goes_on_where_it_ended(rng):
    x, y = data(rng)
    twice, once = population(), population()
    twice.fit(x, y, epochs=2, shuffle=False)
    second = twice.fit(x, y, initial_epoch=2, epochs=4, shuffle=False)
    straight = once.fit(x, y, epochs=4, shuffle=False)
    assert second[0].epoch == [2, 3]
    np.testing.assert_allclose(
        second[1].history["loss"], straight[1].history["loss"][2:], rtol=1e-5
    )


def test_shuffling_is_repeatable(rng):
    x, y = data(rng)
    first, again, other = (
        population().fit(x, y, epochs=2, seed=seed)[0].history
        for seed in (3, 3, 4)
    )
    assert again == first
    assert other != first


def test_ensemble_is_the_mean_of_those_that_did_not_diverge(rng):
    x, y = data(rng)
    members = population((0.1, np.inf, 0.3))
    members.fit(x, y)
    each = members.predict(x)
    np.testing.assert_allclose(
        members.ensemble_predict(x), (each[0] + each[2]) / 2, rtol=1e-6
    )
    np.testing.assert_allclose(
        members.ensemble_predict(x, weights=[3, 0, 1]),
        (3 * each[0] + each[2]) / 4,
        rtol=1e-6,
    )


def test_evaluates_each_member(rng):
    x, y = data(rng)
    members = population()
    members.fit(x, y)
    for k, metrics in enumerate(members.evaluate(x, y)):
        alone = model()
        members.assign_to(k, alone)
        expected = alone.evaluate(x, y, return_dict=True, verbose=0)
        assert metrics == pytest.approx(expected, rel=1e-5)


def test_refuses_models_of_different_structure():
    with pytest.raises(ValueError, match=r"Model 1 differs .* 4 and 6"):
        Population([model(), model(units=6)])


def test_refuses_an_uncompiled_model():
    with pytest.raises(ValueError, match="must be compiled"):
        Population([keras.Sequential([keras.Input((2,)), layers.Dense(1)])])


def test_refuses_no_models_and_one_model_twice():
    with pytest.raises(ValueError, match="at least one"):
        Population([])
    one = model()
    with pytest.raises(ValueError, match="twice"):
        Population([one, one])


def test_names_the_metrics_there_are(rng):
    with pytest.raises(ValueError, match=r"val_loss.*accuracy"):
        population().fit(*data(rng), keep_best="val_loss")


def test_refuses_a_model_that_trains_itself(rng):
    class Own(keras.Sequential):
        def train_step(self, data):
            return super().train_step(data)

    own = Own([keras.Input((5,)), layers.Dense(3)])
    own.compile("sgd", "mse")
    with pytest.raises(CannotVectorize, match="overrides `train_step`"):
        Population([own]).fit(*data(rng))


def test_private_names_of_keras_that_are_used_are_there(rng):
    one = model()
    one.fit(*data(rng), verbose=0)
    for name in (
        "_compute_loss",
        "_loss_tracker",
        "_compile_metrics",
        "_compile_config",
        "_call_has_training_arg",
        "_flatten_layers",
        "_build_shapes_dict",
    ):
        assert hasattr(one, name), name
    assert isinstance(one.optimizer._learning_rate, keras.Variable)
    assert callable(one.optimizer._use_weight_decay)
    assert one.layers[0]._build_shapes_dict
    assert one.layers[0]._losses == []
