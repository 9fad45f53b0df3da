"""The parts of `tf.contrib.seq2seq` and `legacy_seq2seq`."""
