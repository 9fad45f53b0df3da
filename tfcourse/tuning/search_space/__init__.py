"""What is searched: scales of hyperparameters, regions, a space."""
