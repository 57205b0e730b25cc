"""The services screen shows the background jobs that need attention."""

from __future__ import annotations

from appliance.api_types.jobs import ApiJob
from appliance.errors import RemoteError
from tests.tui.conftest import NOW, MakeApp, Until
from tui.api.sample import SampleGateway
from tui.screens.services import MOST_JOBS, ServicesScreen, jobs_text
from tui.text.palette import palette_of

PALETTE = palette_of({})


def test_a_job_is_a_line_and_many_are_counted() -> None:
    jobs = [ApiJob(id=str(number), kind="purge_deleted", state="waiting") for number in range(MOST_JOBS + 3)]
    *lines, last = jobs_text(jobs, PALETTE).plain.splitlines()
    assert lines == ["● purge deleted waiting  "] * MOST_JOBS
    assert last == "  and 3 more: langfuse-local jobs list"


def test_a_running_job_shows_its_share_and_a_failed_one_its_error() -> None:
    running = ApiJob(id="1", kind="reclaim_disk", state="running", progress=1, total=4, message="scores: 2 parts left")
    failed = ApiJob(id="2", kind="reclaim_disk", state="failed", message="scores", error="No disk.")
    assert jobs_text([running, failed], PALETTE).plain.splitlines() == [
        "● reclaim disk running  25%  scores: 2 parts left",
        "● reclaim disk failed  No disk.",
    ]


async def test_the_screen_shows_them_until_web_is_down(make_app: MakeApp, until: Until) -> None:
    gateway = SampleGateway(now=NOW)
    app = make_app(gateway)
    async with app.run_test(size=(100, 30)) as pilot:
        await until(lambda: app.is_ready)
        await pilot.press("5")
        await until(lambda: isinstance(app.screen, ServicesScreen) and app.screen.jobs_line.display)

        async def away() -> list[ApiJob]:
            raise RemoteError("Web is down.")

        gateway.jobs = away  # type: ignore[method-assign]
        screen = app.screen
        assert isinstance(screen, ServicesScreen)
        screen.load()
        await until(lambda: not screen.jobs_line.display)
        assert screen.status is not None
