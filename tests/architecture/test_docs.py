"""The documents say what the code says: no setting, command or endpoint is missing, and none is made up."""

from __future__ import annotations

import re

import click

from appliance.cli.main import cli
from appliance.config import environment_names
from tests.architecture.api_page import api_page
from tests.architecture.configuration_page import configuration_page
from tests.architecture.source import ROOT, document, modules

CONTEXT = click.Context(cli)
NOT_COMMANDS = {"is"}
"""Words that follow the program's name in a sentence."""
VARIABLE = re.compile(r"`([A-Z][A-Z0-9]*(?:_[A-Z0-9]+)+|SALT)`")


def test_the_configuration_page_is_what_the_settings_say() -> None:
    """Anew: python -m tests.architecture.configuration_page > docs/configuration.md"""
    assert document("docs/configuration.md") == configuration_page()


def test_every_documented_variable_exists() -> None:
    ours = ("LANGFUSE_LOCAL_", "LANGFUSE_INIT_", "CLICKHOUSE_", "REDIS_", "DATABASE_", "SALT", "ENCRYPTION_")
    documented = {
        name
        for page in [ROOT / "README.md", *(ROOT / "docs").glob("*.md")]
        for name in VARIABLE.findall(page.read_text())
        if name.startswith(ours)
    }
    assert documented - set(environment_names()) - {"LANGFUSE_LOCAL_TEST_CACHE"} == set()


def test_every_command_is_in_the_readme() -> None:
    readme = document("README.md")
    assert {name for name in cli.list_commands(CONTEXT) if f"langfuse-local {name}" not in readme} == set()


def test_every_command_in_the_readme_exists() -> None:
    named = set(re.findall(r"\blangfuse-local ([a-z][a-z-]*)", document("README.md")))
    assert named - set(cli.list_commands(CONTEXT)) - NOT_COMMANDS == set()


def test_every_command_explains_itself_with_an_example() -> None:
    for name in cli.list_commands(CONTEXT):
        command = cli.get_command(CONTEXT, name)
        assert command is not None
        help_text = command.get_help(click.Context(command, info_name=f"langfuse-local {name}"))
        assert f"langfuse-local {name}" in help_text.split("Options:")[0].split("\n", 1)[1], name


def test_the_page_of_endpoints_is_what_the_routes_say() -> None:
    """Anew: python -m tests.architecture.api_page > docs/api-coverage.md"""
    assert document("docs/api-coverage.md") == api_page()


def test_no_word_of_unfinished_work() -> None:
    marks = ("TODO", "FIXME", "XXX")
    found = [
        f"{file.relative_to(ROOT)}: {mark}"
        for file in modules("appliance", "tui")
        for mark in marks
        if mark in file.read_text()
    ]
    assert found == []
