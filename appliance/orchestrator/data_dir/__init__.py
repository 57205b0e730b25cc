"""The files of a data directory: its lock, state, secrets and logs, and the disk that they lie on."""
