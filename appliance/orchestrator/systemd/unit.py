"""The systemd unit of an appliance."""

from __future__ import annotations

import shlex
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

from appliance.model.services import RuntimeName
from appliance.own_command import own_command

Scope = Literal["system", "user"]

DEFAULT_NAME: Final = "langfuse-local"
SERVICE_USER: Final = "langfuse-local"
STATE_ROOT: Final = Path("/var/lib")

_ALWAYS: Final = {
    "NoNewPrivileges": "yes",
    "LockPersonality": "yes",
    "RestrictRealtime": "yes",
    "RestrictSUIDSGID": "yes",
    "SystemCallArchitectures": "native",
    "UMask": "0077",
}
# Without MemoryDenyWriteExecute, since ClickHouse compiles expressions to machine code.
_SYSTEM_ONLY: Final = {
    "CapabilityBoundingSet": "",
    "AmbientCapabilities": "",
    "ProtectSystem": "strict",
    "ProtectHome": "read-only",
    "PrivateTmp": "yes",
    "PrivateDevices": "yes",
    "ProtectClock": "yes",
    "ProtectControlGroups": "yes",
    "ProtectHostname": "yes",
    "ProtectKernelLogs": "yes",
    "ProtectKernelModules": "yes",
    "ProtectKernelTunables": "yes",
    "ProtectProc": "invisible",
    "RemoveIPC": "yes",
    "RestrictAddressFamilies": "AF_UNIX AF_INET AF_INET6",
    "RestrictNamespaces": "yes",
    "SystemCallFilter": "@system-service",
    "SystemCallErrorNumber": "EPERM",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Unit:
    """The unit of one appliance."""

    scope: Scope
    name: str
    python: Path
    """The interpreter that has the package."""
    data_dir: Path
    runtime: RuntimeName = "embedded"
    arguments: tuple[str, ...] = ()
    """More arguments of `up`, such as `--port 3000`."""
    user: str = SERVICE_USER
    """The user that a system unit runs as."""

    @property
    def file_name(self) -> str:
        return f"{self.name}.service"

    @property
    def owns_state(self) -> bool:
        """Whether systemd creates the data directory for the service's user."""
        return self.scope == "system" and self.data_dir.is_relative_to(STATE_ROOT) and self.data_dir != STATE_ROOT

    def text(self) -> str:
        """The unit file."""
        return (
            "\n\n".join(
                f"[{section}]\n" + "\n".join(f"{key}={value}" for key, value in lines)
                for section, lines in (
                    ("Unit", self._unit()),
                    ("Service", self._service()),
                    ("Install", self._install()),
                )
            )
            + "\n"
        )

    def _unit(self) -> list[tuple[str, str]]:
        lines = [
            ("Description", f"langfuse-local on {_escaped(str(self.data_dir))}"),
        ]
        if self.scope == "system":
            services = "network-online.target" + (" docker.service" if self.runtime == "docker" else "")
            lines += [("Wants", services), ("After", services)]
        return lines

    def _service(self) -> list[tuple[str, str]]:
        arguments = ("--journal", "--data-dir", str(self.data_dir), "--runtime", self.runtime, *self.arguments)
        command = own_command("appliance", "up", *arguments, python=str(self.python))
        configuration = "/etc" if self.scope == "system" else "%E"
        lines = [
            ("Type", "notify"),
            ("ExecStart", " ".join(_quoted(word).replace("$", "$$") for word in command)),
            ("EnvironmentFile", f"-{configuration}/langfuse-local/environment"),
            ("SyslogIdentifier", self.name),
            ("Restart", "on-failure"),
            ("RestartSec", "5"),
            ("TimeoutStartSec", "15min" if self.runtime == "docker" else "3min"),
            ("TimeoutStopSec", "1min"),
            ("KillMode", "mixed"),
            ("SuccessExitStatus", "143"),
            ("LimitNOFILE", "262144"),
        ]
        if self.scope == "system":
            lines += self._identity()
        return lines + list(_ALWAYS.items()) + (list(_SYSTEM_ONLY.items()) if self.scope == "system" else [])

    def _identity(self) -> list[tuple[str, str]]:
        lines = [("User", self.user), ("Environment", "XDG_CONFIG_HOME=/etc")]
        if self.runtime == "docker":
            lines.append(("SupplementaryGroups", "docker"))
        if self.owns_state:
            lines += [
                ("StateDirectory", _escaped(str(self.data_dir.relative_to(STATE_ROOT)))),
                ("StateDirectoryMode", "0700"),
            ]
        else:
            lines.append(("ReadWritePaths", _quoted(str(self.data_dir))))
        return lines

    def _install(self) -> list[tuple[str, str]]:
        return [("WantedBy", "multi-user.target" if self.scope == "system" else "default.target")]


def sysusers_text() -> str:
    """The file from which systemd-sysusers creates the service's user."""
    return f'u {SERVICE_USER} - "langfuse-local" {STATE_ROOT / DEFAULT_NAME}\n'


def _escaped(text: str) -> str:
    return text.replace("%", "%%")


def _quoted(text: str) -> str:
    """One word of a list: systemd reads shell quotes and replaces specifiers."""
    return shlex.quote(_escaped(text).replace("\\", "\\\\"))
