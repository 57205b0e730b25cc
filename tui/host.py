"""What screens and commands use of the application, which they do not import."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Protocol, cast

import msgspec
from textual.app import App

from appliance.errors import ApplianceError
from tui.api.gateway import Gateway
from tui.state import Remembered


class Jump(msgspec.Struct, frozen=True):
    """A line of the jump prompt or an entry of the palette."""

    verb: str
    """show, trace, session, theme, first-run or quit."""
    argument: str = ""


class Host(Protocol):
    """The application as its screens see it, besides what every Textual application has."""

    gateway: Gateway
    state: Remembered
    """What is remembered between runs; `remember` saves it."""
    is_ready: bool
    """Whether the server has answered once."""

    @property
    def connection(self) -> str:
        """connecting, refused, silent, ok, bad or lost."""
        ...

    @property
    def server_label(self) -> str:
        """The project and the address of the server."""
        ...

    @property
    def available_themes(self) -> Mapping[str, object]: ...

    def now(self) -> datetime:
        """The moment that ages in lists are counted from."""
        ...

    def report(self, error: ApplianceError | None) -> None:
        """Shows an error in the banner, or clears it when None."""
        ...

    def remember(self) -> None: ...
    def copy(self, text: str, what: str) -> None: ...
    def connect(self) -> None: ...
    def show_tab(self, name: str) -> None: ...
    def show_tab_root(self, name: str) -> None: ...
    def open_trace(self, trace_id: str, observation_id: str = "") -> None: ...
    def open_session(self, session_id: str) -> None: ...
    def go(self, jump: Jump | str) -> None: ...
    def set_theme(self, name: str) -> None: ...
    def offer_first_run_unless(self, has_traces: bool) -> None: ...


def host_of(app: App[Any]) -> Host:
    """The application, by what our screens may use of it."""
    return cast("Host", app)
