"""Rows that need transactions: tenants, keys, prompts, datasets."""
