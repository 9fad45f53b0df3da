"""Regularizers: is each member's loss that of its own strength?"""

import pytest
from keras import layers, regularizers
from side_by_side import assert_together, chain_of

KINDS = {
    "none": lambda: None,
    "zero": lambda: regularizers.L2(0.0),
    "l1": lambda: regularizers.L1(0.1),
    "l2": lambda: regularizers.L2(0.2),
    "both": lambda: regularizers.L1L2(0.1, 0.3),
    "rows": lambda: regularizers.OrthogonalRegularizer(0.5),
    "columns": lambda: regularizers.OrthogonalRegularizer(0.5, "columns"),
}


def kernels(*names):
    def layers_of(hp):
        make = KINDS[hp.Choice("name", list(names))]
        return [layers.Dense(4, "tanh", kernel_regularizer=make())]

    return layers_of


def test_strengths_of_kernels(tmp_path):
    assert_together(tmp_path, chain_of(kernels("none", "zero", "l1", "l2")))


@pytest.mark.slow
def test_all_kinds(tmp_path):
    assert_together(tmp_path, chain_of(kernels(*KINDS)))


@pytest.mark.slow
def test_other_weights_and_outputs(tmp_path):
    def layers_of(hp):
        make = KINDS[hp.Choice("name", ["none", "l1", "both"])]
        return [
            layers.Conv1D(4, 2, bias_regularizer=make()),
            layers.SeparableConv1D(
                4, 2, depthwise_regularizer=make(), pointwise_regularizer=make()
            ),
            layers.DepthwiseConv1D(2, depthwise_regularizer=make()),
            layers.BatchNormalization(
                beta_regularizer=make(), gamma_regularizer=make()
            ),
            layers.LSTM(
                2, kernel_regularizer=make(), recurrent_regularizer=make()
            ),
            layers.Dense(3, "tanh", activity_regularizer=make()),
        ]

    assert_together(tmp_path, chain_of(layers_of, shape=(6, 2)))
