"""Snippets that send a first trace, per language."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from appliance.model.client_variables import langfuse_variables, otlp_variables, shell_exports

OTEL_NOTE: Final = "# Then run any program that is instrumented with OpenTelemetry."


@dataclass(frozen=True, slots=True)
class Snippet:
    """A text to copy, with its title and language."""

    key: str
    title: str
    language: str
    text: str


def snippets(url: str, public_key: str, secret_key: str, *, is_appliance: bool = True) -> list[Snippet]:
    """One snippet for each way in, ready to run against this server."""
    keys = shell_exports(langfuse_variables(url, public_key, secret_key)) + "\n"
    otlp = shell_exports(otlp_variables(url, public_key, secret_key, is_appliance=is_appliance))
    return [
        Snippet("python", "Python", "python", _python(keys)),
        Snippet("js", "JavaScript", "javascript", _javascript(keys)),
        Snippet("otel", "OpenTelemetry", "bash", f"{otlp}\n\n{OTEL_NOTE}\n"),
        Snippet("curl", "curl", "bash", _curl(url, public_key, secret_key)),
    ]


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


def _curl(url: str, public_key: str, secret_key: str) -> str:
    return f"""curl -s "{url}/api/public/ingestion" \\
  -u "{public_key}:{secret_key}" \\
  -H "content-type: application/json" -d @- <<JSON
{{"batch": [{{"id": "$(uuidgen)", "type": "trace-create",
  "timestamp": "$(date -u +%Y-%m-%dT%H:%M:%SZ)",
  "body": {{"id": "$(uuidgen)", "name": "hello", "input": "terminal", "output": "Hello!"}}}}]}}
JSON
"""
