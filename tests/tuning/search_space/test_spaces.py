"""The course's spaces: what is drawn, and the models that come of it."""

import keras
import keras_tuner
import numpy as np
import pytest

from tfcourse.layers import InvertedDropout
from tfcourse.tuning._keras_tuner import hyperparameters as kinds
from tfcourse.tuning.results.importance import tier_of
from tfcourse.tuning.search_space.course_space import CourseSpace, WideSpace
from tfcourse.tuning.search_space.full_space import FullSpace
from tfcourse.tuning.search_space.held import Held
from tfcourse.tuning.search_space.image_space import ImageSpace
from tfcourse.tuning.search_space.small_space import SmallSpace


def bounds(space, **values):
    hp = keras_tuner.HyperParameters()
    hp.values = dict(values)
    space.build(hp)
    return {
        p.name: tuple(p.values)
        if isinstance(p, kinds.Choice)
        else (p.min_value, p.max_value, p.sampling)
        for p in hp.space
    }


def test_the_wide_space_holds_the_courses():
    course = bounds(CourseSpace((4,), 3), optimizer="momentum")
    wide = bounds(WideSpace((4,), 3), optimizer="momentum")

    assert course.keys() == wide.keys()
    for name, (low, *_, high) in course.items():
        if name == "optimizer":
            assert wide[name] == course[name]
        elif name == "batch_size":
            assert set(course[name]) < set(wide[name])
        else:
            assert wide[name][0] <= low
            assert wide[name][1] >= course[name][1]
            assert wide[name][2] == high
    assert wide["1 - beta"] == (1e-4, 0.5, "log")


def test_the_full_space_is_in_the_courses_order_of_importance():
    found = bounds(FullSpace((4,), 3, examples=100), optimizer="momentum")

    names = list(found)
    assert names[0] == "learning_rate"
    tiers = [tier_of(name.removeprefix("1 - ")) for name in names]
    known = [tier for tier in tiers if tier is not None]
    assert known == sorted(known) == [0, 1, 1, 1, 2, 2]
    assert names[-2:] == ["keep_prob", "lambda"]
    assert found["decay_rate"] == (0.01, 1.0, "log")
    assert found["keep_prob"] == (0.5, 1.0, "linear")
    assert found["lambda"] == (0.01, 10.0, "log")


def test_a_model_of_the_full_space_is_what_was_drawn():
    hp = keras_tuner.HyperParameters()
    hp.values = {
        "learning_rate": 0.2,
        "optimizer": "adam",
        "units": 20,
        "batch_size": 32,
        "layers": 2,
        "decay_rate": 0.5,
        "keep_prob": 0.75,
        "lambda": 0.6,
    }

    model = FullSpace((4,), 3, examples=100).build(hp)

    dropout = [d for d in model.layers if isinstance(d, InvertedDropout)]
    assert [float(layer.keep_prob) for layer in dropout] == [0.75, 0.75]
    # λ / 2m Σ w² of both hidden layers, and not of the last.
    squares = sum(
        np.sum(np.square(layer.kernel.numpy(), dtype="float64"))
        for layer in model.layers[:-1]
        if isinstance(layer, keras.layers.Dense)
    )
    model(np.ones((1, 4)))
    assert float(sum(model.losses)) == pytest.approx(
        0.6 / 200 * squares, rel=1e-5
    )
    # Four steps to an epoch of 100 examples.
    rate = model.optimizer._learning_rate
    rates = [float(rate(step)) for step in (0, 3, 4, 8)]
    assert rates == pytest.approx([0.2, 0.2, 0.2 / 1.5, 0.2 / 2])


@pytest.mark.parametrize("layers", [1, 2])
def test_a_small_model_is_penalized_in_all_its_layers(layers):
    hp = keras_tuner.HyperParameters()
    hp.values = {"units": 5, "layers": layers, "lambda": 0.6, "keep_prob": 0.75}

    model = SmallSpace((4,), 3, examples=100).build(hp)

    dense = [d for d in model.layers if isinstance(d, keras.layers.Dense)]
    assert [d.units for d in dense] == [5] * layers + [3]
    dropout = [d for d in model.layers if isinstance(d, InvertedDropout)]
    assert [float(layer.keep_prob) for layer in dropout] == [0.75] * layers
    squares = sum(
        np.sum(np.square(d.kernel.numpy(), dtype="f8")) for d in dense
    )
    model(np.ones((1, 4)))
    assert float(sum(model.losses)) == pytest.approx(
        0.6 / 200 * squares, rel=1e-5
    )


@pytest.mark.parametrize("space", [FullSpace, SmallSpace])
@pytest.mark.parametrize("classes", [2, 3])
def test_the_cross_entropy_is_reported_without_the_penalty(space, classes):
    hp = keras_tuner.HyperParameters()
    hp.values = {"lambda": 5.0, "units": 20}
    model = space((4,), classes, examples=10).build(hp)
    x = np.random.default_rng(0).normal(size=(10, 4)).astype("float32")
    y = np.arange(10) % classes

    found = model.evaluate(x, y, verbose=0, return_dict=True)

    p = model.predict(x, verbose=0).astype("f8")
    chosen = np.where(y == 1, p[:, 0], 1 - p[:, 0])
    if classes > 2:
        chosen = p[np.arange(10), y]
    plain = -np.log(chosen).mean()
    assert found["cross_entropy"] == pytest.approx(plain, rel=1e-5)
    penalties = float(sum(model.losses))
    assert penalties > 0.1
    assert found["loss"] == pytest.approx(plain + penalties, rel=1e-5)


def test_the_small_space():
    found = bounds(SmallSpace((4,), 3, examples=100), optimizer="momentum")

    assert found["units"] == (4, 100, "log")
    assert found["layers"] == (1, 2, "linear")
    assert found["activation"] == ("relu", "linear")
    assert found["lambda"] == (0.01, 100.0, "log")


def test_what_training_takes_without_a_search():
    for space, units in ((FullSpace, 16), (SmallSpace, 32)):
        hp = keras_tuner.HyperParameters()
        space((4,), 3, examples=100).build(hp)
        found = {name: hp.get(name) for name in ("units", "layers")}
        assert found == {"units": units, "layers": 1}


def test_a_small_model_may_be_linear():
    hp = keras_tuner.HyperParameters()
    hp.values = {"layers": 2, "units": 6, "activation": "linear"}
    model = SmallSpace((4,), 1, "regression", examples=100).build(hp)

    x = np.random.default_rng(0).normal(size=(3, 4)).astype("float32")
    y = model.predict(np.stack([x[0], x[1], x[0] + x[1], 0 * x[0]]), verbose=0)

    np.testing.assert_allclose(y[2] - y[1], y[0] - y[3], atol=1e-5)


@pytest.mark.parametrize(
    "shape, most", [((28, 28, 1), 3), ((8, 8), 2), ((4, 30, 3), 1)]
)
def test_images_are_halved_as_often_as_they_can_be(shape, most):
    hp = keras_tuner.HyperParameters()
    hp.values = {"blocks": most, "filters": 8, "optimizer": "adam"}

    model = ImageSpace(shape, 5).build(hp)

    assert bounds(ImageSpace(shape, 5))["blocks"][:2] == (1, most)
    convolutions = [
        layer.filters
        for layer in model.layers
        if isinstance(layer, keras.layers.Conv2D)
    ]
    assert convolutions == [8, 16, 32][:most]
    assert model(np.zeros((2, *shape), "float32")).shape == (2, 5)


@pytest.mark.parametrize(
    "held, rest",
    [
        ({"units": 64}, {"layers", "batch_size", "learning_rate", "optimizer"}),
        (
            {"optimizer": "momentum", "1 - beta": 0.05},
            {"units", "layers", "batch_size", "learning_rate"},
        ),
    ],
)
def test_what_is_held_is_not_searched(held, rest):
    space = Held(CourseSpace((4,), 3), held)
    hp = keras_tuner.HyperParameters()

    model = space.build(hp)

    fixed = {p.name: p.value for p in hp.space if isinstance(p, kinds.Fixed)}
    searched = {p.name for p in hp.space} - set(fixed) - {"1 - beta"}
    assert fixed == held
    assert searched == rest
    assert hp.values | held == hp.values
    dense = [d for d in model.layers if isinstance(d, keras.layers.Dense)]
    assert dense[0].units == held.get("units", 50)
    if "1 - beta" in held:
        beta = model.optimizer.hyperparameters["beta"]
        assert float(beta) == pytest.approx(0.95)


def test_fit_knows_what_is_held():
    space = Held(CourseSpace((4,), 3), {"batch_size": 128})
    hp = keras_tuner.HyperParameters()
    model = space.build(hp)
    x, y = np.ones((256, 4), "float32"), np.zeros(256, "int32")

    history = space.fit(hp, model, x, y, verbose=0)

    assert history.params["steps"] == 2
