"""The ways to run the three stores; each gives the same endpoints."""
