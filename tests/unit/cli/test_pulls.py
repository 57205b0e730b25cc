"""How a pull is shown: a line per image in a log, bars on a terminal that leave nothing behind."""

from __future__ import annotations

import pytest

from appliance.cli.pulls import PullDisplay
from appliance.orchestrator.progress import PullProgress


def fetching(image: str, status: str, current: int = 0, total: int = 0) -> PullProgress:
    return PullProgress(
        image=image,
        layer="a1b2",
        status=status,
        layer_bytes=current,
        layer_total_bytes=total,
        layers_done=0,
        layers_total=1,
        current_bytes=current,
        total_bytes=total,
    )


def test_a_log_has_a_line_per_tenth_of_an_image(capsys: pytest.CaptureFixture[str]) -> None:
    display = PullDisplay()
    for image in ("redis:7", "postgres:17"):
        for megabytes in range(30):
            display.update(fetching(image, "Downloading", megabytes * 1_000_000, 29_000_000))
    display.close()
    lines = [line.strip() for line in capsys.readouterr().err.splitlines()]
    assert len(lines) == 22
    assert lines[:2] == ["fetching redis:7", "fetching redis:7: 10 % of 29 MB, 0 of 1 layers"]
    assert lines[-1] == "fetching postgres:17: 100 % of 29 MB, 0 of 1 layers"


def test_bars_end_with_the_pull(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stderr.isatty", lambda: True)
    display = PullDisplay()
    display.update(fetching("redis:7", "Downloading", 1, 2))
    display.update(fetching("redis:7", "Extracting", 1, 2))
    display.update(fetching("redis:7", "Pull complete"))
    assert display.is_drawing
    display.close()
    assert not display.is_drawing
