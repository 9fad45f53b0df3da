"""Panda leaves the model to the next `fit`."""

from tfcourse.tuning.panda import Panda


def test_next_fit_of_the_model_begins_at_its_own_epoch(tmp_path, runs):
    model = runs.fresh()
    runs.train(model, Panda(tmp_path), epochs=2)
    runs.train(model, Panda(tmp_path), epochs=3)

    assert runs.train(model, epochs=2).epoch == [0, 1]
