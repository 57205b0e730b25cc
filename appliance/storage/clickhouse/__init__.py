"""ClickHouse: observations, parts of traces, and scores."""
