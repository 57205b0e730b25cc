"""The console script: its name is unlike any that a user's project has, so that it is found before PYTHONPATH is read.

What PYTHONPATH names comes before the standard library and before us, so with it the command begins again without.
"""

from __future__ import annotations

import _signal  # built in: a file signal.py of the user's cannot come before it
import os
import sys


def main() -> None:
    """Runs the command line and exits with its code."""
    if _signal.getsignal(_signal.SIGINT) is _signal.default_int_handler:
        _signal.signal(_signal.SIGINT, _signal.SIG_DFL)  # until it is obeyed, it ends us without a traceback
    places = os.environ.get("PYTHONPATH", "")
    is_needed = __file__.rpartition(os.sep)[0] in places.split(os.pathsep)  # installed there (pip install --target)
    if places and not is_needed:
        # As `become` does, which cannot be imported yet.
        _signal.pthread_sigmask(_signal.SIG_BLOCK, {_signal.SIGINT})
        os.execv(sys.executable, [sys.executable, "-E", "-P", "-m", "appliance", *sys.argv[1:]])
    from appliance.__main__ import main as run

    run()
