"""The stores as containers of the official images, run by a Docker Engine on this machine."""
