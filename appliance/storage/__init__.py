"""The stores: the only SQL and the only database drivers."""
