"""What statements for one server come to on a cluster."""

from __future__ import annotations

import pytest

from appliance.errors import MigrationFailed
from appliance.storage.clickhouse.cluster import Cluster, view_names
from tests.unit.storage.clickhouse.cluster_files import FOLDER, cluster_files

CLUSTER = Cluster("c", "d", frozenset({"narrow_view"}))


def test_the_migrations_come_to_what_the_files_say() -> None:
    """Anew: python -m tests.unit.storage.clickhouse.cluster_files"""
    assert {file.name: file.read_text() for file in FOLDER.iterdir()} == cluster_files()


def test_a_table_becomes_a_replicated_and_a_distributed_one() -> None:
    made = CLUSTER.statements(
        "CREATE TABLE IF NOT EXISTS notes\n(\n    id String\n)\nENGINE = ReplacingMergeTree(ts)\nORDER BY (p, id)"
    )
    assert made == (
        "CREATE TABLE IF NOT EXISTS notes_local ON CLUSTER `c`\n(\n    id String\n)\n"
        "ENGINE = ReplicatedReplacingMergeTree(ts)\nORDER BY (p, id)",
        "CREATE TABLE IF NOT EXISTS notes ON CLUSTER `c` AS notes_local\n"
        "ENGINE = Distributed(`c`, `d`, notes_local, xxHash64(id))",
    )


@pytest.mark.parametrize(
    ("order", "key"),
    [
        ("(project_id, toStartOfMinute(start_time), xxHash32(trace_id), id)", "xxHash64(trace_id)"),
        ("(project_id, toStartOfMinute(timestamp), id, part_id)", "xxHash64(id)"),
        ("version", "xxHash64(version)"),
        ("(project_id, day)\nTTL day + INTERVAL 1 DAY", "xxHash64(project_id, day)"),
        ("(project_id, day)\nSETTINGS index_granularity = 1", "xxHash64(project_id, day)"),
    ],
)
def test_rows_that_replace_each_other_meet_on_one_shard(order: str, key: str) -> None:
    _, distributed = CLUSTER.statements(f"CREATE TABLE t (x Int8) ENGINE = MergeTree ORDER BY {order}")
    assert distributed.endswith(f", t_local, {key})")


def test_a_view_reads_and_writes_its_own_shard() -> None:
    [made] = CLUSTER.statements(
        "CREATE MATERIALIZED VIEW IF NOT EXISTS narrow_view TO narrow AS\n"
        "SELECT id FROM wide WHERE id IN (SELECT id FROM x)"
    )
    assert made == (
        "CREATE MATERIALIZED VIEW IF NOT EXISTS narrow_view ON CLUSTER `c` TO narrow_local AS\n"
        "SELECT id FROM wide_local WHERE id IN (SELECT id FROM x_local)"
    )


@pytest.mark.parametrize(
    ("sql", "expected"),
    [
        (
            "ALTER TABLE t ADD COLUMN IF NOT EXISTS a String CODEC(ZSTD(3)), ADD INDEX i (a, b) TYPE minmax",
            (
                "ALTER TABLE t_local ON CLUSTER `c` ADD COLUMN IF NOT EXISTS a String CODEC(ZSTD(3)), "
                "ADD INDEX i (a, b) TYPE minmax",
                "ALTER TABLE t ON CLUSTER `c` ADD COLUMN IF NOT EXISTS a String",
            ),
        ),
        ("ALTER TABLE t DELETE WHERE a = 1", ("ALTER TABLE t_local ON CLUSTER `c` DELETE WHERE a = 1",)),
        ("DELETE FROM t WHERE a = 1", ("DELETE FROM t_local ON CLUSTER `c` WHERE a = 1",)),
        ("OPTIMIZE TABLE t FINAL", ("OPTIMIZE TABLE t_local ON CLUSTER `c` FINAL",)),
        (
            "ALTER TABLE narrow_view MODIFY QUERY SELECT a FROM t",
            ("ALTER TABLE narrow_view ON CLUSTER `c` MODIFY QUERY SELECT a FROM t_local",),
        ),
        ("DROP VIEW IF EXISTS narrow_view", ("DROP VIEW IF EXISTS narrow_view ON CLUSTER `c` SYNC",)),
        ("DROP TABLE t", ("DROP TABLE t ON CLUSTER `c` SYNC", "DROP TABLE t_local ON CLUSTER `c` SYNC")),
        ("INSERT INTO t SELECT * FROM u", ("INSERT INTO t SELECT * FROM u",)),
    ],
)
def test_other_statements(sql: str, expected: tuple[str, ...]) -> None:
    assert CLUSTER.statements(sql) == expected


@pytest.mark.parametrize("sql", ["RENAME TABLE a TO b", "CREATE TABLE m (x Int8) ENGINE = Memory"])
def test_what_has_no_form_is_refused(sql: str) -> None:
    with pytest.raises(MigrationFailed):
        CLUSTER.statements(sql)


def test_views_are_known_by_the_statements_that_make_them() -> None:
    assert view_names(["CREATE MATERIALIZED VIEW IF NOT EXISTS v TO t AS SELECT 1", "CREATE TABLE x"]) == {"v"}
