"""Builds that ask a model what only a built one knows."""

import keras
import pytest
from keras import layers
from marks import slow_but
from side_by_side import assert_same, compiled, examples

LOOKS = {
    "count_params": lambda model: model.count_params(),
    "weights": lambda model: model.weights[0].shape,
    "outputs": lambda model: model.outputs[0].shape,
    "summary": lambda model: model.summary(print_fn=lambda line: None),
    "copy": keras.models.clone_model,
}


@pytest.mark.parametrize("structure", slow_but(["same", "widths"], ["same"]))
@pytest.mark.parametrize("look", slow_but(LOOKS, ["count_params"]))
def test_builds_that_look_at_their_model_go_together(look, structure, tmp_path):
    def case():
        def build(hp):
            units = hp.Int("units", 3, 6) if structure == "widths" else 4
            model = compiled(hp, layers.Dense(units, "tanh"), layers.Dense(1))
            LOOKS[look](model)
            return model

        return build, examples(), {"epochs": 1}

    tuner = assert_same(tmp_path, case)
    assert all(group["how"] == "vectorised" for group in tuner.groups)
