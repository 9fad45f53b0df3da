"""What the commands share in a terminal: options, tables, progress."""
