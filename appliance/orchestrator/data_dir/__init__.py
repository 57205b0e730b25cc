"""The files of a data directory: lock, state, secrets, logs; and the disk below them."""
