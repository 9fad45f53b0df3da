"""A server for an exported classifier, with BentoML.

    pip install "tfcourse[serve]"
    MODEL=runs/NAME/model bentoml serve docs/serving/service.py:Classifier

Only TensorFlow and BentoML are used: copy this file where the server runs.
"""

import os

import bentoml
import numpy as np
import tensorflow as tf


@bentoml.service
class Classifier:
    def __init__(self):
        # Kept whole: its variables would be collected with it.
        self.model = tf.saved_model.load(os.environ["MODEL"])

    @bentoml.api
    def classify(self, features: list[list[float]]) -> dict:
        """Returns the class and its probability of each example."""
        answer = self.model.classify(tf.constant(features, tf.float32))
        return {name: plain(answer[name]) for name in ("label", "probability")}


def plain(tensor):
    values = tensor.numpy()
    if values.dtype == object:
        values = np.array([value.decode() for value in values])
    return values.tolist()
