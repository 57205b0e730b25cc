"""Run in a container: ends TLS in front of a compose file's stores, and refuses who shows no client certificate."""

from __future__ import annotations

import asyncio
import os
import ssl
from pathlib import Path

from tests.integration.external.proxy import Proxy

CERTIFICATES = Path("/store-certificates")
USER = 10001
PORTS = {"postgres": 5432, "redis": 6379, "clickhouse": 8123}


async def main() -> None:
    """Hands the client's key to the user of the other containers, as docs/deploy.md says, and serves."""
    os.chown(CERTIFICATES / "client.key", USER, USER)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(CERTIFICATES / "server.pem")
    context.load_verify_locations(CERTIFICATES / "ca.pem")
    context.verify_mode = ssl.CERT_REQUIRED
    fronts = [Proxy(far=store, tls=context, asks_first=store[0] == "postgres") for store in PORTS.items()]
    await asyncio.gather(*(front.serve() for front in fronts))


if __name__ == "__main__":
    asyncio.run(main())
