"""What goes wrong with a machine, told apart from what is done on it."""
