"""langfuse-local: the Langfuse v3 architecture as a single-node appliance."""

__version__ = "0.1.0"
