"""Plans the containers of one appliance: the catalog with names, labels, passwords and ports."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import secrets
from dataclasses import dataclass

from appliance.data_dir.private_files import write_private
from appliance.orchestrator.runtimes.docker.containers import (
    APPLIANCE_LABEL,
    CONFIG_LABEL,
    SERVICE_LABEL,
    ContainerPlan,
    PlacedFile,
)
from appliance.orchestrator.runtimes.docker.images import PASSWORD_FILE, StoreImage
from appliance.paths import DataDir

IDENTITY_FILE = "docker-id"
"""Below the data directory; exists once the docker runtime was used."""


@dataclass(frozen=True, slots=True)
class Ownership:
    """Names and labels that tell one appliance's containers from another's on the same host."""

    appliance_id: str

    @property
    def labels(self) -> dict[str, str]:
        return {APPLIANCE_LABEL: self.appliance_id}

    @property
    def network(self) -> str:
        return f"langfuse-local-{self.appliance_id}"

    def name_of(self, service: str) -> str:
        """Name of a service's container, and of its volume."""
        return f"{self.network}-{service}"


def ownership_of(data_dir: DataDir) -> Ownership:
    """The identity stored in the data directory, created at the first call.

    It is random, not derived from the path: a directory that was removed and created again must not use the old
    volumes, whose passwords are lost.
    """
    path = data_dir.root / IDENTITY_FILE
    try:
        return Ownership(path.read_text().strip())
    except FileNotFoundError:
        write_private(path, f"{secrets.token_hex(4)}\n")
        return Ownership(path.read_text().strip())


def plan_container(store: StoreImage, owner: Ownership, password: str, host_port: int) -> ContainerPlan:
    """The container of a store, published on loopback."""
    uid = int(store.user.partition(":")[0])
    placed = [PlacedFile(path=PASSWORD_FILE, content=f"{password}\n", uid=uid, mode=0o400)]
    placed += [PlacedFile(path=path, content=content) for path, content in store.files.items()]
    plan = ContainerPlan(
        name=owner.name_of(store.name),
        image=store.image,
        user=store.user,
        command=store.command,
        environ=store.environ,
        labels={**owner.labels, SERVICE_LABEL: store.name},
        network=owner.network,
        alias=store.name,
        volume=owner.name_of(store.name),
        volume_path=store.volume_path,
        writable=store.writable,
        port=store.port,
        host_port=host_port,
        health=store.health,
        memory_bytes=store.memory_bytes,
        stop_signal=store.stop_signal,
        grace_s=store.grace_s,
        files=tuple(placed),
        open_files=store.open_files,
        shared_memory_bytes=store.shared_memory_bytes,
    )
    return dataclasses.replace(plan, labels={**plan.labels, CONFIG_LABEL: fingerprint(plan)})


def fingerprint(plan: ContainerPlan) -> str:
    """A hash of everything that a container is created from."""
    text = json.dumps(dataclasses.asdict(plan), sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:16]
