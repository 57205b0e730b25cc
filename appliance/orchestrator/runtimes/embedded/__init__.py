"""The three stores as child processes: nothing to install, no root, no Docker."""
