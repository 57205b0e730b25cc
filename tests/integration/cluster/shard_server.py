"""One server of a cluster, out of the engine of the embedded runtime: `shard_server.py DIRECTORY`, until it is killed.

It has no Keeper, so nothing can be Replicated or run ON CLUSTER; Distributed tables work as on any cluster.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any


def main(folder: Path) -> None:
    from chdb import _chdb

    query: Any = getattr(_chdb, "query")  # noqa: B009 - the extension module has no types
    os.chdir(folder)
    os.mkfifo("keep")
    held = os.open("keep", os.O_RDWR | os.O_NONBLOCK)
    statements = (
        "SYSTEM START LISTEN TCP",
        "SYSTEM START LISTEN HTTP",
        f"SELECT * FROM file('{folder}/keep', 'LineAsString', 'line String') FORMAT Null",
    )
    result = query(";\n".join(statements), "TabSeparated", path=str(folder / "data"))
    os.close(held)
    sys.exit(result.error_message())


if __name__ == "__main__":
    main(Path(sys.argv[1]))
