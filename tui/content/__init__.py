"""What stands in a pane: documents, charts, and texts to copy; pure."""
