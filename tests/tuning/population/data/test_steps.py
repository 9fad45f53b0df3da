"""Do numbers of steps, and of epochs, mean what they mean for `model.fit`?"""

import keras
import numpy as np
import pytest
import tensorflow as tf
from marks import on_tensorflow, slow_but
from side_by_side import model_of_one_weight

from tfcourse.tuning import Population

X = np.linspace(-1, 1, 10).astype("float32")[:, None]
Y = X**2 + 0.3
V = X[:7] + 0.1, Y[:7]

pytestmark = [
    on_tensorflow,
    pytest.mark.filterwarnings("ignore:Your input ran out of data"),
]


class Batches(keras.utils.PyDataset):
    def __init__(self, endless=False):
        super().__init__()
        self.endless = endless

    @property
    def num_batches(self):
        return None if self.endless else 4

    def __getitem__(self, i):
        rows = slice(3 * (i % 4), 3 * (i % 4) + 3)
        return X[rows], Y[rows]


def slices():
    return tf.data.Dataset.from_tensor_slices((X, Y)).batch(3)


KINDS = {
    "arrays": ((X, Y), {"batch_size": 3}),
    "dataset": ((slices(),), {}),
    "endless dataset": ((slices().repeat(),), {}),
    "PyDataset": ((Batches(),), {}),
    "endless PyDataset": ((Batches(endless=True),), {}),
}
TRAINING = {
    f"{kind}, {steps}": (*KINDS[kind], {"steps_per_epoch": steps})
    for kind in KINDS
    for steps in (1, 3, 4, 6)
}
# Without a size of batches, it is that of so many steps.
TRAINING |= {
    f"arrays by {n}": ((X, Y), {}, {"steps_per_epoch": n}) for n in (1, 3)
}
EVALUATION = {
    "arrays by steps": {"validation_data": V},
    "arrays": {"validation_data": V, "validation_batch_size": 2},
    "weights": {"validation_data": (*V, Y[:7, 0]), "validation_batch_size": 2},
    "dataset": {"validation_data": slices()},
    "endless": {"validation_data": slices().repeat()},
    "PyDataset": {"validation_data": Batches(endless=True)},
}


def compare(args, kwargs):
    settings = {"epochs": 5, "shuffle": False, "verbose": 0} | kwargs
    expected = model_of_one_weight().fit(*args, **settings).history
    (history,) = Population([model_of_one_weight()]).fit(*args, **settings)
    assert history.history.keys() == expected.keys()
    for name, values in expected.items():
        np.testing.assert_allclose(history.history[name], values, rtol=1e-5)
    return history


@pytest.mark.parametrize("name", slow_but(TRAINING, ["arrays, 3"]))
def test_an_epoch_of_some_steps(name):
    args, *settings = TRAINING[name]
    compare(args, settings[0] | settings[1])


@pytest.mark.parametrize("name", slow_but(EVALUATION, ["endless"]))
def test_an_evaluation_of_some_steps(name):
    for steps in (1, 3) if name == "endless" else (1, 9):
        compare((X, Y), EVALUATION[name] | {"validation_steps": steps})


@pytest.mark.parametrize("often", slow_but([2, 3, (1, 4), (9,)], [2, (1, 4)]))
def test_an_evaluation_after_some_epochs(often):
    frequency = often if isinstance(often, int) else [*often]
    history = compare(
        (X, Y), {"validation_data": V, "validation_freq": frequency}
    )
    assert "loss" in history.history


def test_what_is_best_is_known_where_it_is_evaluated():
    (history,) = Population([model_of_one_weight()]).fit(
        X,
        Y,
        epochs=5,
        validation_data=V,
        validation_freq=2,
        keep_best="val_loss",
        early_stopping=3,
    )
    losses = history.history["val_loss"]
    assert len(losses) == 2
    assert history.best_epoch == 1 + 2 * int(np.argmin(losses))


def test_shuffled_steps_go_through_all_examples():
    # The weights of an example say, by the loss, which it was.
    weights = 2.0 ** np.arange(10)
    model = model_of_one_weight(kernel=0.0, rate=0.0)
    (history,) = Population([model]).fit(
        np.ones((10, 1)),
        np.ones((10, 1)),
        batch_size=1,
        steps_per_epoch=5,
        epochs=4,
        sample_weight=weights,
        seed=1,
    )
    seen = np.array(history.history["loss"])
    assert len(set(seen)) == 4
    np.testing.assert_allclose(seen[:2].sum(), seen[2:].sum())
