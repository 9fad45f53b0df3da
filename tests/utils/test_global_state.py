"""What a process has once: is it given back as it was?"""

import gc
import random
import weakref

import keras
import numpy as np
import pytest
import tensorflow as tf
from tensorflow.python.eager import context

from tfcourse.utils import global_state
from tfcourse.utils.keras_private import fresh_names


def draws():
    """Returns numbers of each generator, and a name of Keras's."""
    drawn = [
        random.random(),
        np.random.random(),
        float(keras.random.uniform(())),
        keras.layers.Dense(1).name,
    ]
    if keras.config.backend() == "tensorflow":
        import tensorflow as tf

        drawn.append(float(tf.random.uniform(())))
    return drawn


@pytest.fixture(autouse=True)
def _leave_it_as_it_was():
    policy = keras.config.dtype_policy()
    yield
    keras.config.set_dtype_policy(policy)


@pytest.mark.parametrize("error", [None, RuntimeError, KeyboardInterrupt])
def test_what_is_drawn_inside_changes_nothing_outside(error):
    keras.utils.set_random_seed(7)
    draws()
    first = draws()

    keras.utils.set_random_seed(7)
    draws()
    try:
        with global_state.preserved():
            keras.utils.set_random_seed(1)
            keras.backend.clear_session()
            keras.config.set_dtype_policy("float64")
            draws()
            if error:
                raise error
    except (RuntimeError, KeyboardInterrupt):
        pass
    assert keras.config.dtype_policy().name == "float32"
    again = draws()
    # Keras goes on counting its layers, which only names tell.
    assert again[:3] + again[4:] == first[:3] + first[4:]
    number = int(again[3].rpartition("_")[2])
    assert number == int(first[3].rpartition("_")[2]) + 2


def test_what_nothing_has_been_named_yet_is_preserved_too():
    with fresh_names():
        with global_state.preserved():
            assert keras.layers.Dense(1).name == "dense"
        assert keras.layers.Dense(1).name == "dense"


def test_session_is_cleared_but_for_settings():
    keras.layers.Dense(1)
    keras.config.set_dtype_policy("mixed_bfloat16")
    global_state.clear_session()
    assert keras.config.dtype_policy().name == "mixed_bfloat16"
    assert keras.layers.Dense(1).name == "dense"


def test_variables_of_a_symbolic_call_get_values_afterwards():
    class Own(keras.layers.Layer):
        def __init__(self):
            super().__init__()
            self.inner = keras.layers.Dense(2)

        def call(self, x):
            return self.inner(x)

    def call():
        Own()(keras.KerasTensor((None, 3)))

    call()
    with global_state.preserved():
        call()
    own = Own()
    own(keras.KerasTensor((None, 3)))
    assert keras.ops.convert_to_numpy(own.inner.kernel).shape == (3, 2)


@pytest.mark.parametrize(
    "draw",
    [random.random, np.random.random, lambda: keras.random.uniform(())],
    ids=["Python", "NumPy", "Keras"],
)
def test_what_is_drawn_is_seen(draw):
    keras.utils.set_random_seed(7)
    keras.random.uniform(())
    before = global_state.random_states()
    assert global_state.random_states() == before
    draw()
    assert global_state.random_states() != before


def test_a_new_session_has_counted_nothing():
    keras.backend.clear_session()
    with global_state.preserved():
        keras.layers.Dense(1)
    assert keras.layers.Dense(1).name == "dense"


@pytest.fixture
def thawed():
    """No object is frozen, as in a process that has frozen none."""
    count = gc.get_freeze_count()
    gc.unfreeze()
    yield
    if count:
        gc.freeze()


@pytest.mark.usefixtures("thawed")
def test_garbage_of_before_is_sought_again_after_an_error():
    counts = []
    with pytest.raises(RuntimeError), global_state.only_new_garbage():
        raise RuntimeError(counts.append(gc.get_freeze_count()))
    assert counts[0] > 0
    assert gc.get_freeze_count() == 0


@pytest.mark.usefixtures("thawed")
def test_garbage_is_sought_in_what_is_made_meanwhile():
    class Cycle:
        pass

    with global_state.only_new_garbage():
        with global_state.only_new_garbage():
            cycle = Cycle()
        # What is inside another has frozen nothing, nor thawed it.
        assert gc.get_freeze_count() > 0
        cycle.own, gone = cycle, weakref.ref(cycle)
        del cycle
        gc.collect()
        assert gone() is None


class Cycle:
    """Is garbage that only the collector finds."""

    def __init__(self):
        self.itself = self


@pytest.mark.usefixtures("thawed")
def test_what_is_left_is_not_looked_through_again():
    with global_state.only_new_garbage():
        kept, lost = Cycle(), weakref.ref(Cycle())
        assert any(one is kept for one in gc.get_objects())
        global_state.look_past_what_is_left()

        assert lost() is None
        assert not any(one is kept for one in gc.get_objects())
    assert any(one is kept for one in gc.get_objects())


@pytest.mark.usefixtures("thawed")
def test_what_another_has_frozen_stays_so():
    gc.freeze()
    count = gc.get_freeze_count()
    with global_state.only_new_garbage():
        kept = Cycle()
        global_state.look_past_what_is_left()
        assert not any(one is kept for one in gc.get_objects())
    assert gc.get_freeze_count() > 0.9 * count
    gc.unfreeze()


@pytest.mark.usefixtures("thawed")
def test_outside_of_a_search_all_is_looked_through():
    kept = Cycle()
    global_state.look_past_what_is_left()

    assert gc.get_freeze_count() == 0
    assert any(one is kept for one in gc.get_objects())


@pytest.fixture
def seeds(monkeypatch):
    """The seeds that TensorFlow is given, each of which compiles anew."""
    keras.utils.set_random_seed(1)
    found = []
    of_process = context.Context._set_global_seed
    monkeypatch.setattr(
        context.Context,
        "_set_global_seed",
        lambda self, seed: (found.append(seed), of_process(self, seed)),
    )
    return found


def drawn_by_keras():
    return [
        random.random(),
        np.random.rand(),
        keras.ops.convert_to_numpy(keras.random.uniform(())),
    ]


def test_a_seed_given_again_compiles_nothing_anew(seeds):
    with global_state.preserved():
        expected = global_state.seeded(7, drawn_by_keras)
        # Keras draws by its own seeds, not by TensorFlow's.
        assert global_state.seeded(7, drawn_by_keras) == expected
        assert seeds == [7]
        assert global_state.seeded(8, drawn_by_keras) != expected
        assert seeds == [7, 8]


@pytest.mark.parametrize("own", [None, 3])
def test_what_draws_by_tensorflow_begins_anew(seeds, own):
    """Of a seed of its own, TensorFlow counts the draws in its kernels."""

    def drawn():
        return [tf.random.uniform((), seed=own).numpy() for _ in range(2)]

    with global_state.preserved():
        keras.utils.set_random_seed(7)
        expected = drawn()
        for _ in range(2):
            assert global_state.seeded(7, drawn) == expected
        assert seeds == [7, 7, 7]
