"""What stands before a network that takes the columns of a table."""
