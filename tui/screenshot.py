"""`python -m tui.screenshot --out docs/tui.svg`: a picture of the terminal UI over sample data, for the README."""

from __future__ import annotations

import argparse
import asyncio
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from tui.api.sample import SampleGateway
from tui.app import LangfuseApp
from tui.screens import registry
from tui.state import StateFile
from tui.themes import DARK

VIEWS = {entry.name: [entry.key] for entry in registry.TABS} | {
    "trace": ["j", "enter", "c"],
    "session": [registry.BY_NAME["sessions"].key, "enter"],
    "first-run": ["0"],
}
"""The keys that lead to each view from the trace list."""


async def take(view: str, width: int, height: int) -> str:
    """The view as SVG text."""
    with tempfile.TemporaryDirectory() as folder:
        app = LangfuseApp(SampleGateway(), StateFile("screenshot", Path(folder)))
        app.state.theme = DARK.name
        async with app.run_test(size=(width, height)) as pilot:
            await pilot.pause(0.6)
            for key in VIEWS[view]:
                await pilot.press(key)
                await pilot.pause(0.5)
            await pilot.pause(0.3)
            return app.export_screenshot(title="langfuse-local")


def main(argv: Sequence[str] | None = None) -> int:
    """Writes the picture; returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m tui.screenshot", description="Writes an SVG of a screen.")
    parser.add_argument("--out", type=Path, default=Path("docs/tui.svg"))
    parser.add_argument("--view", choices=sorted(VIEWS), default="trace")
    parser.add_argument("--size", default="150x32", help="columns x rows")
    arguments = parser.parse_args(argv)
    width, _, height = arguments.size.partition("x")
    svg = asyncio.run(take(arguments.view, int(width), int(height)))
    arguments.out.parent.mkdir(parents=True, exist_ok=True)
    # Some viewers drop the spaces at a text's start otherwise.
    arguments.out.write_text(svg.replace("<text ", '<text xml:space="preserve" '), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
