"""The trace list: filtered, ordered, and live."""

from __future__ import annotations

from contextlib import suppress
from datetime import datetime
from functools import partial
from time import monotonic

from msgspec.structs import replace
from rich.text import Text
from textual import getters, on
from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical
from textual.timer import Timer

from appliance.api_types.traces import ApiTraceDetail
from appliance.errors import ApplianceError, InvalidRequest, RemoteError
from appliance.model import format
from appliance.model.query_bar import parse_query_bar
from tui import background
from tui.api.gateway import PAGE_ROWS, TraceQuery
from tui.content.documents import Line, blank, heading, pair_lines, value_lines
from tui.lists.live import ListUpdate, View, count_waiting, fetch_update
from tui.lists.trace_table import COLUMNS, ORDERS, trace_cells
from tui.modals.choice import ChoiceModal
from tui.model.records import Slice, TraceExtras, TraceRow, score_text, time_of
from tui.model.timerange import BY_KEY, RANGES
from tui.outside import edit_text
from tui.screens.list_screen import ListScreen, PageSource
from tui.screens.trace_actions import copy_trace, open_link
from tui.state import Remembered
from tui.text.palette import Palette
from tui.widgets.document import Document
from tui.widgets.line_scroll import LineScroll
from tui.widgets.query_bar import QueryBar
from tui.widgets.virtual_table import RowCells, VirtualTable

POLL_S = 2.0
PREVIEW_DELAY_S = 0.15
LIVE_DELAY_S = 0.25
"""Seconds between a message of the live stream and the check: traces that arrive together share one check."""
NEWEST_FIRST = "timestamp.desc"


def list_query(state: Remembered, now: datetime) -> TraceQuery:
    """The query of the trace list; raises InvalidRequest when its filter cannot be read."""
    conditions = tuple(condition.as_json() for condition in parse_query_bar(state.query, now))
    chosen = BY_KEY.get(state.trace_range)
    return TraceQuery(conditions, state.order, now - chosen.span if chosen else None)


class TracesScreen(ListScreen[TraceRow]):
    """The table, and beside or below it a preview of the trace at the cursor."""

    SCOPE = "traces"
    CSS_PATH = "traces.tcss"

    preview = getters.query_one("#preview", Document)
    query_bar = getters.query_one(QueryBar)

    def __init__(self) -> None:
        super().__init__()
        self.is_paused = False
        self._is_listening = False
        self._is_caught_up = False
        """Whether the list held all traces of the server at the last check."""
        self._is_checking = False
        self._check_again = False
        """Whether a trace may have arrived during the present check."""
        self._live_delay = LIVE_DELAY_S
        self._query = TraceQuery()
        self._waiting = 0
        self._preview_timer: Timer | None = None
        self._previewed = ""
        self._live_timer: Timer | None = None

    def compose_body(self) -> ComposeResult:
        yield QueryBar(self.host.state.query, self.host.state.history)
        with Horizontal(id="panes"):
            yield VirtualTable(COLUMNS, id="traces")
            with Vertical(id="preview-pane"):
                yield Document(id="preview")

    def on_mount(self) -> None:
        self.crumb = "Traces"
        super().on_mount()
        self.set_class(self.host.state.preview, "-preview")
        self.watch(self.app, "connection", self.show_status, init=False)

    # The list

    def row_cells(self, row: TraceRow, palette: Palette) -> RowCells:
        return trace_cells(row, self.host.now(), palette)

    def page_source(self) -> PageSource[TraceRow] | None:
        """The pages of a query whose time range ends now."""
        if (query := self._read_query()) is None:
            return None
        self._query = query
        return partial(self.gateway.trace_page, query)

    def resume(self) -> None:
        super().resume()
        if not self._is_listening:
            self._is_listening = True
            background.run(self, self._listen, "live")
        self._check_soon()

    def _read_query(self) -> TraceQuery | None:
        try:
            query = list_query(self.host.state, self.host.now())
        except InvalidRequest as error:
            self.query_bar.show_error(str(error))
            return None
        self.query_bar.show_error("")
        return query

    @property
    def lists_all_traces(self) -> bool:
        return not self.host.state.query and not self.host.state.trace_range

    def show_first_page(self, page: Slice[TraceRow]) -> None:
        self._waiting = 0
        self._is_caught_up = True
        column, _, direction = self._query.order.partition(".")
        self.table.sorted_by, self.table.is_descending = column, direction == "desc"
        super().show_first_page(page)
        self._preview_soon()
        self._fetch_extras(page.rows)
        if self.lists_all_traces:
            self.host.offer_first_run_unless(bool(page.rows))

    def empty_text(self) -> str:
        if self.host.state.query or self.host.state.trace_range:
            return "No trace matches. Esc clears the filter, t widens the time range."
        return "No traces yet. Press 0 for the keys and a snippet to send the first one."

    def show_page(self, number: int, page: Slice[TraceRow]) -> None:
        if page.total not in (None, len(self.rows)):
            self._check_soon()
        super().show_page(number, page)
        self._fetch_extras(page.rows)

    def _fetch_extras(self, rows: list[TraceRow]) -> None:
        if rows:
            group = f"extras-{rows[0].id}"
            background.run(self, partial(self._extras, rows), group)

    async def _extras(self, rows: list[TraceRow]) -> None:
        try:
            extras = await self.gateway.trace_extras(rows)
        except ApplianceError as error:
            # Other servers may lack the endpoint or its fields; their lists stay without these columns.
            if not isinstance(error, RemoteError) or error.status not in (400, 404):
                self.host.report(error)
            return
        self._show_extras(extras)

    def _show_extras(self, extras: dict[str, TraceExtras]) -> None:
        for trace_id, of_trace in extras.items():
            if row := self.rows.find(trace_id):
                self.rows.replace(replace(row, extras=of_trace))
        self.table.refresh()

    # Live

    async def _listen(self) -> None:
        """Checks for new traces when the live stream names some, or every two seconds where there is no stream."""
        from asyncio import sleep

        while True:
            self._check_soon()
            is_streaming = False
            with suppress(ApplianceError):
                async for ids in self.gateway.live():
                    if ids or not is_streaming:  # the stream does not name traces written before it began
                        self._check_soon()
                    is_streaming = True
            self._check_soon()
            await sleep(POLL_S)

    def _check_soon(self) -> None:
        """Checks for new traces soon; pauses three times as long as the last check took, to spare the server."""
        if self._is_checking:
            self._check_again = True
        elif self._live_timer is None and self.is_loaded:
            self._live_timer = self.set_timer(self._live_delay, self._start_check)

    def _start_check(self) -> None:
        self._live_timer = None
        if self.is_current and not self._is_checking:
            self._is_checking = True
            background.run(self, self._check_for_updates, "newest")

    async def _check_for_updates(self) -> None:
        query, rows, began = self._query, self.rows, monotonic()
        try:
            first = await self.gateway.trace_page(query, 1)
            if self.is_paused or query.order != NEWEST_FIRST:
                self._waiting = count_waiting(first, rows)
            else:
                update = await fetch_update(self.gateway.trace_page, query, rows, first, view := self._view())
                if query is self._query and not self.is_paused:
                    self._show_update(update, view)
            self._is_caught_up = True
        except ApplianceError as error:
            self._is_caught_up = False
            self.host.report(error)
        finally:
            self._is_checking = False
            self._live_delay = max(LIVE_DELAY_S, 3 * (monotonic() - began))
            if self._check_again:
                self._check_again = False
                self._check_soon()
        self.show_status()

    def _view(self) -> View | None:
        """The row that keeps its place; None while the cursor follows the top."""
        index, top = self.table.cursor, self.table.scroll_offset.y
        if (index == 0 and not self.preview.has_focus) or (row := self.current) is None:
            return None
        return View(row, index, index - top, self.table.page_rows)

    def _show_update(self, update: ListUpdate, view: View | None) -> None:
        old_rows = {row.id: self.rows.find(row.id) for page in update.pages.values() for row in page}
        pages = {
            number: [
                replace(row, extras=old.extras) if (old := old_rows[row.id]) and not row.extras else row for row in page
            ]
            for number, page in update.pages.items()
        }
        changed = [row for page in pages.values() for row in page if row != old_rows[row.id]]
        self._waiting = 0
        if not changed and not update.is_longer_or_moved:
            return
        if update.is_longer_or_moved:
            self.rows.restart(pages, update.total)
        for row in changed:
            self.rows.replace(row)
        # The cursor may have moved during the check; it stays on the row it moved to.
        moved = self.table.cursor - view.index if view else 0
        self.table.set_empty_text("" if len(self.rows) else self.empty_text())
        self.table.set_count(
            len(self.rows),
            cursor=update.index + moved if view else self.table.cursor,
            top=update.index - view.above if view and update.is_longer_or_moved else None,
        )
        if view is None:
            self._preview_soon()
        for start in range(0, len(changed), PAGE_ROWS):
            self._fetch_extras(changed[start : start + PAGE_ROWS])

    def show_status(self) -> None:
        palette = self.palette
        chosen = BY_KEY.get(self.host.state.trace_range)
        text = Text(
            f"{format.counted(len(self.rows), 'trace')} · {chosen.label if chosen else 'all time'}  ",
            style=palette.muted,
        )
        more = f", {self._waiting} new" if self._waiting else ""
        if self.host.connection not in ("ok", "connecting") or not self._is_caught_up:
            text.append("○ not live now", style=palette.warn)
        elif self._query.order != NEWEST_FIRST:
            text.append(f"○ not live in this order{more}", style=palette.faint)
        elif self.is_paused:
            text.append(f"‖ paused{more}", style=f"bold {palette.warn}")
        else:
            text.append("● live", style=palette.good)
        self.set_status(text)

    # Preview

    @on(LineScroll.Highlighted, "#traces")
    def _preview_soon(self) -> None:
        if self._preview_timer is not None:
            self._preview_timer.stop()
        if self.host.state.preview:
            self._preview_timer = self.set_timer(PREVIEW_DELAY_S, self._load_preview)

    def _load_preview(self) -> None:
        if row := self.current:
            self.fetch(lambda: self.gateway.trace(row.id), self._show_preview, group="preview")
        else:
            self.preview.show([])

    def _show_preview(self, trace: ApiTraceDetail) -> None:
        self.preview.show(preview_lines(trace, self.palette), keep_place=trace.id == self._previewed)
        self._previewed = trace.id

    # Keys

    def open_row(self, row: TraceRow) -> None:
        self.host.open_trace(row.id)

    def action_filter(self) -> None:
        self.query_bar.focus_input()

    @on(QueryBar.Submitted)
    def _filter_changed(self, event: QueryBar.Submitted) -> None:
        state = self.host.state
        state.query = event.query
        if event.query:
            state.history = [event.query, *(old for old in state.history if old != event.query)][:50]
        self.host.remember()
        self.table.focus()
        self.load()

    @on(QueryBar.Left)
    def _query_bar_left(self) -> None:
        self.table.focus()

    def action_back(self) -> None:
        if self.host.state.query:
            self.query_bar.set_query("")
            self.host.state.query = ""
            self.host.remember()
            self.load()

    def action_pause(self) -> None:
        self.is_paused = not self.is_paused
        self._waiting = 0
        self.show_status()
        self._check_soon()

    def action_sort(self) -> None:
        rows = [(value, str(number), label) for number, (value, label) in enumerate(ORDERS, 1)]
        self.app.push_screen(ChoiceModal("Order by", rows, self.host.state.order), self._sort)

    def _sort(self, order: str | None) -> None:
        if order:
            self.host.state.order = order
            self.host.remember()
            self.load()

    def action_range(self) -> None:
        rows = [("all", "0", "all time"), *((one.key, str(i), one.label) for i, one in enumerate(RANGES, 1))]
        self.app.push_screen(ChoiceModal("Time range", rows, self.host.state.trace_range or "all"), self._set_range)

    def _set_range(self, key: str | None) -> None:
        if key:
            self.host.state.trace_range = "" if key == "all" else key
            self.host.remember()
            self.load()

    def action_preview(self) -> None:
        self.host.state.preview = not self.host.state.preview
        self.set_class(self.host.state.preview, "-preview")
        self.host.remember()
        self._preview_soon()

    def action_copy(self) -> None:
        if row := self.current:
            self.fetch(lambda: self.gateway.trace(row.id), lambda trace: copy_trace(self, trace), group="copy")

    def action_link(self) -> None:
        if row := self.current:
            open_link(self, row.id)

    def action_edit(self) -> None:
        if self.current:
            edit_text(self.app, self.preview.text)

    def refresh_styles(self) -> None:
        self.show_status()
        self._preview_soon()


def preview_lines(trace: ApiTraceDetail, palette: Palette) -> list[Line]:
    """The preview pane: input, output, and the fields of the trace."""
    facts = {
        "time": format.absolute(time_of(trace.timestamp)),
        "user": trace.user_id,
        "session": trace.session_id,
        "tags": " ".join(trace.tags),
        "version": trace.version,
        "release": trace.release,
        "scores": "  ".join(f"{score.name} {score_text(score)}" for score in trace.scores),
        "id": trace.id,
    }
    lines = [Line(Text(trace.name or "unnamed", style=f"bold {palette.text}"))]
    lines += [blank(), heading("Input", palette), *value_lines(trace.input, palette)]
    lines += [blank(), heading("Output", palette), *value_lines(trace.output, palette)]
    return [*lines, blank(), heading("About", palette), *pair_lines(facts, palette)]
