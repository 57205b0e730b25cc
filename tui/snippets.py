"""What a new user pastes to send the first trace, per language."""

from __future__ import annotations

import base64
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Snippet:
    """A text to copy, and what it is."""

    key: str
    title: str
    language: str
    text: str


def snippets(url: str, public_key: str, secret_key: str) -> list[Snippet]:
    """One snippet for each way in, ready to run against this server."""
    keys = _environment(url, public_key, secret_key)
    return [
        Snippet("python", "Python", "python", _python(keys)),
        Snippet("js", "JavaScript", "javascript", _javascript(keys)),
        Snippet("otel", "OpenTelemetry", "bash", _otel(url, public_key, secret_key)),
        Snippet("curl", "curl", "bash", _curl(url, public_key, secret_key)),
    ]


def _environment(url: str, public_key: str, secret_key: str) -> str:
    return (
        f'export LANGFUSE_BASE_URL="{url}" LANGFUSE_HOST="{url}"\n'
        f'export LANGFUSE_PUBLIC_KEY="{public_key}"\n'
        f'export LANGFUSE_SECRET_KEY="{secret_key}"\n'
    )


def _python(keys: str) -> str:
    return f"""{keys}pip install langfuse
python - <<'PY'
from langfuse import get_client, observe

@observe()
def hello(name):
    return f"Hello, {{name}}!"

hello("terminal")
get_client().flush()
PY
"""


def _javascript(keys: str) -> str:
    return f"""{keys}npm install langfuse
node --input-type=module - <<'JS'
import {{ Langfuse }} from "langfuse";

const langfuse = new Langfuse();
langfuse.trace({{ name: "hello", input: "terminal", output: "Hello!" }});
await langfuse.shutdownAsync();
JS
"""


def _otel(url: str, public_key: str, secret_key: str) -> str:
    login = base64.b64encode(f"{public_key}:{secret_key}".encode()).decode()
    return f"""export OTEL_EXPORTER_OTLP_ENDPOINT="{url}/api/public/otel"
export OTEL_EXPORTER_OTLP_PROTOCOL="http/protobuf"
export OTEL_EXPORTER_OTLP_HEADERS="Authorization=Basic {login}"

# Then run any program that is instrumented with OpenTelemetry.
"""


def _curl(url: str, public_key: str, secret_key: str) -> str:
    return f"""curl -s "{url}/api/public/ingestion" \\
  -u "{public_key}:{secret_key}" \\
  -H "content-type: application/json" -d @- <<JSON
{{"batch": [{{"id": "$(uuidgen)", "type": "trace-create",
  "timestamp": "$(date -u +%Y-%m-%dT%H:%M:%SZ)",
  "body": {{"id": "$(uuidgen)", "name": "hello", "input": "terminal", "output": "Hello!"}}}}]}}
JSON
"""
