"""Starts, supervises and stops the stores, web and the workers."""
