"""What is deleted shows on no shard, and each shard deletes its own rows."""

from __future__ import annotations

import re
import time

from appliance.config import ClickHouseSettings
from appliance.storage.clickhouse import deletions
from appliance.storage.clickhouse.client import ClickHouse
from appliance.storage.clickhouse.deletions import TABLES
from tests.integration.cluster.conftest import NAME
from tests.integration.read.conftest import NOW, Project

TRACES = 8


async def always() -> bool:
    return True


async def test_deleted_traces_show_nowhere_and_their_rows_go(
    project: Project, shards: list[ClickHouseSettings]
) -> None:
    for number in range(TRACES):
        await project.trace(f"t{number}")
        await project.observation(f"t{number}", f"t{number}-0", at=NOW)
        await project.score(f"t{number}-score", value=1.0, trace_id=f"t{number}")
    moment = time.time_ns() // 1000
    gone = [f"t{number}" for number in range(TRACES // 2)]
    await deletions.hide(project.clickhouse, "trace", project.id, gone, moment)
    hiding = ClickHouse(shards[0], has_deletions=always)
    seen = project.through(hiding)
    assert set(await seen.ids("/traces")) == {f"t{number}" for number in range(TRACES // 2, TRACES)}
    assert len(await seen.ids("/observations")) == len(await seen.ids("/v2/scores")) == TRACES // 2
    assert (await seen.answer("/traces/t0")).status_code == 404
    assert (await seen.answer(f"/traces/t{TRACES - 1}")).status_code == 200
    await seen.close()
    await hiding.close()
    # There is no Keeper here that would have all servers run a statement.
    for settings in shards:
        here = OnThisServer(settings)
        await deletions.delete_rows(here, "trace", [moment], dict.fromkeys(TABLES, moment), _silent, _silent)
        await here.close()
    assert set(await project.ids("/traces")) == {f"t{number}" for number in range(TRACES // 2, TRACES)}
    assert len(await project.ids("/observations")) == TRACES // 2


class OnThisServer(ClickHouse):
    """Runs statements that are meant for all servers on one."""

    async def command(self, sql: str, *args: object, **kwargs: object) -> None:
        local = re.sub(r"^DELETE FROM (\w+)", r"DELETE FROM \1_local", sql)
        assert f"ON CLUSTER `{NAME}`" not in local
        await super().command(local, *args, **{**kwargs, "as_given": True})  # type: ignore[arg-type]


async def _silent(text: str) -> None:
    pass
