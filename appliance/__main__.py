"""`python -m appliance`, and the console script `langfuse-local`."""

from __future__ import annotations

import sys


def main() -> None:
    """Runs the command line and exits with its code."""
    from appliance.cli.main import run

    sys.exit(run())


if __name__ == "__main__":
    main()
