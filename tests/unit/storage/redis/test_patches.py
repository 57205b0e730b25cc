"""How long patches are kept."""

from __future__ import annotations

from appliance.storage.redis.patches import KEPT_FOR_S, SHORTEST_S, seconds_to_keep


def test_patches_are_kept_shorter_as_memory_gets_scarce() -> None:
    kept = [seconds_to_keep(share / 100) for share in range(0, 101)]
    assert kept == sorted(kept, reverse=True)
    assert (kept[0], kept[25], kept[60], kept[100]) == (KEPT_FOR_S, KEPT_FOR_S, SHORTEST_S, SHORTEST_S)
