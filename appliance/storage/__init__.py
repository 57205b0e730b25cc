"""Where it is kept: the only SQL and the only database drivers."""
