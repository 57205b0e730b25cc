"""The fake queue of jobs does what the real one does."""

from __future__ import annotations

import pytest

from tests.fakes.jobs import FakeJobs
from tests.fakes.jobs_contract import JobsContract


class InMemory:
    def __init__(self) -> None:
        self.jobs = FakeJobs()

    async def pass_time(self, seconds: float) -> None:
        self.jobs.pass_time(seconds)


class TestFakeJobs(JobsContract):
    @pytest.fixture
    def queue(self) -> InMemory:
        return InMemory()
