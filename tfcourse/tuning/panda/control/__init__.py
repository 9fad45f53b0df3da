"""What another process knows of a run, and asks of it."""
