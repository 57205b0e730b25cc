"""Rows that need transactions: projects, keys, prompts, datasets, jobs."""
