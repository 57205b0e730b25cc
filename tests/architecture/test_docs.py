"""The documents say what the code says: no setting, command or endpoint is missing, and none is made up."""

from __future__ import annotations

import ast
import importlib
import re
import textwrap
from pathlib import Path

import click

from appliance.cli.main import cli
from appliance.config import environment_names
from appliance.model.client_variables import otlp_variables
from tests.architecture.api_page import api_page
from tests.architecture.code_tree import PAGE, missing_folders, page_with_tree
from tests.architecture.configuration_page import configuration_page
from tests.architecture.source import ROOT, document, modules

CONTEXT = click.Context(cli)
NOT_COMMANDS = {"is"}
"""Words that follow the program's name in a sentence."""
NOT_SETTINGS = {"LANGFUSE_LOCAL_TEST_CACHE", "LANGFUSE_LOCAL_OTLP_GRPC_ENDPOINT"}
"""Variables that only the tests read, and that only `env` prints."""
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
    assert documented - set(environment_names()) - NOT_SETTINGS == set()


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


def test_the_page_of_endpoints_has_no_empty_cell() -> None:
    cells = [cell.strip() for line in api_page().splitlines() if line[:1] == "|" for cell in line[1:-1].split(" | ")]
    assert "" not in cells


def test_every_decision_is_in_the_index_with_its_title_and_status() -> None:
    expected = []
    for file in sorted((ROOT / "docs/decisions").glob("[0-9]*.md")):
        title = file.read_text().splitlines()[0].removeprefix("# ")
        expected.append(f"| [{file.name[:4]} {title}]({file.name})")
    rows = [line for line in document("docs/decisions/README.md").splitlines() if line.startswith("| [")]
    assert [row.partition(" | ")[0] for row in rows] == expected
    assert [row for row in rows if not re.search(r"\| (accepted|replaced by \[\d{4}\])", row)] == []


def test_every_benchmark_is_on_its_page() -> None:
    page = document("docs/benchmarks.md")
    programs = [
        file for file in sorted((ROOT / "tests/benchmarks").glob("[a-z]*.py")) if "__main__" in file.read_text()
    ]
    assert len(programs) > 10
    assert [file.name for file in programs if f"](../tests/benchmarks/{file.name})" not in page] == []


def test_the_tree_of_folders_is_what_the_packages_say() -> None:
    """Anew: python -m tests.architecture.code_tree"""
    assert missing_folders() == []
    assert document(PAGE) == page_with_tree()


def test_the_recipes_for_contributors_name_what_exists() -> None:
    page = document("CONTRIBUTING.md")
    new = re.compile(r"notes|acme|count_observations")
    paths = re.findall(r"`((?:appliance|tui|tests|docs)/[\w/.]+)`", page)
    assert [path for path in paths if not (ROOT / path).exists() and not new.search(path)] == []
    blocks = [
        textwrap.dedent(block) for block in re.findall(r"^ *```python\n(.*?)^ *```$", page, re.DOTALL | re.MULTILINE)
    ]
    assert len(blocks) >= 5
    for node in (node for block in blocks for node in ast.walk(ast.parse(block))):
        if isinstance(node, ast.ImportFrom) and node.module and not new.search(node.module):
            module = importlib.import_module(node.module)
            assert [alias.name for alias in node.names if not hasattr(module, alias.name)] == [], node.module


def test_links_between_documents_lead_somewhere() -> None:
    broken = [
        f"{page.relative_to(ROOT)}: {target}"
        for page in pages()
        for target, anchor in re.findall(r"\]\((?!https?:)([^)#\s]*)(?:#([^)\s]*))?\)", page.read_text())
        if not _leads_somewhere(page, target, anchor)
    ]
    assert broken == []


def test_the_page_of_otlp_names_every_variable_that_is_printed() -> None:
    page = document("docs/otlp.md")
    assert [line for line in _otlp_lines() if line not in page] == []


def test_the_readme_says_what_groups_of_endpoints_are_missing() -> None:
    """Anew: a line of the README's section "Not there yet", then its words here."""
    words = {
        "annotation-queues": "annotation queues",
        "dashboard-widgets": "widgets",
        "evaluation-rules": "evaluation rules",
        "experiment-items": "experiments",
        "integrations": "blob storage",
        "llm-connections": "llm connections",
    }
    missing = re.findall(r"^\| ([a-z][a-z-]+) \|", api_page().partition("## Not yet")[2], re.MULTILINE)
    section = document("README.md").partition("## Not there yet")[2].partition("\n## ")[0].lower()
    assert [subject for subject in missing if words.get(subject, subject) not in section] == []


def test_the_glossary_explains_words_of_released_tables() -> None:
    section = document("docs/architecture.md").partition("## Words")[2].partition("\n## ")[0]
    words = re.findall(r"^\| ([a-z ,]+) \|", section, re.MULTILINE)
    assert len(words) >= 12 and words == sorted(words)
    names = set(re.findall(r"`([a-z_]+)`", section))
    sources = " ".join(file.read_text() for file in (ROOT / "appliance/storage").rglob("*.sql"))
    assert [name for name in names if not re.search(rf"\b{name}\b", sources)] == []


def pages() -> list[Path]:
    """All documents that people read."""
    return [*(ROOT / name for name in ("README.md", "CHANGELOG.md", "CONTRIBUTING.md")), *(ROOT / "docs").rglob("*.md")]


def _leads_somewhere(page: Path, target: str, anchor: str) -> bool:
    file = page.parent / target if target else page
    if not file.exists() or not anchor:
        return file.exists()
    headings = re.findall(r"^#+ (.*)$", file.read_text(), re.MULTILINE)
    return anchor in {re.sub(r"[^\w -]", "", heading).lower().replace(" ", "-") for heading in headings}


def _otlp_lines() -> list[str]:
    values = otlp_variables("http://localhost:3000", "pk", "sk")
    values["OTEL_EXPORTER_OTLP_HEADERS"] = values["OTEL_EXPORTER_OTLP_HEADERS"].partition("%20")[0]
    return [f"{name}={value}" for name, value in values.items()]


def test_no_word_of_unfinished_work() -> None:
    marks = ("TODO", "FIXME", "XXX")
    found = [
        f"{file.relative_to(ROOT)}: {mark}"
        for file in modules("appliance", "tui")
        for mark in marks
        if mark in file.read_text()
    ]
    assert found == []
