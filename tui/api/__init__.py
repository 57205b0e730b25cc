"""The way to a server, and sample data in its place."""
