"""GET /sessions and /sessions/{id}."""

from __future__ import annotations

from tests.integration.read.conftest import NOW, SECOND, Project


async def test_sessions_come_youngest_first_and_page(project: Project) -> None:
    for number in range(3):
        await project.trace(f"t{number}", at=NOW + number * SECOND, session_id=f"s{number}")
    await project.trace("t0", part="again", at=NOW + 9 * SECOND, session_id="s0", environment="prod")
    page = await project.get("/sessions", limit=1, page=2)
    assert page["data"] == [
        {"id": "s1", "createdAt": "2025-11-23T10:50:01.000Z", "projectId": project.id, "environment": "default"}
    ]
    assert page["meta"] == {"page": 2, "limit": 1, "totalItems": 3, "totalPages": 3}
    assert await project.ids("/sessions", fromTimestamp="2025-11-23T10:50:01Z") == ["s2", "s1"]
    assert await project.ids("/sessions", environment="prod") == []


async def test_a_session_holds_its_traces(project: Project) -> None:
    await project.trace("t2", at=NOW + SECOND, session_id="a/b", name="second", input='{"q": 1}')
    await project.trace("t1", session_id="a/b", name="first")
    await project.trace("t3", session_id="other")
    session = await project.get("/sessions/a%2Fb")
    assert [trace["id"] for trace in session["traces"]] == ["t1", "t2"]
    assert session["traces"][1]["input"] == {"q": 1} and session["traces"][0]["name"] == "first"
    assert await project.refused("/sessions/none") == (404, "Session not found within authorized project")
