"""The queue, the patches of the legacy API, and live messages."""
