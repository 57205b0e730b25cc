"""Finds the proxy for an address, from the same variables as curl and Python; never one for this machine."""

from __future__ import annotations

import ipaddress
import os
import re
import socket
from collections.abc import Mapping, MutableMapping
from dataclasses import dataclass
from urllib.parse import SplitResult, urlsplit

from appliance.errors import ConfigError

_DEFAULT_PORTS = {"http": 80, "https": 443}


@dataclass(frozen=True, slots=True)
class Proxy:
    """An HTTP proxy."""

    url: str
    """With its scheme, and its login if it has one."""
    source: str
    """The variable that names it."""

    def __str__(self) -> str:
        """Its name in messages, without its login."""
        parts = urlsplit(self.url)
        return f"The proxy at {parts.netloc.rpartition('@')[2]} ({self.source})"


def proxy_for(url: str, environ: Mapping[str, str] | None = None) -> Proxy | None:
    """The proxy for `url`, None for a direct connection.

    Raises ConfigError when the one that is named cannot be used.
    """
    variables = os.environ if environ is None else environ
    target = urlsplit(url)
    host = target.hostname or ""
    if is_this_machine(host) or _is_excepted(target, variables.get("no_proxy") or variables.get("NO_PROXY", "")):
        return None
    found = _named(target.scheme, variables)
    if found is None and environ is None:
        found = _of_the_system(target.scheme, host)
    return _usable(found, host) if found is not None else None


def is_this_machine(host: str) -> bool:
    """Whether a host name or address certainly means this machine, without a look-up."""
    name = host.strip("[]").rstrip(".").lower()
    own = socket.gethostname().lower()
    if name == "localhost" or name.endswith(".localhost") or (name and name in (own, own.partition(".")[0])):
        return True
    address = _address(name)
    if address is None:
        return False
    address = getattr(address, "ipv4_mapped", None) or address
    return address.is_loopback or address.is_unspecified or _is_own(str(address))


def ask_directly(host: str, environ: MutableMapping[str, str] | None = None) -> None:
    """Keeps libraries that read the variables themselves from using a proxy for `host`, if it is this machine.

    clickhouse-connect, obstore and Docker's client have no option for it.
    """
    variables = os.environ if environ is None else environ
    if not is_this_machine(host) or not any(name.lower().endswith("_proxy") for name in variables):
        return
    excepted = variables.get("no_proxy") or variables.get("NO_PROXY", "")
    if excepted.strip() != "*" and host not in _words(excepted):
        variables["no_proxy"] = variables["NO_PROXY"] = ",".join([*_words(excepted), host])


def _named(scheme: str, environ: Mapping[str, str]) -> Proxy | None:
    for name in (f"{scheme}_proxy", "all_proxy"):
        for variable in (name, name.upper()):
            if value := environ.get(variable, "").strip():
                return Proxy(value, variable)
    return None


def _of_the_system(scheme: str, host: str) -> Proxy | None:
    """The proxy in macOS' settings."""
    import urllib.request

    url = urllib.request.getproxies().get(scheme, "")
    return Proxy(url, "the system's settings") if url and not urllib.request.proxy_bypass(host) else None


def _usable(proxy: Proxy, host: str) -> Proxy:
    """The proxy, with http:// added if it has no scheme; raises ConfigError."""
    url = proxy.url if "://" in proxy.url else f"http://{proxy.url}"
    hint = f"Fix {proxy.source}, or add {host} to no_proxy."
    try:
        parts = urlsplit(url)
        is_host = bool((parts.hostname or "").encode("idna"))
        is_address = is_host and parts.port != 0 and url.isprintable() and " " not in url
    except ValueError:
        is_address = False
    if not is_address:  # not quoted: a password may be in it
        raise ConfigError(f"The proxy that {proxy.source} names has no usable address.", hint=hint)
    if parts.scheme not in _DEFAULT_PORTS:
        raise ConfigError(
            f"{Proxy(url, proxy.source)} is a {parts.scheme.upper()} proxy, which cannot be used here.",
            hint=f"Set http_proxy and https_proxy to an HTTP proxy, or add {host} to no_proxy.",
        )
    return Proxy(url, proxy.source)


def _is_excepted(target: SplitResult, no_proxy: str) -> bool:
    """Whether `no_proxy` has the host: by name, a domain above it, address, network, `host:port`, or `*`."""
    host = (target.hostname or "").rstrip(".")
    port = target.port or _DEFAULT_PORTS.get(target.scheme, 0)
    address = _address(host)
    for word in _words(no_proxy):
        if word == "*":
            return True
        if address is not None and _has(word.strip("[]"), address):
            return True
        name, colon, wanted = word.rpartition(":")
        if not colon or not wanted.isdigit():
            name, wanted = word, str(port)
        name = name.strip("[]").removeprefix("*").strip(".").lower()
        if name and wanted == str(port) and (host == name or host.endswith(f".{name}")):
            return True
    return False


def _words(no_proxy: str) -> list[str]:
    return [word for word in re.split(r"[\s,]+", no_proxy) if word]


def _has(network: str, address: ipaddress.IPv4Address | ipaddress.IPv6Address) -> bool:
    try:
        return address in ipaddress.ip_network(network, strict=False)
    except ValueError:
        return False


def _address(host: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        return ipaddress.ip_address(host.partition("%")[0])
    except ValueError:
        pass
    if not re.fullmatch(r"[0-9a-fx.]+", host):
        return None
    try:
        return ipaddress.IPv4Address(socket.inet_aton(host))  # the short forms, such as 127.1
    except OSError:
        return None


def _is_own(address: str) -> bool:
    """Whether an interface of this machine has the address: only then can it be bound."""
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    try:
        with socket.socket(family, socket.SOCK_DGRAM) as trial:
            trial.bind((address, 0))
    except OSError:
        return False
    return True
