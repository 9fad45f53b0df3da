"""Who chooses the next trials."""
