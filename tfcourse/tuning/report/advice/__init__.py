"""What a search tells of the next one."""
