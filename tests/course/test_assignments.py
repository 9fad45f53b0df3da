"""The expected outputs that the course's assignments print."""

import keras
import numpy as np
import pytest
from gradients import gradient_of
from keras import ops

from tfcourse.diagnostics import check_gradient
from tfcourse.regularizers import L2


def drawn(*shapes):
    """Returns kernels and biases as the assignments' test cases draw them."""
    names = [f"{letter}{layer}" for layer in (1, 2, 3) for letter in "Wb"]
    return {
        name: np.random.randn(*shape)
        for name, shape in zip(names, shapes, strict=True)
    }


def probabilities(x, w, maximum=np.maximum, exp=np.exp):
    """Returns the outputs of the assignments' network of three layers."""
    a1 = maximum(w["W1"] @ x + w["b1"], 0)
    a2 = maximum(w["W2"] @ a1 + w["b2"], 0)
    return a1, a2, 1 / (1 + exp(-(w["W3"] @ a2 + w["b3"])))


class TestRegularization:
    def test_cost(self):
        np.random.seed(1)
        y = np.array([1, 1, 0, 1, 0])
        w = drawn((2, 3), (2, 1), (3, 2), (3, 1), (1, 3), (1, 1))
        a3 = [0.40682402, 0.01629284, 0.16722898, 0.10118111, 0.40682402]
        loss = keras.losses.BinaryCrossentropy()(y[None], np.array([a3]))

        penalties = [
            float(L2(0.1, m=5)(w[name])) for name in ("W1", "W2", "W3")
        ]

        cost = float(loss) + sum(penalties)
        assert cost == pytest.approx(1.7864859451590758, rel=1e-6)

    def test_gradients(self):
        np.random.seed(1)
        x, y = np.random.randn(3, 5), np.array([[1, 1, 0, 1, 0]])
        w = drawn((2, 3), (2, 1), (3, 2), (3, 1), (1, 3), (1, 1))
        w = {name: value.astype("float32") for name, value in w.items()}
        x = x.astype("float32")
        expected = {
            "W1": [
                [-0.25604646, 0.12298827, -0.28297129],
                [-0.17706303, 0.34536094, -0.4410571],
            ],
            "W2": [
                [0.79276486, 0.85133918],
                [-0.0957219, -0.01720463],
                [-0.13100772, -0.03750433],
            ],
            "W3": [[-1.77691347, -0.11832879, -0.09397446]],
        }
        for name, gradient in expected.items():

            def cost(value, name=name):
                parts = {**w, name: value}
                *_, a3 = probabilities(x, parts, ops.maximum, ops.exp)
                loss = -y * ops.log(a3) - (1 - y) * ops.log(1 - a3)
                return ops.sum(loss) / 5 + L2(0.7, m=5)(value)

            np.testing.assert_allclose(
                gradient_of(cost, w[name]), gradient, rtol=1e-5, atol=1e-6
            )


class TestGradientChecking:
    @pytest.mark.parametrize(
        "x, theta, difference",
        [(2, 4, 2.919335883291695e-10), (3, 4, 7.814075313343006e-11)],
    )
    def test_of_one_parameter(self, x, theta, difference):
        check = check_gradient(
            lambda theta: theta * x, lambda theta: x, float(theta)
        )
        assert check.ratio == pytest.approx(difference, rel=1e-4)
        assert check.verdict == "good"

    @pytest.mark.parametrize(
        "fault, difference, digits, verdict",
        [
            # The assignment hands out the gradient with a 2 in dW2 and a 4 in
            # db1, to be found by the check.
            ({"W2": 2, "b1": 4}, 0.2850931567761624, 1e-6, "wrong"),
            ({}, 1.1890913024229996e-07, 0.5, "good"),
        ],
        ids=["handed out", "mended"],
    )
    def test_of_a_network(self, fault, difference, digits, verdict):
        np.random.seed(1)
        x, y, m = np.random.randn(4, 3), np.array([1, 1, 0]), 3
        w = drawn((5, 4), (5, 1), (3, 5), (3, 1), (1, 3), (1, 1))

        def cost(w):
            *_, a3 = probabilities(x, w)
            return np.sum(-np.log(a3) * y - np.log(1 - a3) * (1 - y)) / m

        def gradient(w):
            a1, a2, a3 = probabilities(x, w)
            dz3 = a3 - y
            dz2 = w["W3"].T @ dz3 * (a2 > 0)
            dz1 = w["W2"].T @ dz2 * (a1 > 0)
            dw = {
                name: fault.get(name, 1) * value / m
                for name, value in {
                    **{"W1": dz1 @ x.T, "W2": dz2 @ a1.T, "W3": dz3 @ a2.T},
                    **{"b1": dz1, "b2": dz2, "b3": dz3},
                }.items()
            }
            return {
                name: value if name[0] == "W" else value.sum(1, keepdims=True)
                for name, value in dw.items()
            }

        check = check_gradient(cost, gradient, w)

        # What is left when mended is rounding, of any order of sums.
        assert check.ratio == pytest.approx(difference, rel=digits)
        assert check.verdict == verdict
        if fault:
            assert [*check.ratios][:2] == ["b1", "W2"]
