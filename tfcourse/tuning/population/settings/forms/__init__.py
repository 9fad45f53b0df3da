"""How each form of setting is read and computed, one a file."""
