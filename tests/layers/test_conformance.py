"""What every layer can: Keras's harness, config, files, XLA, export."""

import inspect

import keras
import numpy as np
import pytest
from keras import ops
from keras.src.testing import TestCase
from marks import on_tensorflow

from tfcourse import layers
from tfcourse.layers import BatchNormalization, Hardmax, InvertedDropout

# Class, settings, shape of the input, and its numbers of trainable and other
# weights, of seed generators and of losses.
CASES = [
    (BatchNormalization, {}, (2, 3), (2, 2, 0, 0)),
    (BatchNormalization, {"center": False}, (2, 3), (1, 2, 0, 0)),
    (
        BatchNormalization,
        {"axis": 1, "beta_regularizer": "l2", "gamma_regularizer": "l2"},
        (2, 4, 4, 3),
        (2, 2, 0, 2),
    ),
    (InvertedDropout, {"keep_prob": 0.8}, (2, 3), (0, 0, 1, 0)),
    (
        InvertedDropout,
        {"keep_prob": 0.8, "seed": 0, "noise_shape": (None, 1)},
        (2, 3),
        (0, 0, 1, 0),
    ),
    (Hardmax, {}, (2, 3), (0, 0, 0, 0)),
    (Hardmax, {"axis": 1}, (2, 3, 4), (0, 0, 0, 0)),
]
each_case = pytest.mark.parametrize("cls, settings, shape, counts", CASES)


def array(tensor):
    return ops.convert_to_numpy(tensor)


def trained(cls, settings, shape, **compiled):
    """Returns a model that holds the layer, after two steps, and its input."""
    keras.utils.set_random_seed(0)
    inputs = keras.Input(shape[1:])
    dense = keras.layers.Dense(shape[-1])
    # Nothing can be learned through `Hardmax`, but beside it.
    z = dense(inputs)
    y = cls(**settings)(z)
    model = keras.Model(inputs, keras.layers.Add()([y, z]))
    model.compile(keras.optimizers.SGD(0.01), "mse", **compiled)
    x = np.random.default_rng(0).normal(3, 2, shape).astype("float32")
    for _ in range(2):
        model.train_on_batch(x, x)
    return model, x


def test_every_public_layer_is_a_case():
    public = {
        item
        for item in map(vars(layers).get, layers.__all__)
        if inspect.isclass(item)
    }
    assert public == {cls for cls, *_ in CASES}


# A dropout or a hardmax alone has nothing to train; the harness feeds `fit` by
# a generator.
@pytest.mark.filterwarnings("ignore:`shuffle=True` was passed")
@pytest.mark.filterwarnings("ignore:The model does not have any trainable")
@each_case
def test_passes_the_harness_of_keras(cls, settings, shape, counts):
    trainable, others, seeds, losses = counts
    training = {} if cls is Hardmax else {"call_kwargs": {"training": True}}
    TestCase().run_layer_test(
        cls,
        init_kwargs=settings,
        input_shape=shape,
        expected_output_shape=shape,
        expected_num_trainable_weights=trainable,
        expected_num_non_trainable_weights=others,
        expected_num_seed_generators=seeds,
        expected_num_losses=losses,
        supports_masking=True,
        assert_built_after_instantiation=cls is not BatchNormalization,
        **training,
    )


@each_case
def test_config_alone_gives_the_settings_back(cls, settings, shape, counts):
    config = cls(**settings).get_config()
    back = cls.from_config(config)
    assert back.get_config() == config
    for name, value in settings.items():
        if isinstance(value, int | float | tuple):
            assert config[name] == value
    parameters = set(inspect.signature(cls.__init__).parameters)
    assert parameters - {"self", "kwargs"} <= set(config)


@each_case
def test_is_registered_under_its_name(cls, settings, shape, counts):
    name = f"tfcourse>{cls.__name__}"
    assert keras.saving.get_registered_name(cls) == name
    assert keras.saving.get_registered_object(name) is cls


@each_case
def test_continues_from_a_file_bit_for_bit(
    cls, settings, shape, counts, tmp_path
):
    model, x = trained(cls, settings, shape)
    for layer in model.layers:
        for variable in getattr(layer, "hyperparameters", {}).values():
            variable.assign(0.75)
    model.save(tmp_path / "model.keras")
    loaded = keras.models.load_model(tmp_path / "model.keras")
    assert [layer.get_config() for layer in loaded.layers] == [
        layer.get_config() for layer in model.layers
    ]
    for _ in range(2):
        for one in (model, loaded):
            one.train_on_batch(x, x)
    for mine, other in zip(model.variables, loaded.variables, strict=True):
        np.testing.assert_array_equal(array(mine), array(other))
    np.testing.assert_array_equal(
        model.predict(x, verbose=0), loaded.predict(x, verbose=0)
    )


@each_case
def test_xla_gives_the_same(cls, settings, shape, counts):
    if cls is InvertedDropout:
        # XLA draws other numbers from the same seed.
        settings = {**settings, "keep_prob": 1.0}
    plain, _ = trained(cls, settings, shape, jit_compile=False)
    xla, _ = trained(cls, settings, shape, jit_compile=True)
    for mine, other in zip(plain.weights, xla.weights, strict=True):
        np.testing.assert_allclose(
            array(mine), array(other), rtol=1e-5, atol=1e-6
        )


@each_case
def test_mixed_precision_keeps_float32_weights(cls, settings, shape, counts):
    layer = cls(**settings, dtype="mixed_float16")
    x = np.random.default_rng(0).normal(300, 2, shape).astype("float16")
    y = layer(x)
    assert keras.backend.standardize_dtype(y.dtype) == "float16"
    assert {weight.dtype for weight in layer.weights} <= {"float32"}
    assert np.all(np.isfinite(array(y)))


@on_tensorflow
@pytest.mark.parametrize("dtype", ["float32", "float16", "float64"])
@each_case
def test_a_variable_is_taken_as_its_value(cls, settings, shape, counts, dtype):
    import tensorflow as tf

    x = np.random.default_rng(0).normal(size=shape).astype(dtype)
    training = {} if cls is Hardmax else {"training": True}
    if cls is InvertedDropout:
        settings = {**settings, "seed": 0}
    expected = cls(**settings)(x, **training)
    for variable in (tf.Variable(x), keras.Variable(x, dtype=dtype)):
        y = cls(**settings)(variable, **training)

        assert y.dtype == expected.dtype
        np.testing.assert_array_equal(array(y), array(expected))


@on_tensorflow
@each_case
def test_exports_to_a_saved_model(cls, settings, shape, counts, tmp_path):
    import tensorflow as tf

    model, x = trained(cls, settings, shape)
    model.export(str(tmp_path / "saved"), verbose=False)
    served = tf.saved_model.load(str(tmp_path / "saved"))
    for rows in (1, 2):
        np.testing.assert_allclose(
            served.serve(tf.constant(x[:rows])),
            model.predict(x[:rows], verbose=0),
            rtol=1e-5,
            atol=1e-6,
        )


@on_tensorflow
def test_a_saved_model_comes_back_as_a_layer_of_keras(rng, tmp_path):
    import tensorflow as tf

    own = [BatchNormalization(), InvertedDropout(0.5), Hardmax()]
    model = keras.Sequential([keras.Input((3,)), *own])
    x = rng.normal(size=(8, 3)).astype("float32")
    model(x, training=True)
    tf.saved_model.save(model, str(tmp_path / "saved"))

    back = keras.layers.TFSMLayer(
        str(tmp_path / "saved"), call_endpoint="serving_default"
    )
    [y] = back(x).values()
    np.testing.assert_allclose(y, array(model(x)), rtol=1e-5, atol=1e-6)


@each_case
def test_variables_have_paths_of_their_own(cls, settings, shape, counts):
    model = keras.Sequential([keras.Input(shape[1:])])
    for _ in range(2):
        model.add(cls(**settings))
    paths = [variable.path for variable in model.variables]
    assert len(set(paths)) == len(paths)


@each_case
def test_passes_a_mask_on(cls, settings, shape, counts):
    layer = cls(**settings)
    mask = np.array([True, False])
    np.testing.assert_array_equal(layer.compute_mask(None, mask), mask)
