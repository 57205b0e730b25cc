"""The appliance itself: its services, its queue and disk, and their logs."""

from __future__ import annotations

import asyncio
import re
from collections import deque
from collections.abc import Iterable, Sequence
from functools import partial
from typing import Final

from rich.text import Text
from textual import getters, on
from textual.app import ComposeResult
from textual.containers import Vertical
from textual.widgets import Static

from appliance.api_types.jobs import ApiJob
from appliance.errors import ApplianceError
from appliance.model import format
from appliance.model.services import ApplianceStatus, ServiceStatus
from tui import background
from tui.content.documents import Line
from tui.screens.base import AppScreen
from tui.text.cells import Column
from tui.text.palette import Palette
from tui.widgets.document import Document
from tui.widgets.line_scroll import LineScroll
from tui.widgets.virtual_table import RowCells, VirtualTable

LOG_LINES: Final = 500
"""Lines of a log that are fetched first; later ones are added up to `MOST_LOG_LINES`."""
MOST_LOG_LINES: Final = 5000
MOST_JOBS: Final = 4
DRAW_S: Final = 0.2
"""Seconds between drawings of the log: a service may write thousands of lines a second."""

LEVEL: Final = re.compile(
    r"(?<![\w.])(trace|debug|info|information|notice|log|warn|warning|error|fatal|critical|panic|traceback)(?![\w.])",
    re.IGNORECASE,
)
"""The first level that a log line names decides its colour; a logger's own name (uvicorn.error) does not."""

COLUMNS: Final = (
    Column("name", "Service", 12),
    Column("state", "State", 12),
    Column("pid", "Pid", 8, "right", rank=3),
    Column("uptime", "Up", 7, "right", rank=2),
    Column("cpu", "CPU", 7, "right"),
    Column("memory", "Memory", 8, "right"),
    Column("address", "Address", 22, flex=1, rank=4),
    Column("reason", "Health", 16, flex=2, rank=1),
)


class ServicesScreen(AppScreen):
    """Table above, log below."""

    SCOPE = "services"
    CSS_PATH = "services.tcss"

    table = getters.query_one(VirtualTable)
    log_pane = getters.query_one(Document)
    facts = getters.query_one("#facts", Static)
    jobs_line = getters.query_one("#jobs", Static)
    log_title = getters.query_one("#log-title", Static)

    def __init__(self) -> None:
        super().__init__()
        self.status: ApplianceStatus | None = None
        self._log_lines: deque[str] = deque(maxlen=MOST_LOG_LINES)
        self._log_of = ""
        self._is_dirty = False

    def compose_body(self) -> ComposeResult:
        yield VirtualTable(COLUMNS)
        yield Static(id="facts")
        yield Static(id="jobs")
        with Vertical(id="log-pane"):
            yield Static(id="log-title")
            yield Document()

    def on_mount(self) -> None:
        self.crumb = "Services"
        super().on_mount()
        self.log_pane.follows = True
        self.table.set_source(self._cells)
        self.table.focus()
        if self.gateway.services_every_s:
            self.set_interval(self.gateway.services_every_s, self._poll)
        self.set_interval(DRAW_S, self._draw_log)

    def _poll(self) -> None:
        if self.is_current and self.host.is_ready:
            self.load()

    def load(self) -> None:
        if not self.gateway.services_every_s:
            self._show_remote()
            return
        self.fetch(self._fetch_status, self._show)

    async def _fetch_status(self) -> tuple[ApplianceStatus, list[ApiJob]]:
        status, jobs = await asyncio.gather(self.gateway.status(), self.gateway.jobs(), return_exceptions=True)
        if isinstance(status, BaseException):
            raise status
        # Jobs come from web, which may be down; the table shows that, and must not fail with it.
        return status, [] if isinstance(jobs, BaseException) else jobs

    def _show_remote(self) -> None:
        self.is_loaded = True
        self.table.set_empty_text("This server was attached by its address.")
        self.facts.update(
            Text(
                "  Its services, queue, disk and logs can only be seen where it runs:\n"
                "  open langfuse-local on that machine (for instance over SSH).",
                style=self.palette.muted,
            )
        )

    def _show(self, answers: tuple[ApplianceStatus, list[ApiJob]]) -> None:
        status, jobs = answers
        self.status = status
        self.jobs_line.display = bool(jobs)
        self.jobs_line.update(jobs_text(jobs, self.palette))
        self.table.set_count(len(status.services))
        self.facts.update(facts_text(status, self.palette, self.size.width - 2))
        self.set_status(f"{status.runtime} · {status.data_dir}")
        if not self._log_of:
            self._follow_current()

    def _cells(self, index: int, palette: Palette) -> RowCells | None:
        if self.status is None or index >= len(self.status.services):
            return None
        return service_cells(self.status.services[index], palette)

    @property
    def current(self) -> ServiceStatus | None:
        """The service at the cursor."""
        services = self.status.services if self.status else []
        return services[self.table.cursor] if self.table.cursor < len(services) else None

    # Logs

    @on(LineScroll.Highlighted)
    def _highlighted(self, event: LineScroll.Highlighted) -> None:
        if event.sender is self.table:
            self._follow_current()

    def _follow_current(self) -> None:
        service = self.current
        if service is None or service.name == self._log_of:
            return
        self._log_of = service.name
        self._log_lines.clear()
        self._is_dirty = True
        background.run(self, partial(self._read_log, service.name), "log")

    async def _read_log(self, service: str) -> None:
        try:
            async for line in self.gateway.logs(service, LOG_LINES):
                self._log_lines.append(line)
                self._is_dirty = True
        except ApplianceError as error:
            self._log_lines.append(str(error))
            self._is_dirty = True

    def _draw_log(self) -> None:
        if not self._is_dirty:
            return
        self._is_dirty = False
        palette = self.palette
        state = "following" if self.log_pane.follows else "held"
        self.log_title.update(
            Text.assemble((f" LOG {self._log_of}", f"bold {palette.muted}"), (f"  {state}", palette.faint))
        )
        if self.log_pane.follows:
            self.log_pane.show(log_lines(self._log_lines, palette), keep_place=True)

    # Keys

    def action_next_pane(self) -> None:
        (self.table if self.log_pane.has_focus else self.log_pane).focus()

    def action_follow(self) -> None:
        self.log_pane.follows = not self.log_pane.follows
        self._is_dirty = True

    def _control(self, verb: str) -> None:
        service = self.current
        if service is None:
            return
        self.notify(f"{verb} {service.name} …", timeout=2)
        self.fetch(lambda: self.gateway.control(service.name, verb), lambda _: self.load(), group="control")

    def action_restart(self) -> None:
        self._control("restart")

    def action_start(self) -> None:
        self._control("start")

    def action_stop(self) -> None:
        from tui.modals.choice import ChoiceModal

        if service := self.current:
            rows = [("no", "n", "no, keep it running"), ("yes", "y", f"yes, stop {service.name}")]
            self.app.push_screen(
                ChoiceModal(f"Stop {service.name}?", rows),
                lambda choice: self._control("stop") if choice == "yes" else None,
            )

    def action_copy(self) -> None:
        self.host.copy("\n".join(self._log_lines), f"the log of {self._log_of}")

    def refresh_styles(self) -> None:
        self._is_dirty = True


def service_cells(service: ServiceStatus, palette: Palette) -> RowCells:
    """The cells of one service."""
    color = palette.state(service.state, service.healthy)
    cpu = "" if service.cpu_percent is None else f"{service.cpu_percent:.1f} %"
    return {
        "name": [(service.name, f"bold {palette.text}")],
        "state": [("● ", color), (service.state, palette.text)],
        "pid": [(str(service.pid or ("docker" if service.container else "")), palette.muted)],
        "uptime": [(format.ago(service.uptime_s) if service.uptime_s is not None else "", palette.muted)],
        "cpu": [(cpu, palette.text)],
        "memory": [(format.size(service.rss_bytes) if service.rss_bytes else "", palette.text)],
        "address": [((service.address or ""), palette.muted)],
        "reason": [
            ("ok" if service.healthy else service.reason or "", palette.faint if service.healthy else palette.warn)
        ],
    }


def facts_text(status: ApplianceStatus, palette: Palette, width: int) -> Text:
    """Queue, disk and sums, on as few lines of `width` cells as they need."""
    queue, disk = status.queue, status.disk
    memory = sum(service.rss_bytes or 0 for service in status.services)
    cpu = sum(service.cpu_percent or 0 for service in status.services)
    parts: list[tuple[str, str, str]] = [
        ("backlog", format.count(queue.backlog), palette.text if queue.backlog < 1000 else palette.warn),
        ("oldest", format.ago(queue.oldest_s), palette.text if queue.oldest_s < 30 else palette.warn),
        ("dead letters", format.count(queue.dead_letters), palette.text if not queue.dead_letters else palette.bad),
        ("data", format.size(disk.used_bytes), palette.text),
        ("disk free", format.size(disk.free_bytes), palette.text),
    ]
    if memory:  # unknown for services that run elsewhere
        parts += [("memory", format.size(memory), palette.text), ("cpu", f"{cpu:.1f} %", palette.text)]
    lines = [Text()]
    for name, value, color in parts:
        part = Text.assemble((f"{name} ", palette.faint), (value, color))
        gap = 4 if lines[-1] else 0
        if lines[-1].cell_len + gap + part.cell_len > width:
            lines.append(part)
        else:
            lines[-1].append(" " * gap).append_text(part)
    return Text("\n").join(lines)


def jobs_text(jobs: Sequence[ApiJob], palette: Palette) -> Text:
    """The background jobs, a line each; of many, the newest."""
    lines = []
    for job in jobs[:MOST_JOBS]:
        color = {"failed": palette.bad, "running": palette.good}.get(job.state, palette.muted)
        share = f"  {job.progress / job.total:.0%}" if job.total and job.state == "running" else ""
        lines.append(
            Text.assemble(
                ("● ", color),
                (f"{job.kind.replace('_', ' ')} ", palette.text),
                (f"{job.state}{share}  ", palette.muted),
                (job.error if job.error and job.state == "failed" else job.message, palette.faint),
                no_wrap=True,
                overflow="ellipsis",
            )
        )
    if len(jobs) > MOST_JOBS:
        lines.append(Text(f"  and {len(jobs) - MOST_JOBS:,} more: langfuse-local jobs list", style=palette.faint))
    return Text("\n", no_wrap=True, overflow="ellipsis").join(lines)


def log_lines(log: Iterable[str], palette: Palette) -> list[Line]:
    """Log lines, errors and warnings coloured."""
    return [Line(Text(line, style=_log_color(line, palette)), 2) for line in log]


def _log_color(line: str, palette: Palette) -> str:
    match = LEVEL.search(line[:160])
    word = match.group(1).lower() if match else ""
    if word in ("error", "fatal", "critical", "panic", "traceback"):
        return palette.bad
    return palette.warn if word.startswith("warn") else palette.muted
