"""The data directory: where it is, and the files in it: lock, state, secrets and logs."""
