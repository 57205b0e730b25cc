"""What stands in the logs."""

from __future__ import annotations

import logging
import sys

from appliance.logs_setup import WithoutValues

SECRET = "the payload of a user"


def _fail() -> None:
    try:
        raise KeyError(SECRET)
    except KeyError as error:
        raise RuntimeError(f"Cannot read {SECRET}") from error


def test_a_traceback_has_places_and_types_but_no_words() -> None:
    try:
        _fail()
    except RuntimeError:
        record = logging.LogRecord("uvicorn.error", logging.ERROR, "", 0, "Exception in ASGI", (), sys.exc_info())
    written = WithoutValues("%(message)s").format(record)
    assert SECRET not in written
    assert written.startswith("Exception in ASGI") and "in _fail" in written
    assert written.index("builtins.KeyError") < written.index("builtins.RuntimeError")
