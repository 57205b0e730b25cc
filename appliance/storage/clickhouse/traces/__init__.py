"""Reading traces, which are stored in parts and aggregated."""
