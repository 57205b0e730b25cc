"""How data comes in: validation, mapping, merging, enrichment."""
