"""Reads the queue and writes rows; runs the background jobs."""
