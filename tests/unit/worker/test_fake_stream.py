"""The fake queue of entries does what the real one does."""

from __future__ import annotations

import pytest

from tests.fakes.stream import FakeStream, Letter
from tests.fakes.stream_contract import StreamContract
from tests.unit.worker.working import let_pass


class InMemory:
    def __init__(self) -> None:
        self.stream = FakeStream()

    async def pass_time(self, seconds: float) -> None:
        await let_pass(seconds)

    async def letters(self) -> list[Letter]:
        return self.stream.letters

    async def waiting(self) -> int:
        return len(self.stream.entries)

    async def written(self) -> tuple[int, int, int]:
        counts = self.stream.written.values()
        return len(counts), sum(written for written, _ in counts), sum(refused for _, refused in counts)


class TestFakeStream(StreamContract):
    @pytest.fixture
    async def queue(self) -> InMemory:
        return InMemory()
