"""The dashboard: six figures and three charts over a time range."""

from __future__ import annotations

from textual import getters
from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical

from appliance.model import format
from tui.modals.choice import ChoiceModal
from tui.model.overview import Overview
from tui.model.timerange import BY_KEY, DEFAULT_RANGE, RANGES, TimeRange
from tui.screens.base import AppScreen
from tui.widgets.charts import ColumnChart, LatencyChart, LevelChart, TileView

REFRESH_S = 15.0


class HomeScreen(AppScreen):
    """Tiles above, charts below."""

    SCOPE = "home"
    CSS_PATH = "home.tcss"

    levels = getters.query_one("#levels", LevelChart)
    costs = getters.query_one("#costs", ColumnChart)
    latencies = getters.query_one(LatencyChart)

    def compose_body(self) -> ComposeResult:
        with Horizontal(id="tiles"):
            for _ in range(6):
                yield TileView()
        with Horizontal(id="charts"):
            yield LevelChart("Observations", format.count, id="levels")
            yield ColumnChart("Cost by model", format.cost, id="costs")
        with Vertical(id="latency-pane"):
            yield LatencyChart()

    def on_mount(self) -> None:
        self.crumb = "Home"
        super().on_mount()
        self.set_interval(REFRESH_S, self._refresh_when_seen)

    @property
    def span(self) -> TimeRange:
        """The chosen time range."""
        return BY_KEY.get(self.host.state.time_range, BY_KEY[DEFAULT_RANGE])

    def load(self) -> None:
        self.set_status(self.span.label)
        self.fetch(lambda: self.gateway.overview(self.span), self._show)

    def _refresh_when_seen(self) -> None:
        if self.is_current and self.host.is_ready and self.host.connection != "lost":
            self.load()

    def _show(self, overview: Overview) -> None:
        for view, tile in zip(self.query(TileView), overview.tiles, strict=True):
            view.tile = tile
        self.levels.show(overview.levels, overview.start, overview.end)
        self.costs.show(overview.costs, overview.start, overview.end)
        self.latencies.rows = overview.latencies

    def action_range(self) -> None:
        rows = [(one.key, str(i), one.label) for i, one in enumerate(RANGES, 1)]
        self.app.push_screen(ChoiceModal("Time range", rows, self.span.key), self._set_range)

    def _set_range(self, key: str | None) -> None:
        if key:
            self.host.state.time_range = key
            self.host.remember()
            self.load()

    def action_show_traces(self) -> None:
        self.host.show_tab("traces")
