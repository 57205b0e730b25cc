"""Runs a child as another user, on Linux with one capability to enter closed directories where needed."""

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

# Loaded before any fork: a forked child must not load libraries.
_LIBC = ctypes.CDLL(None, use_errno=True)


@dataclass(frozen=True, slots=True)
class Identity:
    """The user that a child runs as, and the `capability` that it keeps (None for none)."""

    name: str
    uid: int
    gid: int
    groups: tuple[int, ...]
    capability: int | None = None


def child_setup(identity: Identity | None, parent_death: signal.Signals) -> Callable[[], None]:
    """The function to run in the child between fork and exec: changes the user, requests a signal when the parent dies.

    Only Linux signals the parent's death; elsewhere the next `up` or `down` stops stale processes.
    """
    parent = os.getpid()

    def setup() -> None:
        if identity is not None:
            _become(identity)
        if sys.platform == "linux":
            _prctl(_PR_SET_PDEATHSIG, int(parent_death))
            if os.getppid() != parent:  # the parent died before the request
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
