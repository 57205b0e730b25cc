"""The configuration files of the embedded ClickHouse."""

from __future__ import annotations

import hashlib
from base64 import b64encode
from pathlib import Path
from xml.sax.saxutils import escape

_MIB = 1024 * 1024

# Small pools and caches: an idle engine costs the threads that wake up and the memory that it never frees.
_SETTINGS = {
    "background_pool_size": 2,
    "background_merges_mutations_concurrency_ratio": 2,
    "background_schedule_pool_size": 2,
    "background_common_pool_size": 1,
    "background_fetches_pool_size": 1,
    "background_move_pool_size": 1,
    "max_thread_pool_size": 1000,
    "max_thread_pool_free_size": 32,
    "max_connections": 256,
    "keep_alive_timeout": 30,
    "mark_cache_size": 64 * _MIB,
    "index_mark_cache_size": 16 * _MIB,
    "primary_index_cache_size": 32 * _MIB,
    "uncompressed_cache_size": 0,
    "query_condition_cache_size": 8 * _MIB,
    "compiled_expression_cache_size": 8 * _MIB,
    "text_index_header_cache_size": 16 * _MIB,
    "text_index_postings_cache_size": 32 * _MIB,
    "text_index_tokens_cache_size": 16 * _MIB,
    "vector_similarity_index_cache_size": _MIB,
    "asynchronous_metrics_update_period_s": 60,
    "asynchronous_heavy_metrics_update_period_s": 3600,
    "memory_worker_period_ms": 1000,
    "dns_cache_update_period": 3600,
    "database_atomic_delay_before_drop_table_sec": 0,
    "max_table_size_to_drop": 0,
    "max_partition_size_to_drop": 0,
}

_TABLES = {
    # Merges more parts at once: half of the merging under load, the rest when idle.
    "merge_selector_base": 10,
    # Loads a part's marks at once: without them, reading one row of it takes twice as long.
    "prewarm_mark_cache": 1,
}


def config_xml(data: Path, port: int, memory_bytes: int, login: str) -> str:
    """The server's configuration: HTTP on loopback only, `memory_bytes` at most, only for requests with `login`.

    There are no log tables, as they exist only with a section of their own. The users are in users.xml beside it.
    """
    settings = "".join(f"<{name}>{value}</{name}>\n" for name, value in _SETTINGS.items())
    tables = "".join(f"<{name}>{value}</{name}>" for name, value in _TABLES.items())
    return (
        "<clickhouse>\n<logger><level>warning</level><console>1</console><async>0</async></logger>\n"
        # The supervisor has bound the port, which only servers with SO_REUSEPORT can share.
        "<listen_reuse_port>1</listen_reuse_port>\n"
        f"<listen_host>127.0.0.1</listen_host><http_port>{port}</http_port>\n{_handlers_xml(login)}"
        f"<path>{escape(str(data))}/</path><users_config>users.xml</users_config>\n"
        f"<max_server_memory_usage>{memory_bytes}</max_server_memory_usage>\n"
        f"<default_profile>default</default_profile>\n{settings}<merge_tree>{tables}</merge_tree></clickhouse>\n"
    )


def users_xml(user: str, password: str) -> str:
    """One user with a password and rights on databases only, and `default`, as which the engine starts.

    `default` cannot have a password, and its session comes from 127.0.0.1 like any client: the handlers refuse it.
    """
    digest = hashlib.sha256(password.encode()).hexdigest()
    rights = "<networks><ip>127.0.0.1</ip></networks><profile>default</profile><quota>default</quota>"
    # No access to files of this machine or to other servers.
    grants = "<grants><query>GRANT ALL ON *.*</query><query>REVOKE SOURCES ON *.*</query></grants>"
    return (
        "<clickhouse><profiles><default><log_queries>0</log_queries></default></profiles>"
        "<quotas><default/></quotas>\n<users>\n"
        f"<default><password></password>{rights}<access_management>1</access_management></default>\n"
        f"<{user}><password_sha256_hex>{digest}</password_sha256_hex>{rights}{grants}</{user}>\n"
        "</users></clickhouse>\n"
    )


def basic_login(user: str, password: str) -> str:
    """The value of the Authorization header that the server requires."""
    return f"Basic {b64encode(f'{user}:{password}'.encode()).decode()}"


def _handlers_xml(login: str) -> str:
    """Anybody may ping; queries need the right header, so that `default` cannot log in from outside."""
    return (
        "<http_handlers>"
        "<rule><url>/ping</url><methods>GET,HEAD</methods><handler><type>static</type><status>200</status>"
        "<response_content>Ok.\n</response_content></handler></rule>"
        f"<rule><headers><Authorization>{escape(login)}</Authorization></headers>"
        "<handler><type>dynamic_query_handler</type><query_param_name>query</query_param_name></handler></rule>"
        "</http_handlers>\n"
    )
