"""Events of the ingestion API: checked, decoded, and merged with what is known of their entity."""
