"""One trace: its tree with the waterfall, and the input, output and figures of the step at the cursor."""

from __future__ import annotations

import json
from typing import Any, Final

import msgspec
from rich.text import Text
from textual import getters, on
from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical
from textual.reactive import reactive
from textual.timer import Timer
from textual.widgets import Input, Tab, Tabs

from appliance.api_types.observations import ApiObservation
from appliance.api_types.scores import ApiScore
from appliance.api_types.traces import ApiTraceDetail
from appliance.errors import ApplianceError
from appliance.model import format
from appliance.model.observations import LEVELS
from tui import background
from tui.content.documents import Line, foldable_keys, json_lines
from tui.modals.prompt import PromptModal
from tui.model.records import Observation, time_of
from tui.model.spantree import Node, SpanTree
from tui.outside import edit_text
from tui.screens.base import AppScreen
from tui.screens.trace_actions import as_text, copy_trace, offer_copy, open_link
from tui.screens.trace_details import metadata_lines, preview_lines, score_tab_lines
from tui.widgets.document import Document
from tui.widgets.line_scroll import LineScroll
from tui.widgets.span_tree_view import SpanTreeView

TEXTS_DELAY_S: Final = 0.08
"""Seconds that the cursor rests on a row before its texts are fetched: a held arrow key passes many rows."""
KEPT_TEXTS: Final = 200
"""Observations whose texts are cached."""
TABS: Final = (
    ("preview", "Preview"),
    ("input", "Input"),
    ("output", "Output"),
    ("metadata", "Metadata"),
    ("scores", "Scores"),
)
TREE_SHARES: Final = (30, 40, 50, 60, 70)


class TraceScreen(AppScreen):
    """Tree left or above, details right or below."""

    SCOPE = "trace"
    CSS_PATH = "trace.tcss"

    span_view = getters.query_one("#tree", SpanTreeView)
    details = getters.query_one("#details", Document)
    tabs = getters.query_one(Tabs)

    tab: reactive[str] = reactive("preview")
    share: reactive[int] = reactive(2)

    def __init__(self, trace_id: str, observation_id: str = "") -> None:
        super().__init__()
        self.trace_id = trace_id
        self.subject = f"trace {trace_id}"
        self._observation_to_select = observation_id
        self.trace_detail: ApiTraceDetail | None = None
        self._observations: dict[str, Observation] = {}
        self._texts: dict[str, ApiObservation] = {}
        self._scores: dict[str, list[ApiScore]] = {}
        self._folded: set[str] = set()
        self._search = ""
        self._timer: Timer | None = None

    def compose_body(self) -> ComposeResult:
        with Horizontal(id="panes"):
            yield SpanTreeView(id="tree")
            with Vertical(id="details-pane"):
                yield Tabs(*(Tab(title, id=key) for key, title in TABS))
                yield Document(id="details")

    def on_mount(self) -> None:
        self.crumb = f"Trace {format.short_id(self.trace_id)}"
        super().on_mount()
        self.tabs.can_focus = False
        self.span_view.focus()

    # Loading

    def load(self) -> None:
        self._texts.clear()
        self.fetch(lambda: self.gateway.trace(self.trace_id), self._show_trace, group="trace")
        background.run(self, self._load_observations, "observations")

    async def _load_observations(self) -> None:
        """Draws the tree when the first batch is here, and again whenever it has doubled."""
        observations: dict[str, Observation] = {}
        drawn = 0
        try:
            async for batch in self.gateway.trace_observations(self.trace_id):
                observations.update((one.id, one) for one in batch)
                # Each drawing builds the whole tree: drawn at every batch, a long trace would take quadratic time.
                if len(observations) >= 2 * drawn:
                    drawn = len(observations)
                    self._show_observations(observations, is_whole=False)
        except ApplianceError as error:
            self.host.report(error)
            return
        self._show_observations(observations, is_whole=True)

    def _show_trace(self, trace: ApiTraceDetail) -> None:
        self.trace_detail = trace
        self.crumb = trace.name or f"Trace {format.short_id(trace.id)}"
        self._scores = {}
        for score in trace.scores:
            self._scores.setdefault(score.observation_id or trace.id, []).append(score)
        self._rebuild()

    def _show_observations(self, observations: dict[str, Observation], *, is_whole: bool) -> None:
        if not self.is_attached:
            return
        self._observations = observations
        self._rebuild()
        self._show_status(is_whole)
        if self._observation_to_select and (node := self.span_view.spans.nodes.get(self._observation_to_select)):
            self._observation_to_select = ""
            self.span_view.go_to(node)

    def _rebuild(self) -> None:
        """The trace itself stands as the first row, with all observations without a parent below it."""
        observations = list(self._observations.values())
        if trace := self.trace_detail:
            observations = [trace_as_root(trace, observations), *under_root(trace.id, observations)]
        self.span_view.show(SpanTree(observations), self._scores)
        self._details_soon()

    def _show_status(self, is_whole: bool) -> None:
        tree = self.span_view.spans
        palette = self.palette
        if not tree.order:
            self.set_status("no observations")
            return
        root = tree.order[0]
        errors = sum(node.errors for node in tree.roots)
        seconds = (tree.end - tree.start).total_seconds()
        text = Text("" if is_whole else "loading  ", style=palette.warn)
        parts = [format.counted(len(self._observations), "observation"), format.duration(seconds)]
        parts += [f"{format.count(root.tokens)} tok"] if root.tokens else []
        parts += [format.cost(root.cost)] if root.cost else []
        text.append(" · ".join(parts), style=palette.muted)
        if errors:
            text.append(f" · {errors} ✗", style=palette.bad)
        self.set_status(text)

    # Details

    @on(LineScroll.Highlighted, "#tree")
    def _details_soon(self) -> None:
        if self._timer is not None:
            self._timer.stop()
        self._timer = self.set_timer(TEXTS_DELAY_S, self._load_texts)

    def _load_texts(self) -> None:
        node = self.span_view.current
        if node is None or self.is_trace(node) or node.id in self._texts:
            self._show_details()
        else:
            self.fetch(lambda: self.gateway.observation(node.id), self._keep_texts, group="texts")

    def _keep_texts(self, texts: ApiObservation) -> None:
        if len(self._texts) >= KEPT_TEXTS:
            self._texts.pop(next(iter(self._texts)))
        self._texts[texts.id] = texts
        self._show_details()

    def is_trace(self, node: Node) -> bool:
        """Whether the row stands for the trace itself."""
        return node.id == self.trace_id

    def _values(self) -> tuple[Any, Any, Any]:
        """Input, output and metadata of the row at the cursor."""
        node = self.span_view.current
        if node is None or self.is_trace(node):
            trace = self.trace_detail
            return (trace.input, trace.output, trace.metadata) if trace else (None, None, None)
        texts = self._texts.get(node.id)
        return (texts.input, texts.output, texts.metadata) if texts else (None, None, None)

    def _show_details(self, *, keep_place: bool = False) -> None:
        self.details.show(self._detail_lines(), keep_place=keep_place)

    def _detail_lines(self) -> list[Line]:
        node, trace, palette = self.span_view.current, self.trace_detail, self.palette
        if node is None:
            return []
        input_value, output_value, metadata = self._values()
        if self.tab in ("input", "output"):
            return json_lines(input_value if self.tab == "input" else output_value, palette, self._folded)
        if self.tab == "metadata":
            facts = trace if self.is_trace(node) else self._texts.get(node.id)
            return metadata_lines(node.observation, metadata, facts, self._folded, palette)
        if self.tab == "scores":
            return score_tab_lines(self._scores, node, self.trace_id, palette)
        return preview_lines(node, input_value, output_value, is_trace=self.is_trace(node), palette=palette)

    @on(Tabs.TabActivated)
    def _tab_clicked(self, event: Tabs.TabActivated) -> None:
        if event.tab.id:
            self.tab = event.tab.id

    def watch_tab(self) -> None:
        self._folded.clear()
        if self.is_mounted and self.span_view.rows:
            self.tabs.active = self.tab
            self._fold_big_values()
            self._show_details()

    def _fold_big_values(self) -> None:
        """Big values open with only their first levels."""
        input_value, output_value, metadata = self._values()
        value = {"input": input_value, "output": output_value, "metadata": metadata}.get(self.tab)
        keys = list(foldable_keys(value))
        if len(keys) > 60:
            self._folded = {key for key in keys if key.count(".") >= 2}

    @on(Document.FoldToggled)
    def _toggle_fold(self, event: Document.FoldToggled) -> None:
        self._folded ^= {event.key}
        self._show_details(keep_place=True)

    # Keys

    def action_next_pane(self) -> None:
        (self.span_view if self.details.has_focus else self.details).focus()

    def _step_tab(self, by: int) -> None:
        keys = [key for key, _ in TABS]
        self.tab = keys[(keys.index(self.tab) + by) % len(keys)]

    def action_next_tab(self) -> None:
        self._step_tab(1)

    def action_previous_tab(self) -> None:
        self._step_tab(-1)

    def _go(self, node: Node | None, nothing: str) -> None:
        if node is None:
            self.notify(nothing, timeout=2)
        else:
            self.span_view.go_to(node)

    def _here(self) -> str | None:
        return self.span_view.current.id if self.span_view.current else None

    def action_next_error(self) -> None:
        self._go(self.span_view.spans.next_error(self._here()), "No error in this trace.")

    def action_slowest(self) -> None:
        self._go(self.span_view.spans.slowest(), "Nothing here has a duration.")

    def action_most_expensive(self) -> None:
        self._go(self.span_view.spans.most_expensive(), "Nothing here has a cost.")

    def action_filter(self) -> None:
        modal = PromptModal(
            "/", "name, type, model, status or id; / and Enter again goes to the next match", self._search
        )
        self.app.push_screen(modal, self._find)

    def _find(self, text: str | None) -> None:
        if text:
            self._search = text
            self._go(self.span_view.spans.find(text, self._here()), f"Nothing here matches {text!r}.")

    def action_collapse_all(self) -> None:
        self.span_view.toggle_all()

    def action_level(self) -> None:
        level = LEVELS[(LEVELS.index(self.span_view.minimum_level) + 1) % len(LEVELS)]
        self.span_view.set_minimum_level(level)
        self.notify("All levels" if level == "DEBUG" else f"{level.capitalize()} and above", timeout=1.5)

    def action_wider(self) -> None:
        self.share = min(self.share + 1, len(TREE_SHARES) - 1)

    def action_narrower(self) -> None:
        self.share = max(self.share - 1, 0)

    def watch_share(self) -> None:
        for index in range(len(TREE_SHARES)):
            self.set_class(index == self.share, f"-share{index}")

    def action_copy(self) -> None:
        node = self.span_view.current
        if node is None or self.is_trace(node):
            if self.trace_detail:
                copy_trace(self, self.trace_detail)
            return
        input_value, output_value, metadata = self._values()
        whole = json.loads(msgspec.json.encode(node.observation))
        whole |= {"input": input_value, "output": output_value, "metadata": metadata}
        offer_copy(self, "observation", node.id, input_value, output_value, whole)

    def action_edit(self) -> None:
        input_value, output_value, _ = self._values()
        if self.tab in ("input", "output"):
            edit_text(self.app, as_text(input_value if self.tab == "input" else output_value), ".json")
        else:
            edit_text(self.app, f"{as_text(input_value)}\n\n{'-' * 40}\n\n{as_text(output_value)}\n")

    def action_link(self) -> None:
        open_link(self, self.trace_id)

    def action_open_session(self) -> None:
        if self.trace_detail and self.trace_detail.session_id:
            self.host.open_session(self.trace_detail.session_id)
        else:
            self.notify("This trace belongs to no session.", timeout=2)

    def on_input_submitted(self, event: Input.Submitted) -> None:
        event.stop()

    def refresh_styles(self) -> None:
        self._show_details(keep_place=True)


def trace_as_root(trace: ApiTraceDetail, observations: list[Observation]) -> Observation:
    """The trace as if it were the observation above all others."""
    start = min((one.start_time for one in observations), default=time_of(trace.timestamp))
    end = max((one.end_time or one.start_time for one in observations), default=None)
    return Observation(id=trace.id, type="TRACE", name=trace.name or "unnamed", start_time=start, end_time=end)


def under_root(root: str, observations: list[Observation]) -> list[Observation]:
    """The same observations, those without a known parent below the root."""
    ids = {one.id for one in observations}
    return [
        one if one.parent_observation_id in ids else msgspec.structs.replace(one, parent_observation_id=root)
        for one in observations
    ]
