"""A softmax classifier as a TensorFlow 1 program."""
