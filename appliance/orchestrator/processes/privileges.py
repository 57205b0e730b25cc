"""Running a child as another user, where needed with one capability that lets it pass closed directories (Linux)."""

from __future__ import annotations

import ctypes
import os
import signal
import struct
import sys
from collections.abc import Callable
from dataclasses import dataclass

CAP_DAC_OVERRIDE = 1
CAP_DAC_READ_SEARCH = 2
_CAPABILITY_VERSION_3 = 0x20080522
_PR_SET_PDEATHSIG = 1
_PR_SET_KEEPCAPS = 8
_PR_CAP_AMBIENT = 47
_PR_CAP_AMBIENT_RAISE = 2

# Loaded before any fork: the child of a fork must not search libraries.
_LIBC = ctypes.CDLL(None, use_errno=True)


@dataclass(frozen=True, slots=True)
class Identity:
    """The user that a child runs as; `capability` is kept over the change of user (None for none)."""

    name: str
    uid: int
    gid: int
    groups: tuple[int, ...]
    capability: int | None = None


def child_setup(identity: Identity | None, parent_death: signal.Signals) -> Callable[[], None]:
    """A function for the child between fork and exec: changes the user, and asks for a signal when the parent dies.

    The parent's death is only signalled on Linux; elsewhere the next `up` or `down` ends what was left.
    """
    parent = os.getpid()

    def setup() -> None:
        if identity is not None:
            _become(identity)
        if sys.platform == "linux":
            _prctl(_PR_SET_PDEATHSIG, int(parent_death))
            if os.getppid() != parent:  # the parent died before it could be watched
                os._exit(1)

    return setup


def _become(identity: Identity) -> None:
    if identity.capability is not None:
        _prctl(_PR_SET_KEEPCAPS, 1)
    os.setgroups(identity.groups)
    os.setgid(identity.gid)
    os.setuid(identity.uid)
    if identity.capability is not None:
        _keep_only(identity.capability)


def _keep_only(capability: int) -> None:
    mask = 1 << capability
    header = struct.pack("Ii", _CAPABILITY_VERSION_3, 0)
    data = struct.pack("IIIIII", mask, mask, mask, 0, 0, 0)
    if _LIBC.capset(header, data) != 0:
        raise OSError(ctypes.get_errno(), "capset")
    _prctl(_PR_CAP_AMBIENT, _PR_CAP_AMBIENT_RAISE, capability)


def _prctl(option: int, *arguments: int) -> None:
    padded = [ctypes.c_ulong(value) for value in (*arguments, 0, 0, 0, 0)[:4]]
    if _LIBC.prctl(option, *padded) != 0:
        raise OSError(ctypes.get_errno(), "prctl")
