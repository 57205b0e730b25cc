"""The HTTP side: the Langfuse public API and what the terminal UI needs beside it."""
