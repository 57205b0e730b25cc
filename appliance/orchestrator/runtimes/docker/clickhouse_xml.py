"""ClickHouse's configuration on top of its image's: no log tables, bounded memory, little work when idle."""

from __future__ import annotations

from collections.abc import Mapping

_MIB = 1024 * 1024

# A ratio of the container's memory limit; the rest is for memory that the server does not count.
_SETTINGS: Mapping[str, int | float] = {
    "max_server_memory_usage_to_ram_ratio": 0.85,
    "background_pool_size": 4,
    "background_schedule_pool_size": 4,
    "background_common_pool_size": 2,
    "mark_cache_size": 128 * _MIB,
    "index_mark_cache_size": 32 * _MIB,
    "uncompressed_cache_size": 0,
    "asynchronous_metrics_update_period_s": 60,
    "asynchronous_heavy_metrics_update_period_s": 3600,
    "max_table_size_to_drop": 0,
    "max_partition_size_to_drop": 0,
}
# They would outgrow the user's data.
_LOG_TABLES = (
    "aggregated_zookeeper_log",
    "asynchronous_insert_log",
    "asynchronous_metric_log",
    "background_schedule_pool_log",
    "backup_log",
    "blob_storage_log",
    "crash_log",
    "error_log",
    "latency_log",
    "metric_log",
    "opentelemetry_span_log",
    "part_log",
    "processors_profile_log",
    "query_log",
    "query_metric_log",
    "query_thread_log",
    "query_views_log",
    "s3queue_log",
    "session_log",
    "text_log",
    "trace_log",
    "zookeeper_log",
)


def server_config() -> str:
    """A file for ClickHouse's `config.d`, without secrets."""
    settings = "".join(f"    <{name}>{value}</{name}>\n" for name, value in _SETTINGS.items())
    removed = "".join(f'    <{name} remove="1"/>\n' for name in _LOG_TABLES)
    return (
        "<clickhouse>\n"
        '    <logger><level>warning</level><console>1</console><log remove="1"/><errorlog remove="1"/></logger>\n'
        f"{settings}{removed}</clickhouse>\n"
    )
