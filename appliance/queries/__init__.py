"""How data is read when one statement is not enough."""
