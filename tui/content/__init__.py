"""The content of panes: documents, charts, and texts to copy; pure."""
