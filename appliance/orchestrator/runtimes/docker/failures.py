"""Turns errors of Docker and ends of containers into one sentence with a hint."""

from __future__ import annotations

import re
from collections.abc import Sequence

from appliance.errors import PortTaken, RuntimeUnavailable
from appliance.orchestrator.host.memory import MIB
from appliance.orchestrator.host.ports import port_holder

_OTHER_RUNTIMES = "or use --runtime embedded, which needs no Docker"


def explain_connection(address: str, reason: str) -> RuntimeUnavailable:
    """The error for an engine that cannot be reached at `address`."""
    if "ermission denied" in reason:
        return RuntimeUnavailable(
            f"This user may not use Docker at {address}.",
            hint=f"Add the user to the group docker and log in again, {_OTHER_RUNTIMES}.",
        )
    if "No such file" in reason or "FileNotFoundError" in reason:
        return RuntimeUnavailable(
            f"No Docker is running here ({address} does not exist).",
            hint=f"Install or start Docker, set DOCKER_HOST, {_OTHER_RUNTIMES}.",
        )
    if "imed out" in reason or "timeout" in reason:
        return RuntimeUnavailable(f"Docker at {address} does not answer in time.", hint="Look at the Docker daemon.")
    return RuntimeUnavailable(
        f"Docker at {address} does not answer ({_first_line(reason)}).",
        hint=f"Start Docker, set DOCKER_HOST, {_OTHER_RUNTIMES}.",
    )


def explain_api_error(about: str, text: str, *, image: str = "", host_port: int | None = None) -> RuntimeUnavailable:
    """The error for the engine's answer `text` to the request `about` ("start postgres")."""
    lowered = text.lower()
    if "port is already allocated" in lowered or "address already in use" in lowered:
        holder = port_holder(host_port) if host_port else ""
        owner = holder or (" by another container" if "allocated" in lowered else "")
        return PortTaken(
            f"Docker cannot {about}: port {host_port} is taken{owner}.",
            host_port or 0,
            hint="Free it; or langfuse-local down, then up --detach, which takes another port.",
        )
    if "no space left" in lowered or "disk quota exceeded" in lowered:
        return RuntimeUnavailable(
            f"Docker cannot {about}: its disk is full.", hint="Free some space, such as with docker system prune."
        )
    if image and (failure := _explain_pull(image, lowered)):
        return failure
    return RuntimeUnavailable(f"Docker cannot {about}: {_first_line(text)}.")


def _explain_pull(image: str, lowered: str) -> RuntimeUnavailable | None:
    if any(sign in lowered for sign in ("no such host", "network is unreachable", "i/o timeout", "connection refused")):
        return RuntimeUnavailable(
            f"The image {image} cannot be fetched: its registry cannot be reached.",
            hint="Check the network, or load the image with docker load.",
        )
    if "toomanyrequests" in lowered or "rate limit" in lowered:
        return RuntimeUnavailable(
            f"The image {image} cannot be fetched now: the registry's rate limit is reached.",
            hint="Log in with docker login, or try again later.",
        )
    if any(sign in lowered for sign in ("not found", "manifest unknown", "no such image", "denied", "does not exist")):
        return RuntimeUnavailable(
            f"The image {image} does not exist, or may not be fetched without a login.",
            hint="Check the LANGFUSE_LOCAL_DOCKER_..._IMAGE setting.",
        )
    if "no matching manifest" in lowered:
        return RuntimeUnavailable(f"The image {image} is not made for this kind of processor.")
    return None


def refuses_ulimits(text: str) -> bool:
    """Whether the engine refused a container because of its resource limits."""
    lowered = text.lower()
    return "rlimit" in lowered or "ulimit" in lowered


def describe_end(code: int, *, is_out_of_memory: bool, memory_bytes: int, lines: Sequence[str], image: str) -> str:
    """How a container ended, to follow its name in a sentence."""
    if is_out_of_memory:
        return (
            f"ran out of its {memory_bytes // MIB} MiB of memory and was killed"
            " (LANGFUSE_LOCAL_DOCKER_..._MEMORY_MIB gives it more)"
        )
    how = "was killed" if code == 137 else f"exited with code {code}"
    if reason := _reason_of(lines, image):
        return f"{how}: {reason}"
    last = next((line.strip() for line in reversed(lines) if line.strip()), "")
    return f"{how}: {last[:300]}" if code and last else how


def _reason_of(lines: Sequence[str], image: str) -> str | None:
    """The reason in the store's log lines, None when none is recognized."""
    text = "\n".join(lines)
    if match := re.search(r"initialized by PostgreSQL version (\S+), which is not compatible", text):
        return (
            f"its volume holds data of PostgreSQL {match[1].rstrip(',')}, which {image} cannot read"
            " (choose that version with LANGFUSE_LOCAL_DOCKER_POSTGRES_IMAGE)"
        )
    if re.search(r"Can't handle RDB format version|Unknown or unsupported AOF|Wrong signature trying to load", text):
        return (
            f"its volume holds data of a newer Redis, which {image} cannot read"
            " (choose that version with LANGFUSE_LOCAL_DOCKER_REDIS_IMAGE)"
        )
    if re.search(r"Unknown (version of|format version)|(format|serialization) version.{0,40}is not supported", text):
        return (
            f"its volume holds data of a newer ClickHouse, which {image} cannot read"
            " (choose that version with LANGFUSE_LOCAL_DOCKER_CLICKHOUSE_IMAGE)"
        )
    if re.search(r"No space left on device|Not enough space|disk quota exceeded", text, re.IGNORECASE):
        return "the disk is full"
    if re.search(r"[Pp]ermission denied|Operation not permitted", text):
        return f"it may not use its volume (is {image} one of the official Debian or Ubuntu based images?)"
    return None


def _first_line(text: str) -> str:
    return text.strip().partition("\n")[0].rstrip(".")[:400]
