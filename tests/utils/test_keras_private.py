"""The private names of Keras that tfcourse leans on: are they there?"""

import itertools

import keras
import numpy as np
import pytest
from keras import layers, ops

from tfcourse.diagnostics.float64 import lent_float64
from tfcourse.utils import keras_private
from tfcourse.utils.keras_private import (
    calls,
    every_layer,
    graph_of,
    mask_of,
    noting_created,
    set_mask,
    standardized_inputs,
    sublayers,
)


@pytest.fixture
def model():
    inputs = keras.Input((3,))
    inner = keras.Sequential([keras.Input((3,)), layers.Dense(3, name="in")])
    outputs = layers.Dense(2, name="out")(ops.relu(inner(inputs)))
    model = keras.Model(inputs, outputs)
    model.compile("sgd", keras.losses.MeanSquaredError())
    return model


def test_the_layer_that_makes_a_variable_is_known():
    seen = []

    def ones(shape, dtype=None):
        seen.append(keras_private.layer_at_work())
        return ops.ones(shape, dtype)

    layer = layers.Dense(2, kernel_initializer=ones)
    keras.Sequential([keras.Input((3,)), layer])

    assert seen[0] is layer
    assert keras_private.layer_at_work() is None


def test_lists_the_layers(model):
    assert {"in", "out"} < {layer.name for layer in every_layer(model)}
    names = {layer.name for layer in sublayers(model)}
    assert "out" in names
    assert "in" not in names


def test_lists_the_calls_inputs_first(model):
    made = calls(model)
    assert [type(call.operation).__name__ for call in made] == [
        "Sequential",
        "Relu",
        "Dense",
    ]
    for before, after in itertools.pairwise(made):
        assert before.outputs[0] is after.inputs[0]


def test_knows_whose_calls_it_can_list(model):
    class Own(keras.Model):
        def call(self, x):
            return x

    class Functional(type(model)):
        def call(self, x, training=None, mask=None):
            return super().call(x)

    assert graph_of(model) is model
    assert graph_of(Own()) is None
    assert graph_of(Functional(model.inputs, model.outputs)) is None
    assert graph_of(layers.Dense(2)) is None


def test_knows_what_a_sequential_model_runs(model):
    class Own(keras.Sequential):
        def call(self, x):
            return x

    [built] = [x for x in model.layers if isinstance(x, keras.Sequential)]
    assert [call.operation.name for call in calls(graph_of(built))] == ["in"]
    assert graph_of(keras.Sequential([layers.Dense(2)])) is None
    assert graph_of(Own([keras.Input((2,)), layers.Dense(2)])) is None


def test_runs_a_call_at_inference_on_values(model, rng):
    drop = layers.Dropout(0.5)
    inputs = keras.Input((3,))
    [call] = calls(keras.Model(inputs, drop(inputs, training=True)))
    assert call.args[0] is inputs
    assert call.kwargs == {"training": True}

    x = ops.convert_to_tensor(rng.normal(size=(4, 3)).astype("float32"))
    [y] = call.run([x])
    np.testing.assert_array_equal(y, x)


def test_casts_the_inputs_as_a_model_does(model, rng):
    [x] = standardized_inputs(model, rng.normal(size=(4, 3)))
    assert keras.backend.standardize_dtype(x.dtype) == "float32"


def test_a_tensor_carries_a_mask():
    tensor = layers.Masking()(np.array([[[0.0], [1.0]]], "float32"))
    np.testing.assert_array_equal(mask_of(tensor), [[False, True]])
    other = ops.ones((1, 2, 1))
    assert mask_of(other) is None
    set_mask(other, mask_of(tensor))
    assert mask_of(other) is mask_of(tensor)


def test_lends_float64_to_every_part(model, rng):
    x, y = rng.normal(size=(4, 3)), rng.normal(size=(4, 2))
    names = [variable.value for variable in model.variables]
    loss = model._compile_loss
    with lent_float64(model):
        predicted = model(ops.convert_to_tensor(x))
        assert keras.backend.standardize_dtype(predicted.dtype) == "float64"
        lent = model.compute_loss(x, ops.convert_to_tensor(y), predicted)
        assert keras.backend.standardize_dtype(lent.dtype) == "float64"

        a, b = (
            layer.get_weights() for layer in (model.layers[1], model.layers[-1])
        )
        expected = np.maximum(x @ a[0] + a[1], 0) @ b[0] + b[1]
        np.testing.assert_allclose(
            ops.convert_to_numpy(predicted), expected, rtol=1e-12
        )
        assert float(lent) == pytest.approx(
            np.mean((expected - y) ** 2), rel=1e-12
        )
        model.layers[-1].bias.assign([9.0, 9.0])
    # The very same buffers are back, and the very same loss.
    assert all(
        variable.value is value
        for variable, value in zip(model.variables, names, strict=True)
    )
    assert model._compile_loss is loss
    predicted = model(ops.convert_to_tensor(x, "float32"))
    assert keras.backend.standardize_dtype(predicted.dtype) == "float32"
    assert keras.backend.result_type("float32", float) == "float32"


def test_knows_what_keras_takes_in_place_of_float64():
    on_tensorflow = keras.config.backend() == "tensorflow"
    taken = "float64" if on_tensorflow else "float32"
    assert keras_private.BIT64_TO_BIT32_DTYPE["float64"] == taken


# ---------------------------------------------------------------------------
# What a process has once (used by utils.global_state)


def test_knows_what_keras_keeps_for_the_process():
    before = keras_private.global_attributes()
    keras.config.set_dtype_policy("mixed_bfloat16")
    keras.layers.Dense(1)
    try:
        now = keras_private.global_attributes()
        assert now["dtype_policy"].name == "mixed_bfloat16"
        assert now["object_name_uids"]["dense"] >= 1
    finally:
        keras_private.set_global_attributes(before)
    assert keras_private.global_attributes() == before


def test_knows_where_the_global_generator_is_kept():
    keras.utils.set_random_seed(3)
    keras.random.normal((1,))
    kept = keras_private.global_attributes()
    generator = kept[keras_private.GLOBAL_SEED_GENERATOR]
    assert generator.state is keras_private.global_seed()


# ---------------------------------------------------------------------------
# Models in training (used by tuning.panda)


@pytest.fixture
def nested_model():
    keras.utils.set_random_seed(0)
    model = keras.Sequential(
        [
            keras.Input((2,)),
            keras.Sequential([keras.Input((2,)), keras.layers.Dense(2)]),
            keras.layers.Dropout(0.5),
        ]
    )
    model.compile("adam", "mse", run_eagerly=True)
    return model


def test_fit_begins_where_it_is_told(nested_model):
    class Begin(keras.callbacks.Callback):
        def on_train_begin(self, logs=None):
            keras_private.begin_at(self.model, 3)

    x = np.zeros((4, 2))
    history = nested_model.fit(x, x, epochs=5, verbose=0, callbacks=[Begin()])
    assert history.epoch == [3, 4]
    keras_private.begin_at(nested_model, None)
    assert nested_model.fit(x, x, epochs=1, verbose=0).epoch == [0]


def test_every_layer_is_found(nested_model):
    layers = keras_private.every_layer(nested_model)
    found = [type(layer).__name__ for layer in layers]

    assert found.count("Dense") == found.count("Dropout") == 1
    assert found.count("Sequential") == 2


def test_global_seed_is_the_state_that_draws_without_a_seed():
    keras.utils.set_random_seed(0)
    seed = keras_private.global_seed()
    before = np.asarray(seed).tolist()
    drawn = keras.random.normal((2,))
    assert np.asarray(seed).tolist() != before

    seed.assign(before)
    np.testing.assert_array_equal(keras.random.normal((2,)), drawn)


def test_learning_rate_is_a_variable_or_a_schedule():
    constant = keras.optimizers.SGD(0.1)
    assert keras_private.learning_rate_of(constant) is constant.learning_rate
    schedule = keras.optimizers.schedules.ExponentialDecay(0.1, 10, 0.9)
    decaying = keras.optimizers.SGD(schedule)
    assert keras_private.learning_rate_of(decaying) is schedule


def test_a_config_is_read_without_the_schedule():
    schedule = keras.optimizers.schedules.ExponentialDecay(0.1, 10, 0.9)
    optimizer = keras.optimizers.SGD(schedule)
    with keras_private.without_rate(optimizer):
        assert isinstance(optimizer.get_config()["learning_rate"], float)
    assert keras_private.learning_rate_of(optimizer) is schedule


# ---------------------------------------------------------------------------
# Models and optimizers as functions (used by tuning.population)


@pytest.fixture
def small():
    small = keras.Sequential(
        [keras.Input((3,)), layers.Dense(2, name="only"), layers.Dropout(0.5)]
    )
    small.compile(
        keras.optimizers.AdamW(0.1), "mse", metrics=["accuracy", "mae"]
    )
    return small


def test_finds_the_layers_however_deep(small):
    outer = keras.Sequential([keras.Input((3,)), small])
    names = [layer.name for layer in keras_private.every_layer(outer, False)]
    assert "only" in names
    assert outer.name not in names
    assert keras_private.every_layer(outer)[0] is outer


def test_finds_the_input_of_a_sequential_model(small):
    first = keras_private.first_of_sequential(small)
    assert isinstance(first, layers.InputLayer)
    assert keras_private.first_of_sequential(keras.Sequential()) is None


def test_remembers_the_shapes_of_build(small):
    (shape,) = keras_private.build_shapes(small.layers[0]).values()
    assert tuple(shape) == (None, 3)
    assert keras_private.build_shapes(layers.Dense(1)) == {}


def test_tells_a_model_that_it_trains(small):
    class Plain(keras.Model):
        def call(self, x):
            return 2 * x

    x = np.ones((50, 3), "float32")
    trained = ops.convert_to_numpy(keras_private.called(small, x, True))
    assert (trained == 0).any()
    assert not (keras_private.called(small, x, False) == 0).numpy().any()
    np.testing.assert_array_equal(keras_private.called(Plain(), x, True), 2 * x)


def test_computes_the_loss_and_its_metrics(small, rng):
    x, y = rng.normal(size=(4, 3)), rng.normal(size=(4, 2))
    predicted = small(x)
    loss = keras_private.loss_of(
        small, x=x, y=y, y_pred=predicted, sample_weight=None, training=False
    )
    expected = np.mean((ops.convert_to_numpy(predicted) - y) ** 2)
    assert float(loss) == pytest.approx(expected, rel=1e-5)
    assert keras_private.loss_tracker(small).name == "loss"
    small.compute_metrics(x, ops.convert_to_tensor(y), predicted)
    inner = keras_private.compiled_metrics(small).metrics
    assert len(inner) == 2


def test_remembers_what_was_compiled(small):
    assert keras_private.compile_argument(small, "loss") == "mse"
    assert keras_private.compile_argument(small, "loss_weights") is None
    assert keras_private.compile_argument(keras.Sequential(), "loss") is None


def test_knows_the_losses_that_layers_add():
    class Adding(layers.Layer):
        def call(self, x):
            self.add_loss(ops.mean(x))
            return x

    one = Adding()
    one(np.ones((2, 2)))
    assert keras_private.adds_losses(one)
    assert not keras_private.adds_losses(layers.Dense(1))


def test_finds_the_function_of_a_metric():
    metric = keras.metrics.MeanSquaredError()
    function = keras_private.wrapped_function(metric)
    assert function is keras.losses.mean_squared_error
    assert keras_private.wrapped_function(keras.metrics.Mean()) is None


def test_finds_the_function_of_a_loss():
    loss = keras.losses.BinaryCrossentropy(from_logits=True)
    function, arguments = keras_private.loss_arguments(loss)
    assert function is keras.losses.binary_crossentropy
    assert arguments["from_logits"]
    assert keras_private.loss_arguments(keras.losses.Loss()) == (None, {})


def test_finds_the_losses_of_several_outputs(small, rng):
    x = keras.Input((2,))
    outputs = [keras.layers.Dense(1)(x) for _ in range(2)]
    model = keras.Model(x, outputs)
    model.compile("sgd", ["mse", "mae"])
    model.evaluate(np.ones((1, 2)), [np.ones((1, 1))] * 2, verbose=0)
    means = keras_private.losses_of_outputs(model)
    assert [type(mean) for mean in means] == [keras.metrics.Mean] * 2
    assert keras_private.losses_of_outputs(small) == []


def test_names_begin_anew_for_a_while():
    names = []
    for _ in range(2):
        with keras_private.fresh_names():
            names.append([keras.layers.Dense(1).name for _ in range(2)])
    assert names == [["dense", "dense_1"]] * 2
    before, after = (keras.metrics.AUC() for _ in range(2))
    with keras_private.fresh_names():
        keras.metrics.AUC()
    numbers = [m.name.removeprefix("auc").strip("_") for m in (before, after)]
    assert int(numbers[1]) == int(numbers[0] or 0) + 1


def test_division_is_another_for_a_while():
    def doubled(divide, x1, x2):
        return 2 * divide(x1, x2)

    three = keras.ops.convert_to_tensor(3.0)
    with keras_private.divide_replaced(doubled):
        assert float(keras.ops.divide(three, 4.0)) == 1.5
    assert float(keras.ops.divide(three, 4.0)) == 0.75


def test_knows_which_way_a_metric_is_better(small, rng):
    x, y = rng.normal(size=(4, 3)), rng.normal(size=(4, 2))
    small.fit(x, y, verbose=0)
    assert keras_private.larger_is_better(small, "val_accuracy")
    assert not keras_private.larger_is_better(small, "loss")


def functional(optimizer):
    if keras.config.backend() == "tensorflow":
        bases = type(optimizer), keras_private.in_place_undone()
        optimizer.__class__ = type("Undone", bases, {})
    return optimizer


def test_settles_which_variables_decay(small):
    kernel, bias = small.trainable_variables
    optimizer = functional(keras.optimizers.AdamW(0.1))
    optimizer.exclude_from_weight_decay(var_names=["bias"])
    assert keras_private.decays(optimizer, kernel)
    assert not keras_private.decays(optimizer, bias)
    keras_private.set_decays(optimizer, {id(kernel): False, id(bias): True})
    assert not keras_private.decays(optimizer, kernel)
    assert keras_private.decays(optimizer, bias)


def test_an_optimizers_first_variables(small):
    first, second = keras_private.iterations_and_rate(small.optimizer)
    assert first is small.optimizer.iterations
    assert float(second) == pytest.approx(0.1)


@pytest.mark.parametrize("name", ["sigmoid", "softmax", "linear", "relu"])
def test_knows_outputs_that_were_made_from_logits(name):
    dense = keras.layers.Dense(2, activation=name)
    network = keras.Sequential([keras.Input((3,)), dense])
    whole = keras.Sequential([keras.Input((3,)), network])

    made = keras_private.made_from_logits(whole(np.ones((1, 3))))

    assert made == (name in ("sigmoid", "softmax"))


def test_defers_initialization():
    with keras_private.deferred_initialization():
        dense = layers.Dense(2)
        dense.build((None, 3))
    kernel = dense.kernel
    initializer = keras_private.initializer_of(kernel)
    assert isinstance(initializer, keras.initializers.GlorotUniform)
    assert kernel._value is None
    # Afterwards as ever.
    usual = layers.Dense(2)
    usual.build((None, 3))
    assert usual.kernel._value is not None


def test_defers_the_variables_of_a_symbolic_call():
    class Own(layers.Layer):
        def __init__(self):
            super().__init__()
            self.inner = layers.Dense(2)

        def call(self, x):
            return self.inner(x)

    with keras_private.deferred_initialization():
        own = Own()
        own(keras.KerasTensor((None, 3)))
    kernel = own.inner.kernel
    assert keras_private.initializer_of(kernel) is not None
    assert kernel._value is None


def test_gives_an_input():
    model = keras.Sequential([layers.Dense(2)])
    keras_private.give_input(model, (None, 3))
    assert keras_private.first_of_sequential(model).batch_shape == (None, 3)
    keras_private.rebuild(model)
    assert model.layers[0].kernel.shape == (3, 2)
    # As the first batch would.
    usual = keras.Sequential([layers.Dense(2)])
    usual(ops.ones((1, 3)))
    first = keras_private.first_of_sequential(usual)
    assert first.dtype == keras_private.first_of_sequential(model).dtype


def test_knows_the_losses_of_a_model(model):
    assert keras_private.compiled_loss(keras.Sequential()) is None
    model.compile("sgd", "mse", loss_weights=[2.0])
    assert keras_private.compiled_loss(model) is not None
    assert keras_private.loss_weights_of(model) == [2.0]

    layer = layers.Dense(2, activity_regularizer="l2")
    layer(ops.ones((1, 3)))
    outer = keras.Sequential([layer])
    assert outer.losses
    keras_private.clear_losses(outer)
    assert not outer.losses


def test_defers_building():
    with keras_private.unbuilt():
        model = keras.Sequential([keras.Input((3,)), layers.Dense(2)])
        assert not model.built
    keras_private.rebuild(model)
    assert model.built


def test_says_what_is_not_built_yet():
    with keras_private.unbuilt():
        model = keras.Sequential([keras.Input((3,)), layers.Dense(2)])
        model.compile("sgd", "mse")
        (dense,) = model.layers
        for look in (model.get_weights, lambda: dense.trainable_variables):
            with pytest.raises(keras_private.NotBuiltYetError):
                look()
        with pytest.raises(keras_private.NotBuiltYetError):
            dense.kernel_regularizer = None
        dense.trainable = False
        # What is called is built.
        model(np.ones((1, 3), "float32"))
        assert len(model.weights) == len(dense.weights) == 2
        # Keras does not build it either.
        unknown = keras.Sequential([layers.Dense(2)])
        assert unknown.weights == []
        unknown.layers[0].units = 3


def test_finds_variables_that_their_layers_did_not_make_so():
    def changes(change, **settings):
        model = keras.Sequential(
            [
                keras.Input((3,)),
                layers.Dense(2, **settings),
                layers.BatchNormalization(trainable=False),
            ]
        )
        change(model.layers[0])
        return keras_private.changed_variables(model)

    norm, rule = keras.constraints.MaxNorm(1.0), keras.regularizers.L2(0.1)
    given = {"kernel_constraint": norm, "kernel_regularizer": rule}
    assert not changes(lambda dense: None, **given)
    assert not changes(lambda dense: setattr(dense, "trainable", False))
    for name, value in {
        "trainable": False,
        "overwrite_with_gradient": True,
        "constraint": norm,
        "regularizer": rule,
    }.items():

        def change(dense, name=name, value=value):
            setattr(dense.kernel, name, value)

        place = f"layer 2 (Dense), variable 0, {name}"
        assert changes(change) == {place: value}
    too_late = changes(lambda dense: setattr(dense, "bias_constraint", norm))
    assert [*too_late] == ["layer 2 (Dense), bias_constraint"]


def test_undoes_updates_in_place():
    variable = keras.Variable([1.0, 2.0])
    optimizer = functional(keras.optimizers.SGD(0.5))
    optimizer.build([variable])
    with keras.StatelessScope() as scope:
        optimizer.apply([ops.convert_to_tensor([1.0, 1.0])], [variable])
    np.testing.assert_array_equal(variable, [1.0, 2.0])
    np.testing.assert_array_equal(scope.get_current_value(variable), [0.5, 1.5])


def test_what_is_created_is_noted():
    before = keras.layers.Dense(1)
    before.build((None, 2))
    with noting_created() as created:
        layer = keras.layers.Dense(1)
        layer.build((None, 1))
        inside = keras.Sequential([keras.Input((2,)), before, layer])
        with noting_created() as later:
            variable = keras.Variable(1.0)
    outside = keras.layers.Dense(1)
    outside.build((None, 2))
    assert {id(layer), id(inside)} <= created.operations
    assert not {id(before), id(outside)} & created.operations
    weights = {id(v) for v in (*layer.variables, variable)}
    assert weights <= created.variables
    known = {id(v) for v in (*before.variables, *outside.variables)}
    assert not known & created.variables
    assert id(variable) in later.variables
    assert id(layer) not in later.operations


def test_what_is_created_is_noted_no_longer_after_an_error():
    with pytest.raises(KeyError), noting_created() as created:
        raise KeyError
    keras.layers.Dense(1).build((None, 2))
    assert not created.operations
    assert not created.variables


def test_builds_a_model_and_computes_nothing():
    computed = []

    def loss(y, p):
        computed.append(ops.is_tensor(p))
        return ops.mean(ops.square(y - p), axis=-1)

    model = keras.Sequential([layers.Dense(1)])
    model.compile("sgd", loss, metrics=["mae"])
    keras_private.build_symbolically(model, np.ones((2, 3)), np.ones((2, 1)))
    assert model.built
    assert computed
    assert sorted(model.get_metrics_result()) == ["loss", "mae"]
    assert float(model.get_metrics_result()["loss"]) == 0.0


def test_gives_a_loss_other_arguments():
    huber = keras.losses.Huber(0.5)
    function, arguments = keras_private.loss_arguments(huber)
    other = keras_private.with_loss_arguments(
        huber, function, arguments | {"delta": 2.0}
    )
    y = np.zeros((1, 1)), np.full((1, 1), 4.0)
    # Half a square up to delta, and then a line.
    assert float(huber(*y)) == 0.5 * (4 - 0.25)
    assert float(other(*y)) == 2 * (4 - 1)


@pytest.mark.parametrize("built", [False, True])
def test_gives_a_model_another_loss(built):
    model = keras.Sequential([keras.Input((2,)), layers.Activation("linear")])
    model.compile("sgd", "mse")
    x, y = np.full((1, 2), 3.0), np.zeros((1, 2))
    if built:
        assert float(model.compute_loss(x, y, model(x))) == 9
    keras_private.set_loss(model, keras.losses.MeanAbsoluteError())
    assert float(model.compute_loss(x, y, model(x))) == 3


def test_knows_what_a_softmax_was_computed_of():
    x = ops.convert_to_tensor([[1.0, 2.0]])
    y = keras.activations.softmax(x)
    np.testing.assert_array_equal(keras_private.logits_of(y), x)
    assert keras_private.logits_of(x) is None
    keras_private.set_logits(x, y)
    assert keras_private.logits_of(x) is y


def test_clips_in_several_ways():
    optimizer = keras.optimizers.SGD(0.1)
    gradients = [ops.convert_to_tensor([3.0, 4.0])]
    limits = {"global_clipnorm": 10.0, "clipnorm": 1.0, "clipvalue": 0.7}
    (clipped,) = keras_private.clipped(optimizer, limits, gradients)
    np.testing.assert_allclose(clipped, [0.6, 0.7], rtol=1e-6)
    keras_private.set_clipping(optimizer, lambda gradients: [0 * gradients[0]])
    weight = keras.Variable([1.0, 1.0])
    optimizer.apply(gradients, [weight])
    np.testing.assert_array_equal(weight, [1.0, 1.0])


def test_gives_a_cell_other_masks():
    def draw(*what):
        return [what] * what[-1]

    cell = layers.GRUCell(2, dropout=0.5, reset_after=False)
    keras_private.set_masks(cell, draw)
    assert cell.get_dropout_mask("inputs") == ("dropout", "inputs", 1)
    assert cell.get_recurrent_dropout_mask("states") is None
    # A convolution has a mask for each of its gates, and keeps them.
    cell = layers.ConvLSTM1D(2, 2, recurrent_dropout=0.5).cell
    keras_private.set_masks(cell, draw)
    masks = cell.get_recurrent_dropout_mask("states")
    assert masks == [("recurrent_dropout", "states", 4)] * 4
    assert cell.get_recurrent_dropout_mask("others") is masks
    cell.reset_recurrent_dropout_mask()
    assert cell.get_recurrent_dropout_mask("others") != masks


def test_finds_the_cells_with_masks():
    layer = layers.Bidirectional(layers.GRU(2))
    found = keras_private.cells_with_masks(layer)
    assert found == [layer.forward_layer.cell, layer.backward_layer.cell]
    assert keras_private.cells_with_masks(layers.Dense(2)) == []


def test_knows_what_dropout_has_in_common():
    x = np.ones((2, 3, 4))
    one = layers.SpatialDropout1D(0.5)
    assert tuple(keras_private.noise_shape_of(one, x)) == (2, 1, 4)
    other = layers.Dropout(0.5, noise_shape=(None, 1, None))
    assert keras_private.noise_shape_of(other, x) == (None, 1, None)


def test_gives_a_chain_other_layers():
    model = keras.Sequential([keras.Input((3,)), layers.Dense(2)])
    (dense,) = model.layers
    keras_private.set_layers(model, [layers.Dropout(0.5), dense])
    assert model.built
    assert model.output_shape == (None, 2)
    assert model.layers[1] is dense
