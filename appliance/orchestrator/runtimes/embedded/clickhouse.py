"""ClickHouse as a child process: the engine inside the chdb-core wheel, served over HTTP."""

from __future__ import annotations

import importlib.util
from dataclasses import dataclass

from appliance.data_dir.private_files import make_private_folder, write_private
from appliance.errors import RuntimeUnavailable, StoreUnavailable
from appliance.orchestrator.host.memory import MIB, memory_limit_bytes, share_of_memory
from appliance.orchestrator.processes.child import Launcher, ProcessSpec, inherited_environ
from appliance.orchestrator.processes.handle import start_process
from appliance.orchestrator.processes.probes import probe_http
from appliance.orchestrator.runtimes.contract import ServiceHandle
from appliance.orchestrator.runtimes.embedded.clickhouse_config import basic_login, config_xml, users_xml
from appliance.own_command import own_command
from appliance.paths import DataDir

USER = "langfuse"
DATABASE = "langfuse"


@dataclass(frozen=True, slots=True)
class EmbeddedClickHouse:
    """The service `clickhouse` of the embedded runtime."""

    data_dir: DataDir
    port: int
    password: str
    launcher: Launcher
    name: str = "clickhouse"
    managed: bool = True

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self.port}"

    @property
    def url(self) -> str:
        return f"http://{self.address}"

    async def launch(self) -> ServiceHandle:
        if importlib.util.find_spec("chdb") is None:
            raise RuntimeUnavailable(
                "The embedded ClickHouse is missing.", hint="Install chdb-core, or use --runtime external."
            )
        run = self.data_dir.run / "clickhouse"
        for folder in (run, self.data_dir.clickhouse):
            make_private_folder(folder)
        memory = share_of_memory(memory_limit_bytes(), 0.25, 512 * MIB, 4096 * MIB)
        login = basic_login(USER, self.password)
        config = config_xml(self.data_dir.clickhouse, self.port, memory, login)
        write_private(run / "users.xml", users_xml(USER, self.password))
        write_private(run / "config.xml", config)
        spec = ProcessSpec(
            name=self.name,
            argv=own_command("appliance.orchestrator.runtimes.embedded.clickhouse_server", str(run)),
            log=self.data_dir.log_file(self.name),
            environ=inherited_environ(),
            cwd=run,
            grace_s=15,
        )
        return await start_process(self.launcher, spec)

    async def check(self, handle: ServiceHandle) -> None:
        status, _ = await probe_http(self.url, path="/?query=SELECT+1", user=USER, password=self.password)
        if status != 200:
            raise StoreUnavailable(f"ClickHouse answers with status {status}.")
