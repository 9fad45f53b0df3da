"""Recurrent layers in NumPy: two units, whose weights are all 1."""

import numpy as np


def hard_sigmoid(z):
    """Returns what gates were in Keras until 2.3."""
    return np.clip(0.2 * z + 0.5, 0, 1)


def sigmoid(z):
    """Returns what gates are today."""
    return 1 / (1 + np.exp(-z))


def lstm(steps, gate=hard_sigmoid, forget=1.0):
    """Returns the last output of one sequence."""
    h = c = np.zeros(2)
    for row in steps:
        z = row.sum() + h.sum()
        c = gate(z + forget) * c + gate(z) * np.tanh(z)
        h = gate(z) * np.tanh(c)
    return [h]


def gru(steps, gate=hard_sigmoid):
    """Returns the last output of one sequence."""
    h = np.zeros(2)
    for row in steps:
        z = gate(row.sum() + h.sum())
        new = np.tanh(row.sum() + (z * h).sum())
        h = z * h + (1 - z) * new
    return [h]


def simple_rnn(steps):
    """Returns the output of each step of one sequence."""
    h, outputs = np.zeros(2), []
    for row in steps:
        h = np.tanh(row.sum() + h.sum())
        h = np.full(2, h)
        outputs.append(h)
    return [outputs]
