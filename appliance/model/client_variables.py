"""The environment variables that point SDKs and OTLP exporters at a server: `env` and the first screen print these."""

from __future__ import annotations

import shlex
from base64 import b64encode


def langfuse_variables(url: str, public_key: str, secret_key: str) -> dict[str, str]:
    """Variables of the Langfuse SDKs; older ones read `LANGFUSE_HOST`."""
    return {
        "LANGFUSE_BASE_URL": url,
        "LANGFUSE_HOST": url,
        "LANGFUSE_PUBLIC_KEY": public_key,
        "LANGFUSE_SECRET_KEY": secret_key,
    }


def otlp_variables(url: str, public_key: str, secret_key: str, *, is_appliance: bool = True) -> dict[str, str]:
    """Variables of OTLP exporters.

    An appliance answers at `/v1/traces` as OTLP says; Langfuse's own server takes spans below `/api/public/otel` only.
    The blank after `Basic` is encoded because some SDKs drop a header that holds one.
    """
    login = b64encode(f"{public_key}:{secret_key}".encode()).decode()
    return {
        "OTEL_EXPORTER_OTLP_ENDPOINT": url if is_appliance else f"{url}/api/public/otel",
        "OTEL_EXPORTER_OTLP_HEADERS": f"Authorization=Basic%20{login}",
        "OTEL_EXPORTER_OTLP_PROTOCOL": "http/protobuf",
    }


def dotenv_lines(values: dict[str, str]) -> str:
    """The variables as lines of an env file."""
    return "\n".join(f"{name}={value}" for name, value in values.items())


def shell_exports(values: dict[str, str]) -> str:
    """The variables as lines for a shell."""
    return "\n".join(f"export {name}={shlex.quote(value)}" for name, value in values.items())
