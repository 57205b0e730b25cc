"""Names of keys and channels: all begin with one hash tag, so that a cluster keeps them in one slot, on one server.

Therefore any of them may stand together in a transaction, a script or a pipeline.
"""

from __future__ import annotations

from typing import Final

TAG: Final = "{langfuse}"


def key(*words: str) -> str:
    """The name of a key or channel, such as `{langfuse}:worker:worker-1`."""
    return ":".join((TAG, *words))
