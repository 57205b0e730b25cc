"""The HTTP server of the application: sockets, limits, memory and shutdown."""
