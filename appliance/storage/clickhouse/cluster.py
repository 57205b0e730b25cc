"""Rewrites statements for one server into those for a cluster: the same names for queries, other engines.

Each table becomes two. `scores_local` holds the rows of one shard, in a Replicated engine; `scores` is Distributed over
all shards, so that every query and insert stays as it is. Everything that makes or changes tables runs ON CLUSTER.
All rows of one sorting key must meet on one shard, because they replace each other there: see `_sharding_key`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, Final

from appliance.errors import MigrationFailed

LOCAL: Final = "_local"

# Reads go to the same replica as writes while it is up, so that they see what was written.
READ_SETTINGS: Final[dict[str, Any]] = {
    "distributed_product_mode": "global",
    "load_balancing": "in_order",
    "prefer_localhost_replica": 0,
    "fallback_to_stale_replicas_for_distributed_queries": 1,
}
DDL_SETTINGS: Final[dict[str, Any]] = {
    "distributed_ddl_task_timeout": 300,
    "distributed_ddl_output_mode": "none_only_active",
    "distributed_foreground_insert": 1,
    # Shards that select by themselves do not know the tables of subqueries.
    "parallel_distributed_insert_select": 0,
}

_NAME: Final = r"[A-Za-z_][A-Za-z0-9_]*"
_CREATE_TABLE: Final = re.compile(rf"CREATE TABLE (?:IF NOT EXISTS )?({_NAME})\b", re.IGNORECASE)
_CREATE_VIEW: Final = re.compile(
    rf"CREATE MATERIALIZED VIEW (?:IF NOT EXISTS )?({_NAME})\s+TO\s+({_NAME})", re.IGNORECASE
)
_ENGINE: Final = re.compile(r"ENGINE\s*=\s*((?:Replacing|Summing|Aggregating|Collapsing)?MergeTree)\b", re.IGNORECASE)
_ALTER: Final = re.compile(rf"ALTER TABLE ({_NAME})\b", re.IGNORECASE)
_OTHERS: Final = re.compile(rf"((?:TRUNCATE|OPTIMIZE) TABLE(?: IF EXISTS)?|DELETE FROM) ({_NAME})\b", re.IGNORECASE)
_DROP: Final = re.compile(rf"DROP (TABLE|VIEW)( IF EXISTS)? ({_NAME})$", re.IGNORECASE)
_SOURCE: Final = re.compile(rf"\b(FROM|JOIN)\s+({_NAME})\b(?!\s*\()", re.IGNORECASE)
_COLUMNS: Final = re.compile(r"\b(?:ADD|DROP|MODIFY|RENAME|CLEAR|ALTER) COLUMN\b", re.IGNORECASE)


def on_cluster(name: str) -> str:
    """The clause that runs a statement on all servers of a cluster; it cannot hold parameters."""
    quoted = name.replace("\\", "\\\\").replace("`", "\\`")
    return f"ON CLUSTER `{quoted}`"


@dataclass(frozen=True, slots=True)
class Cluster:
    """One cluster, our database on it, and the names of our views."""

    name: str
    database: str
    views: frozenset[str] = field(default_factory=frozenset)

    def statements(self, sql: str) -> tuple[str, ...]:
        """The statements on the cluster for one of a single server; raises MigrationFailed for unknown ones."""
        if match := _CREATE_TABLE.match(sql):
            return self._create_table(sql, match)
        if match := _CREATE_VIEW.match(sql):
            return (self._create_view(sql, match),)
        if match := _ALTER.match(sql):
            return self._alter(sql, match)
        if match := _DROP.match(sql.strip()):
            return self._drop(match)
        if match := _OTHERS.match(sql):
            words, name = match.groups()
            return (f"{words} {self._stored(name)} {self._everywhere}{sql[match.end() :]}",)
        if re.match(r"(INSERT INTO|SELECT|WITH)\b", sql, re.IGNORECASE):
            return (sql,)
        raise MigrationFailed(f"There is no form for a cluster of: {sql[:80]}.")

    @property
    def _everywhere(self) -> str:
        return on_cluster(self.name)

    def _stored(self, name: str) -> str:
        """The name of the table with the rows; views hold none and keep their name."""
        return name if name in self.views else f"{name}{LOCAL}"

    def _create_table(self, sql: str, match: re.Match[str]) -> tuple[str, ...]:
        name = match[1]
        local = f"{sql[: match.start(1)]}{name}{LOCAL} {self._everywhere}{sql[match.end() :]}"
        local, engines = _ENGINE.subn(lambda engine: f"ENGINE = Replicated{engine[1]}", local)
        if engines != 1:
            raise MigrationFailed(f"The table {name} has no engine that a cluster can replicate.")
        return local, self._distributed("CREATE TABLE IF NOT EXISTS", name, _sharding_key(sql))

    def _distributed(self, begin: str, name: str, sharding_key: str) -> str:
        engine = f"Distributed(`{self.name}`, `{self.database}`, {name}{LOCAL}, {sharding_key})"
        return f"{begin} {name} {self._everywhere} AS {name}{LOCAL}\nENGINE = {engine}"

    def _create_view(self, sql: str, match: re.Match[str]) -> str:
        head = f"{sql[: match.end(1)]} {self._everywhere} TO {self._stored(match[2])}"
        return head + self._local_sources(sql[match.end() :])

    def _local_sources(self, sql: str) -> str:
        return _SOURCE.sub(lambda source: f"{source[1]} {self._stored(source[2])}", sql)

    def _alter(self, sql: str, match: re.Match[str]) -> tuple[str, ...]:
        name, rest = match[1], sql[match.end() :]
        if name in self.views:
            return (f"ALTER TABLE {name} {self._everywhere}{self._local_sources(rest)}",)
        changed = f"ALTER TABLE {name}{LOCAL} {self._everywhere}{rest}"
        if not _COLUMNS.search(rest):
            return (changed,)
        columns = [part for part in _parts(rest) if _COLUMNS.search(part)]
        return changed, f"ALTER TABLE {name} {self._everywhere} " + ", ".join(_without_place(part) for part in columns)

    def _drop(self, match: re.Match[str]) -> tuple[str, ...]:
        kind, guard, name = match[1], match[2] or "", match[3]
        if name in self.views:
            return (f"DROP {kind}{guard} {name} {self._everywhere} SYNC",)
        return tuple(f"DROP {kind}{guard} {each} {self._everywhere} SYNC" for each in (name, f"{name}{LOCAL}"))


def insert_settings(quorum: str) -> dict[str, Any]:
    """Settings of inserts that return when `quorum` replicas of each shard have the rows.

    The first server must not queue rows in its own files: acknowledged rows would be lost with it.
    """
    return {
        "distributed_foreground_insert": 1,
        "insert_quorum": quorum,
        "insert_quorum_parallel": 1,
        "load_balancing": "in_order",
        "prefer_localhost_replica": 0,
    }


def view_names(statements: Iterable[str]) -> frozenset[str]:
    """The names of all materialized views that the statements create."""
    return frozenset(match[1] for sql in statements if (match := _CREATE_VIEW.match(sql)))


def _sharding_key(sql: str) -> str:
    """The trace id where it is in the sorting key, so that a trace is whole on one shard; else the entity's id.

    Only columns of the sorting key may be used: rows that replace each other must have the same shard.
    """
    order = re.search(r"ORDER BY\s+\(?(.*?)\)?\s*(?:\n[A-Z]|;|$)", sql, re.IGNORECASE | re.DOTALL)
    columns = re.findall(rf"\b({_NAME})\b(?!\s*\()", order[1] if order else "")
    for wanted in ("trace_id", "id"):
        if wanted in columns:
            return f"xxHash64({wanted})"
    if not columns:
        raise MigrationFailed(f"There is no sorting key to distribute by: {sql[:80]}.")
    return f"xxHash64({', '.join(dict.fromkeys(columns))})"


def _parts(text: str) -> list[str]:
    """The actions of an ALTER, split at the commas outside all brackets."""
    parts, depth, start = [], 0, 0
    for position, character in enumerate(text):
        depth += (character in "([") - (character in ")]")
        if character == "," and depth == 0:
            parts.append(text[start:position].strip())
            start = position + 1
    return [*parts, text[start:].strip()]


def _without_place(action: str) -> str:
    """The action without its codec, which a Distributed table does not have."""
    return re.sub(r"\s+CODEC\([^()]*(?:\([^()]*\)[^()]*)*\)", "", action, flags=re.IGNORECASE)
