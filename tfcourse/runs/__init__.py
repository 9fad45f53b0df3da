"""What the command line makes: a folder of a search or of a training."""
