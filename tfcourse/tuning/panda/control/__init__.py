"""How another process sees and steers a run."""
