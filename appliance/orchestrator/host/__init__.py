"""The machine: its memory, limits, ports and sockets."""
