"""The whole state of a model in training: to know, to read, to restore."""
