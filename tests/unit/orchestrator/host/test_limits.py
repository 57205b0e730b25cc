"""Limits of the shell: raised where they may be, and refused in one sentence."""

from __future__ import annotations

import subprocess
import sys

import pytest

PROGRAM = """\
import resource, sys
from appliance.errors import ConfigError
from appliance.orchestrator.host import limits
kind, soft, hard, function = getattr(resource, sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]), sys.argv[4]
resource.setrlimit(kind, (soft, hard))
try:
    getattr(limits, function)()
    print(resource.getrlimit(kind)[0])
except ConfigError as error:
    print(error)
"""
GB = 1024**3


@pytest.mark.skipif(sys.platform != "linux", reason="the bounds of limits are another system's")
@pytest.mark.parametrize(
    ("kind", "soft", "hard", "function", "expected"),
    [
        ("RLIMIT_NOFILE", 128, 1000, "raise_file_limit", "1000"),
        ("RLIMIT_NOFILE", 128, 128, "raise_file_limit", "allows a process 128 open files, and 256 are needed"),
        ("RLIMIT_NOFILE", 300, 300, "raise_file_limit", "300"),
        ("RLIMIT_AS", 2 * GB, -1, "require_address_space", str(4 * GB)),
        ("RLIMIT_AS", 2 * GB, 2 * GB, "require_address_space", "allows a process 2.1 GB of address space"),
        ("RLIMIT_AS", -1, -1, "require_address_space", "-1"),
    ],
)
def test_a_limit_is_raised_or_told(kind: str, soft: int, hard: int, function: str, expected: str) -> None:
    command = [sys.executable, "-c", PROGRAM, kind, str(soft), str(hard), function]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True)
    assert expected in done.stdout
