"""Records what real libraries send: `python -m tests.corpus_recording.record [SOURCE...]` (without names: all)."""

from __future__ import annotations

import argparse
import base64
import json
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from tests.corpus_recording import manifest, provider, recorder
from tests.corpus_recording.environments import NotInstalled, command
from tests.corpus_recording.expectations import expectation

CORPUS = Path(__file__).parents[1] / "data" / "corpus"
PROGRAM_TIMEOUT_S = 120
LARGEST_RECORDING = 60_000
"""Bytes above which a recording is called too large for the repository."""

PUBLIC_KEY, SECRET_KEY = "pk-lf-recording", "sk-lf-recording"
KEPT_FROM_ENVIRON = ("PATH", "HOME", "LANG", "TMPDIR", "SSL_CERT_FILE", "NODE_EXTRA_CA_CERTS")
QUIET = {
    "ANONYMIZED_TELEMETRY": "false",
    "CREWAI_DISABLE_TELEMETRY": "true",
    "CREWAI_TRACING_ENABLED": "false",
    "DO_NOT_TRACK": "1",
    "HAYSTACK_TELEMETRY_ENABLED": "False",
    "LITELLM_LOCAL_MODEL_COST_MAP": "True",
    "MASTRA_TELEMETRY_DISABLED": "1",
    "MLFLOW_MODEL_CATALOG_URI": "",
    "AGNO_TELEMETRY": "false",
    "TRACELOOP_TELEMETRY": "false",
}
"""Switches off what the libraries would report to their makers."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Records the named sources; returns 1 when one of them fails."""
    known = manifest.sources()
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("source", nargs="*", help="names in sources.toml")
    parser.add_argument("--list", action="store_true", help="only print the names")
    options = parser.parse_args(arguments)
    if options.list:
        print("\n".join(known))
        return 0
    if unknown := sorted(set(options.source) - set(known)):
        parser.error(f"not in sources.toml: {', '.join(unknown)}")
    failures = 0
    with provider.running() as (provider_url, ledger), recorder.running() as (sink_url, tape):
        for name in options.source or known:
            ledger.reset()
            tape.reset()
            problem = _record(known[name], provider_url, ledger, sink_url, tape)
            failures += problem is not None
            print(f"{name}: {problem or _summary(tape, ledger)}", flush=True)
    return 1 if failures else 0


def _record(
    source: manifest.Source, provider_url: str, ledger: provider.Ledger, sink_url: str, tape: recorder.Tape
) -> str | None:
    """Runs one program and stores what it sent; returns what went wrong, if anything."""
    try:
        arguments, folder = command(source)
        done = subprocess.run(
            arguments,
            cwd=folder,
            env=_environ(provider_url, sink_url) | _own_environ(source, sink_url),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=PROGRAM_TIMEOUT_S,
        )
    except (NotInstalled, subprocess.TimeoutExpired) as error:
        return f"not recorded: {error}"
    if done.returncode != 0:
        return f"the program failed: {done.stdout[-1000:]}\n{done.stderr[-3000:]}"
    if not any(request.endpoint in ("otlp", "ingestion") for request in tape.requests):
        return f"nothing was sent: {done.stdout[-1000:]}\n{done.stderr[-3000:]}"
    size = sum(len(request.body) for request in tape.requests)
    if size > LARGEST_RECORDING:
        return f"the recording is too large: {size} bytes"
    target = CORPUS / source.name
    tape.write(target)
    text = json.dumps(expectation(source, ledger.calls), indent=1, ensure_ascii=False)
    (target / "expect.json").write_text(text + "\n")
    return None


def _own_environ(source: manifest.Source, sink_url: str) -> dict[str, str]:
    """The variables of the source's manifest entry, with the sink's address filled in."""
    return {name: value.replace("{sink}", sink_url) for name, value in source.environ.items()}


def _environ(provider_url: str, sink_url: str) -> dict[str, str]:
    """The variables by which the libraries find the fake provider and the sink."""
    token = base64.b64encode(f"{PUBLIC_KEY}:{SECRET_KEY}".encode()).decode()
    otlp = f"{sink_url}/api/public/otel"
    vendors = {
        "OPENAI_API_KEY": "sk-fake",
        "OPENAI_BASE_URL": f"{provider_url}/v1",
        "OPENAI_API_BASE": f"{provider_url}/v1",
        "ANTHROPIC_API_KEY": "sk-ant-fake",
        "ANTHROPIC_BASE_URL": provider_url,
        "GEMINI_API_KEY": "fake",
        "GOOGLE_API_KEY": "fake",
        "GOOGLE_GEMINI_BASE_URL": provider_url,
        "MISTRAL_API_KEY": "fake",
        "OLLAMA_HOST": provider_url,
        "AWS_ACCESS_KEY_ID": "fake",
        "AWS_SECRET_ACCESS_KEY": "fake",
        "AWS_DEFAULT_REGION": "us-east-1",
        "PROVIDER_URL": provider_url,
    }
    sinks = {
        "LANGFUSE_HOST": sink_url,
        "LANGFUSE_BASE_URL": sink_url,
        "LANGFUSE_BASEURL": sink_url,
        "LANGFUSE_PUBLIC_KEY": PUBLIC_KEY,
        "LANGFUSE_SECRET_KEY": SECRET_KEY,
        "OTEL_EXPORTER_OTLP_ENDPOINT": otlp,
        "OTEL_EXPORTER_OTLP_HEADERS": f"Authorization=Basic%20{token}",
        "OTEL_EXPORTER_OTLP_PROTOCOL": "http/protobuf",
        "SINK_TRACES_URL": f"{otlp}/v1/traces",
        "SINK_AUTHORIZATION": f"Basic {token}",
    }
    kept = {name: os.environ[name] for name in KEPT_FROM_ENVIRON if name in os.environ}
    return {**kept, **QUIET, **vendors, **sinks, "PYTHONDONTWRITEBYTECODE": "1"}


def _summary(tape: recorder.Tape, ledger: provider.Ledger) -> str:
    sent = ", ".join(f"{request.endpoint} {len(request.body)} B" for request in tape.requests)
    return f"{len(ledger.calls)} calls; {sent}"


if __name__ == "__main__":
    sys.exit(main())
