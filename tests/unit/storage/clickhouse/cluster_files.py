"""Writes what the migrations come to on a cluster: `python -m tests.unit.storage.clickhouse.cluster_files`."""

from __future__ import annotations

from pathlib import Path

from appliance.storage.clickhouse.migrations import cluster_statements

FOLDER = Path(__file__).parents[3] / "data" / "clickhouse_cluster"


def cluster_files() -> dict[str, str]:
    """The text of each file by its name."""
    return {
        f"{name}.sql": "\n".join(f"{sql};\n" for sql in statements)
        for name, statements in cluster_statements("main", "langfuse")
    }


if __name__ == "__main__":
    for name, text in cluster_files().items():
        (FOLDER / name).write_text(text)
