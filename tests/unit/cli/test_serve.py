"""What the web process asks of the system."""

from __future__ import annotations

import subprocess
import sys

PROGRAM = """
import resource
from appliance.cli.serve import allow_many_connections
_, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
resource.setrlimit(resource.RLIMIT_NOFILE, (256, min(hard, 4096) if hard > 0 else 4096))
allow_many_connections()
print(resource.getrlimit(resource.RLIMIT_NOFILE)[0])
"""


def test_web_may_open_as_many_files_as_the_system_allows() -> None:
    found = subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, text=True, check=True)
    assert int(found.stdout) > 1024
