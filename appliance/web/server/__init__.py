"""The HTTP server that runs the application: its sockets, bounds, memory and end."""
