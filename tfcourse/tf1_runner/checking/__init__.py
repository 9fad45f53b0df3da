"""What `--check` finds in a program, without running it."""
