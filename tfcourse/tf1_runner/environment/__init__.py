"""What surrounds a script: MNIST, IPython, a figure window."""
