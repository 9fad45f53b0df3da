"""Recurrent cells as TensorFlow 1 counted their operations."""
