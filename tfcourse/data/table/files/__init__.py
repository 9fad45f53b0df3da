"""The forms in which a file has a table."""
