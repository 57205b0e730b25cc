"""`python -m tests.fuzz [EXAMPLES] [NAME]`: every check, or those with NAME in their name, for long, at random."""

from __future__ import annotations

import sys
import time

from tests.fuzz.checks import CHECKS, run

examples = int(sys.argv[1]) if len(sys.argv) > 1 else 20_000
wanted = sys.argv[2] if len(sys.argv) > 2 else ""
for name in CHECKS:
    if wanted in name:
        began = time.monotonic()
        run(name, examples, derandomize=False)
        print(f"{name}: {examples} examples in {time.monotonic() - began:.0f} s", flush=True)
