"""Long lists: their pages, their live head, and their columns."""
