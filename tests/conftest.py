"""Fixtures that several levels of tests share."""

from __future__ import annotations

import asyncio
import dataclasses
import random
import threading
from collections.abc import Iterator
from urllib.parse import parse_qs, unquote, urlsplit

import pytest

from appliance.config import FIRST_ORGANIZATION, FIRST_PROJECT, InitSettings, Settings
from appliance.data_dir.lock import make_folders
from appliance.data_dir.secrets import ensure_secrets, with_secrets
from appliance.errors import ApplianceError
from appliance.orchestrator.host.ports import hold_port
from appliance.orchestrator.runtimes.embedded.runtime import EmbeddedRuntime
from appliance.orchestrator.supervisor import StartRequested, Supervisor
from appliance.paths import DataDir
from tests.integration.external.proxy import Proxy, serving

# Anywhere, because two test runs may share the machine.
_FIRST_PORT = random.randrange(21_000, 31_000)


@pytest.fixture(scope="session")
def stores(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Settings]:
    """Settings whose three endpoints answer: embedded stores in a directory of their own, without any tables."""
    root = tmp_path_factory.mktemp("stores")
    data_dir = DataDir(root)
    make_folders(data_dir)
    settings = Settings(data_dir=root)
    secrets = ensure_secrets(data_dir, settings)
    runtime = EmbeddedRuntime(data_dir, secrets, hold_port(None, _FIRST_PORT))
    with _Running(runtime):
        init = InitSettings(
            org_id=FIRST_ORGANIZATION,
            project_id=FIRST_PROJECT,
            public_key=secrets.public_key,
            secret_key=secrets.secret_key,
        )
        yield dataclasses.replace(with_secrets(runtime.connect(settings), secrets), init=init)


@pytest.fixture(scope="session")
def tcp_stores(stores: Settings) -> Iterator[Settings]:
    """The same stores, all three of which answer on ports of 127.0.0.1, as those of other machines do."""
    postgres, redis = urlsplit(stores.postgres.url), urlsplit(stores.redis.url)
    folder = parse_qs(postgres.query)["host"][0]
    fronts = [Proxy(f"{folder}/.s.PGSQL.5432"), Proxy(unquote(redis.path))]
    with serving(*fronts):
        login = f"{postgres.username}:{postgres.password}"
        url = f"postgresql://{login}@127.0.0.1:{fronts[0].port}{postgres.path}"
        connection_string = f"redis://:{redis.password}@127.0.0.1:{fronts[1].port}/0"
        yield dataclasses.replace(
            stores,
            postgres=dataclasses.replace(stores.postgres, url=url),
            redis=dataclasses.replace(stores.redis, connection_string=connection_string),
        )


class _Running:
    """The stores in a thread with an event loop of its own, so that tests are free to have theirs."""

    def __init__(self, runtime: EmbeddedRuntime) -> None:
        self._runtime = runtime
        self._ready = threading.Event()
        self._failure: ApplianceError | None = None
        self._thread = threading.Thread(target=self._work, name="stores")

    def __enter__(self) -> None:
        self._thread.start()
        self._ready.wait()
        if self._failure is not None:
            raise self._failure

    def __exit__(self, *_: object) -> None:
        self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join()

    def _work(self) -> None:
        asyncio.run(self._serve())

    async def _serve(self) -> None:
        self._loop, self._stop = asyncio.get_running_loop(), asyncio.Event()
        supervisor = Supervisor()
        names = [store.name for store in self._runtime.stores]
        for store in self._runtime.stores:
            supervisor.add(store)
        loop = asyncio.create_task(supervisor.run())
        try:
            for name in names:
                supervisor.request(StartRequested(name))
            for name in names:
                await supervisor.wait_healthy(name, 60)
        except ApplianceError as error:
            self._failure = error
            self._stop.set()
        self._ready.set()
        await self._stop.wait()
        await supervisor.stop(names)
        await self._runtime.close()
        loop.cancel()
