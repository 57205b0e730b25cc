"""The stores as containers of the official images, on a Docker Engine of this machine."""
