"""Is it decided for each method of Keras what overriding it means?"""

import keras
import pytest

from tfcourse.tuning.population.structure.overridden import (
    ALLOWED,
    methods_of,
    overridden,
)


def words(text):
    return set(text.split())


_OF_VARIABLES = words(
    "add_variable add_weight get_weights load_own_variables "
    "metrics_variables non_trainable_variables non_trainable_weights "
    "save_own_variables set_weights trainable trainable_variables "
    "trainable_weights variables weights"
)
_OF_LAYERS = _OF_VARIABLES | words(
    "__call__ add_loss add_metric compute_dtype count_params dtype "
    "dtype_policy input input_dtype input_spec losses metrics output path "
    "quantization_mode quantize quantized_build quantized_call "
    "rematerialized_call stateless_call supports_masking symbolic_call "
    "variable_dtype"
)
# Decided: who overrides one of these trains alone. A method of Keras that is
# neither here nor in `ALLOWED` is new: see what `fit` does with it.
REFUSED = {
    keras.layers.Layer: _OF_LAYERS,
    keras.Model: _OF_LAYERS
    | words(
        "compile compile_from_config compiled_loss compiled_metrics "
        "compute_metrics distribute_reduction_method distribute_strategy "
        "evaluate export fit get_compile_config get_layer get_metrics_result "
        "get_quantization_layer_structure get_state_tree jit_compile layers "
        "load_weights loss make_predict_function make_test_function "
        "make_train_function metrics_names predict predict_on_batch "
        "predict_step reset_metrics run_eagerly save save_weights "
        "set_state_tree stateless_compute_loss test_on_batch test_step "
        "to_json train_on_batch train_step"
    ),
    keras.losses.Loss: {"dtype"},
    keras.metrics.Metric: words(
        "add_variable add_weight dtype reset_state stateless_reset_state "
        "stateless_result stateless_update_state variables __call__"
    ),
    keras.optimizers.Optimizer: words(
        "add_optimizer_variables add_variable add_variable_from_reference "
        "apply apply_gradients assign assign_add assign_sub "
        "exclude_from_weight_decay finalize_variable_values iterations "
        "learning_rate load_own_variables save_own_variables scale_loss "
        "set_weights stateless_apply variables"
    ),
    keras.initializers.Initializer: {"clone"},
    keras.regularizers.Regularizer: set(),
    keras.constraints.Constraint: set(),
    keras.optimizers.schedules.LearningRateSchedule: set(),
}
# How Python itself makes and copies an object.
_OF_PYTHON = {"__delattr__", "__new__", "__reduce__", "__setattr__"}


@pytest.mark.parametrize("base", ALLOWED, ids=lambda base: base.__name__)
def test_each_method_of_keras_is_decided(base):
    public = {
        name
        for name in methods_of(base)
        if not name.startswith("_") or name.endswith("__")
    }
    decided = ALLOWED[base] | REFUSED[base] | _OF_PYTHON
    assert public - decided == set()
    assert REFUSED[base] - public == set()
    assert not ALLOWED[base] & REFUSED[base]


@pytest.mark.parametrize("base", ALLOWED, ids=lambda base: base.__name__)
def test_what_is_refused_is_found(base):
    for name in REFUSED[base] | {"_private", "__getattribute__"}:
        members = {name: getattr(base, name, object.__getattribute__)}
        part = object.__new__(type("Users", (base,), members))
        vars(part).clear()
        found = overridden(part)
        assert found == ([] if name == "_private" else [name])


def test_private_methods_are_refused():
    class Users(keras.Model):
        def _compute_loss(self, *args, **kwargs):
            return 0.0

    assert overridden(Users()) == ["_compute_loss"]


def test_a_method_of_one_object_counts():
    loss = keras.losses.MeanSquaredError()
    model = keras.Sequential([keras.layers.Dense(1)])
    model.compile("sgd", loss)
    assert overridden(model) == []
    model.train_step = lambda data: {}
    assert overridden(model) == ["train_step"]


def test_a_property_counts():
    class Users(keras.layers.Layer):
        @property
        def losses(self):
            return []

    assert overridden(Users()) == ["losses"]
    assert overridden(keras.layers.Dense(1)) == []
