"""What each network has of its supernet, and beside it."""
