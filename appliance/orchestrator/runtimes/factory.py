"""Creates the runtime that the settings name; the only module that knows all runtimes."""

from __future__ import annotations

from collections.abc import Collection

from appliance.config import Settings
from appliance.data_dir.secrets import Secrets
from appliance.data_dir.state import State
from appliance.model.services import USUAL_PORTS, RuntimeName
from appliance.orchestrator.host.ports import hold_port
from appliance.orchestrator.processes.child import Launcher
from appliance.orchestrator.runtimes.contract import Runtime
from appliance.orchestrator.runtimes.embedded.runtime import EmbeddedRuntime
from appliance.orchestrator.runtimes.external import ExternalRuntime
from appliance.paths import DataDir


async def open_runtime(
    settings: Settings,
    state: State,
    data_dir: DataDir,
    secrets: Secrets,
    launcher: Launcher,
    avoid: Collection[int] = (),
) -> Runtime:
    """The chosen runtime, on the ports in `state` but none of `avoid`; stores ports and sockets in `state`.

    Raises RuntimeUnavailable and ConfigError.
    """
    name = chosen_runtime(settings, state)
    state.sockets = {}
    if name == "external":
        return ExternalRuntime(settings)
    if name == "docker":
        # Imported here: its client library is large.
        from appliance.orchestrator.runtimes.docker.runtime import open_runtime as open_docker

        runtime = await open_docker(data_dir, secrets, settings.docker, state.ports, avoid)
        state.ports |= runtime.ports
        return runtime
    port = hold_port(state.ports.get("clickhouse"), USUAL_PORTS["clickhouse"], avoid)
    embedded = EmbeddedRuntime(data_dir, secrets, port, launcher)
    state.ports["clickhouse"], state.sockets = port.port, dict(embedded.sockets)
    return embedded


def chosen_runtime(settings: Settings, state: State) -> RuntimeName:
    """The runtime of the settings, else the one that the data directory ran with before."""
    return state.runtime if settings.runtime == "auto" else settings.runtime
