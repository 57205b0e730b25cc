"""One description of how to point a client at a server, for `env` and for the first screen."""

from __future__ import annotations

from appliance.cli.env import render_variables, variables
from appliance.model.client_variables import otlp_variables
from tui.content.snippets import snippets

KEYS = ("pk-lf-1", "sk-lf-2")


def test_the_first_screen_says_what_env_prints() -> None:
    printed = render_variables(variables("http://localhost:3000", *KEYS), "shell").splitlines()
    texts = {one.key: one.text for one in snippets("http://localhost:3000", *KEYS)}
    langfuse, otlp = printed[:4], printed[4:]
    assert texts["python"].splitlines()[:4] == texts["js"].splitlines()[:4] == langfuse
    assert texts["otel"].splitlines()[:3] == otlp


def test_langfuses_own_server_takes_spans_below_its_own_path() -> None:
    other = otlp_variables("https://lf.example", *KEYS, is_appliance=False)
    assert other["OTEL_EXPORTER_OTLP_ENDPOINT"] == "https://lf.example/api/public/otel"
    assert other["OTEL_EXPORTER_OTLP_HEADERS"] == "Authorization=Basic%20cGstbGYtMTpzay1sZi0y"
