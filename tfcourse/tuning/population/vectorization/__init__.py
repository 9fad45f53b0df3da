"""How operations are mapped over members."""
