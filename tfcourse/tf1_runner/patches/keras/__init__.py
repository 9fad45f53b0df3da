"""Keras 1 and 2.0 to 2.3 on tf-keras, which is Keras 2.15."""
