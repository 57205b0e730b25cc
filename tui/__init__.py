"""The terminal UI: screens over the public API of any Langfuse server."""
