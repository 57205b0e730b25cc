"""Reads and deletions that take more than one statement or store."""
