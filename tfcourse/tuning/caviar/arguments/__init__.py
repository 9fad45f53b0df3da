"""What the models of trials are fitted with."""
