"""The commands of the palette and of the jump line (`:`)."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from typing import Final

from textual.command import DiscoveryHit, Hit, Hits, Provider
from textual.content import Content
from textual.markup import escape

from appliance.model.printable import printable
from tui import keymap
from tui.host import Host, Jump, host_of
from tui.screens import registry
from tui.screens.base import AppScreen

JUMP_HINT: Final = " · ".join(
    [*(entry.name for entry in registry.TABS), "trace ID", "session ID", "theme NAME", "quit"]
)


def parse_jump(line: str) -> Jump | str:
    """A line such as `traces`, `trace ID` or `session ID`; a string says what is wrong with it."""
    verb, _, argument = line.strip().removeprefix(":").partition(" ")
    argument = argument.strip()
    if entry := registry.tab_of(verb):
        return Jump("show", entry.name)
    if verb in ("trace", "session", "theme"):
        return Jump(verb, argument) if argument else f":{verb} needs a name or an id."
    if verb in ("setup", "keys"):
        return Jump("first-run")
    if verb in ("q", "quit"):
        return Jump("quit")
    return f"There is no :{verb}; try one of: {JUMP_HINT}" if verb else "Type where to go, such as :traces."


class AppCommands(Provider):
    """The palette: places, themes, and the actions of the present screen."""

    async def discover(self) -> Hits:
        for title, help_text, command in self._commands():
            yield DiscoveryHit(Content(title), command, text=title, help=escape(help_text))

    async def search(self, query: str) -> Hits:
        matcher = self.matcher(query)
        for title, help_text, command in self._commands():
            if (score := matcher.match(title)) > 0:
                yield Hit(score, matcher.highlight(title), command, help=escape(help_text))
        if len(query) >= 8 and " " not in query:
            title = printable(f"Open trace {query}")
            yield Hit(0.1, Content(title), partial(self._host.go, Jump("trace", query)), text=title, help="by its id")

    @property
    def _host(self) -> Host:
        return host_of(self.app)

    def _commands(self) -> Iterator[tuple[str, str, Callable[[], object]]]:
        screen = self.screen
        if isinstance(screen, AppScreen):
            for action in registry.BY_NAME[screen.SCOPE].actions:
                title = action.help.partition(":")[0].capitalize()
                yield (
                    title,
                    f"key {keymap.key_name(action.keys.split(',')[0])}",
                    partial(screen.run_action, action.name),
                )
        for entry in registry.TABS:
            yield f"Go to {entry.title.lower()}", f":{entry.name}", partial(self._host.go, Jump("show", entry.name))
        yield "Keys and snippets", "send a first trace", partial(self._host.go, Jump("first-run"))
        for name in sorted(self._host.available_themes):
            yield f"Theme: {name}", "change the colours", partial(self._host.set_theme, name)
        yield "Quit", "leave; the appliance goes on", partial(self._host.go, Jump("quit"))
