"""The compose files agree with the catalog that the docker runtime uses, and with what is checked in."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from appliance.config import environment_names
from appliance.data_dir.secrets import generate_secrets
from appliance.orchestrator.host.memory import MIB
from appliance.orchestrator.runtimes.docker.compose_env import PLACEHOLDER, env_text, secret_texts
from appliance.orchestrator.runtimes.docker.images import StoreImage, paced, store_images
from appliance.orchestrator.runtimes.docker.plans import Ownership, plan_container
from tests.architecture.compose_files import (
    COMPOSE_MEMORY,
    compose_external,
    compose_with_stores,
    write_files,
)

COMPOSE = Path(__file__).parents[2] / "compose"


def services(text: str) -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load(text)["services"]
    return found


@pytest.mark.parametrize("store", store_images(COMPOSE_MEMORY, 0), ids=lambda store: store.name)
def test_stores_are_those_of_the_docker_runtime(store: StoreImage) -> None:
    plan = plan_container(store, Ownership("x"), "secret", 1)
    described = services(compose_with_stores())[store.name]
    assert described["environment"] == plan.environ
    assert described["secrets"] == [{"source": f"{store.name}_password", "target": plan.files[0].path}]
    assert plan.files[0].content.strip() == "secret"
    assert described["image"] == f"${{LANGFUSE_LOCAL_DOCKER_{store.name.upper()}_IMAGE:-{plan.image}}}"
    assert described["user"] == plan.user
    assert [word.replace("$$", "$") for word in described.get("command", [])] == list(plan.command)
    assert described["healthcheck"]["test"][1].replace("$$", "$") == paced(plan.health)
    assert described["volumes"][0] == f"{store.name}:{plan.volume_path}"
    assert described["tmpfs"] == list(plan.writable)
    assert described["mem_limit"].replace("}", "").endswith(f"{plan.memory_bytes // MIB}m")
    assert described["stop_signal"] == plan.stop_signal
    assert described["stop_grace_period"] == f"{plan.grace_s}s"
    assert [mount.split(":")[1] for mount in described["volumes"][1:]] == list(store.files)


@pytest.mark.parametrize("text", [compose_with_stores(), compose_external()], ids=["stores", "external"])
def test_every_container_is_confined(text: str) -> None:
    for name, service in services(text).items():
        assert service["read_only"] is True, name
        assert service["cap_drop"] == ["ALL"], name
        assert service["security_opt"] == ["no-new-privileges:true"], name
        assert name == "migrate" or "mem_limit" in service, name
        assert name == "migrate" or "healthcheck" in service, name


def test_only_nginx_is_published() -> None:
    for text in (compose_with_stores(), compose_external()):
        published = {name: service["ports"] for name, service in services(text).items() if "ports" in service}
        assert list(published) == ["nginx"]
        assert published["nginx"][0].startswith("${BIND_ADDRESS:-127.0.0.1}:")


@pytest.mark.parametrize("is_external", [False, True], ids=["stores", "external"])
def test_secrets_are_files_that_init_writes(is_external: bool) -> None:
    document = yaml.safe_load(compose_external() if is_external else compose_with_stores())
    texts = secret_texts(PLACEHOLDER, is_external=is_external)
    assert {name: secret["file"] for name, secret in document["secrets"].items()} == {
        name: f"./secrets/{name}" for name in texts
    }
    for name in ("migrate", "web", "worker"):
        service = document["services"][name]
        files = {path for key, path in service["environment"].items() if key.endswith("_FILE")}
        assert files == {f"/run/secrets/{secret}" for secret in service["secrets"]}
    assert not any(text in env_text(generate_secrets()) for text in texts.values())


def test_every_file_is_for_a_setting_that_exists() -> None:
    settings = yaml.safe_load(compose_with_stores())["x-settings"]
    assert {name.removesuffix("_FILE") for name in settings} <= set(environment_names())


def test_the_external_file_has_no_stores() -> None:
    assert list(services(compose_external())) == ["migrate", "web", "worker", "nginx"]


def test_generated_files_are_current(tmp_path: Path) -> None:
    write_files(tmp_path)
    for fresh in [path for path in tmp_path.rglob("*") if path.is_file()]:
        name = fresh.relative_to(tmp_path)
        assert (COMPOSE / name).read_text() == fresh.read_text(), f"{name} is older than the catalog"


@pytest.mark.parametrize("text", [compose_with_stores(), compose_external()], ids=["stores", "external"])
def test_env_has_every_required_variable(text: str) -> None:
    required = set(re.findall(r"\$\{(\w+):\?", text))
    given = set(re.findall(r"^(\w+)=", env_text(PLACEHOLDER, is_external="postgres:" not in text), re.MULTILINE))
    assert required <= given


def test_nginx_takes_bodies_as_large_as_web_does() -> None:
    from appliance.config import IngestionSettings

    megabytes = IngestionSettings().max_body_bytes // MIB
    assert f"client_max_body_size {megabytes}m;" in (COMPOSE / "nginx" / "nginx.conf").read_text()
