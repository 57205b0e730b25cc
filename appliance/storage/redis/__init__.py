"""The queue, patches of the ingestion API, receipts, and live messages."""
