"""The HTTP API: Langfuse's public one, and what the terminal UI needs besides."""
