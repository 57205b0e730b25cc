"""Health check of a worker: `python -m appliance.storage.redis.worker_healthcheck NAME` exits with 0 if it is alive."""

from __future__ import annotations

import asyncio
import sys

from appliance.config import load_settings
from appliance.errors import ApplianceError
from appliance.storage.redis.client import ask_once
from appliance.storage.redis.keys import key


def main(name: str) -> int:
    """0 when the worker's heartbeat is there; 1 otherwise, with the reason on stderr."""
    try:
        beat = asyncio.run(ask_once(load_settings().redis, "GET", key("worker", name)))
    except ApplianceError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    return 0 if beat != b"$-1" else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
