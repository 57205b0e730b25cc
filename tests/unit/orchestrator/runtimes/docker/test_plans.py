"""Containers as they are planned: bounded, and without a secret where it could be seen."""

from __future__ import annotations

import dataclasses
import re

import pytest

from appliance.config import DockerSettings
from appliance.orchestrator.host.memory import MIB
from appliance.orchestrator.runtimes.docker.containers import CONFIG_LABEL
from appliance.orchestrator.runtimes.docker.images import StoreImage, paced, store_images
from appliance.orchestrator.runtimes.docker.plans import Ownership, plan_container

STORES = store_images(DockerSettings(), 8 << 30)
OWNER = Ownership("0a1b2c3d")


@pytest.mark.parametrize("store", STORES, ids=lambda store: store.name)
def test_the_password_is_only_in_a_file(store: StoreImage) -> None:
    plan = plan_container(store, OWNER, "s3cret", 1)
    without_files = dataclasses.replace(plan, files=())
    assert "s3cret" not in repr(without_files) and "s3cret" not in repr(plan)
    secret = [file for file in plan.files if "s3cret" in file.content]
    assert [file.mode for file in secret] == [0o400]
    assert f"{secret[0].uid}:" in plan.user
    assert secret[0].path in [*plan.environ.values(), *re.findall(r"\$\(cat (\S+)\)", " ".join(plan.command))]


def test_any_change_is_seen_in_the_label() -> None:
    plan = plan_container(STORES[0], OWNER, "one", 1)
    others = [
        plan_container(STORES[0], OWNER, "two", 1),
        plan_container(STORES[0], OWNER, "one", 2),
        plan_container(dataclasses.replace(STORES[0], memory_bytes=1), OWNER, "one", 1),
    ]
    labels = {each.labels[CONFIG_LABEL] for each in [plan, *others]}
    assert len(labels) == 4
    assert plan_container(STORES[0], OWNER, "one", 1).labels == plan.labels


@pytest.mark.parametrize(("host_gib", "expected_mib"), [(2, 768), (8, 2048), (256, 8192)])
def test_limits_fit_the_host(host_gib: int, expected_mib: int) -> None:
    clickhouse = store_images(DockerSettings(), host_gib << 30)[2]
    assert clickhouse.memory_bytes == expected_mib * MIB


def test_a_chosen_limit_wins() -> None:
    chosen = DockerSettings(redis_memory_mib=300)
    redis = store_images(chosen, 8 << 30)[1]
    assert redis.memory_bytes == 300 * MIB
    data = re.search(r"--maxmemory (\d+)mb", redis.command[2])
    assert data and int(data[1]) == 180, "the rest is for the rewrite of the append-only file"


def test_redis_keeps_what_it_has_accepted() -> None:
    command = STORES[1].command[2]
    for words in ("--appendonly yes", "--appendfsync always", "--maxmemory-policy noeviction"):
        assert words in command


def test_a_check_is_quick_at_first_and_seldom_later() -> None:
    assert paced("true") == (
        "if [ -e /tmp/healthy ]; then sleep 25; fi; "
        "if true; then touch /tmp/healthy; else rm -f /tmp/healthy; exit 1; fi"
    )
