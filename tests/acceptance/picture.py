"""Draws docs/tui.svg: made-up traces in a real appliance, as the UI shows them (python -m tests.acceptance.picture)."""

from __future__ import annotations

import asyncio
import json
import random
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tests.acceptance.appliance_process import Appliance, eventually, new_appliance

if TYPE_CHECKING:
    from textual.pilot import Pilot

    from tui.app import LangfuseApp

SIZE = (150, 27)
TRACES = 40
PATIENCE_S = 20.0
QUESTIONS = {
    "support-chat": "My invoice of March shows the old address. How do I change it?",
    "rag-answer": "What does the refund policy say about opened boxes?",
    "sql-agent": "Which five customers grew most last quarter?",
    "summarise-ticket": "Summarise ticket 4711 for the hand-over.",
}
REPLY = (
    "**Done.** Here is what I found:\n\n- the address is under *Account, Billing*\n- new invoices will show it\n\n"
    "Shall I send the one of March again?"
)
MODELS = ("gpt-4o", "gpt-4o-mini", "claude-3-5-sonnet-20241022")


def main() -> None:
    target = Path(sys.argv[1] if len(sys.argv) > 1 else "docs/tui.svg")
    with new_appliance() as appliance:
        appliance.up()
        _send(appliance)
        target.write_text(asyncio.run(_draw(appliance)))
    print(f"{target} is drawn.")


def _send(appliance: Appliance) -> None:
    dice = random.Random(7)
    now = time.time_ns()
    spans = [span for number in range(TRACES) for span in _trace(dice, number, now - number * 97 * 10**9)]
    body = {"resourceSpans": [{"scopeSpans": [{"scope": {"name": "langfuse-sdk"}, "spans": spans}]}]}
    with appliance.http() as http:
        http.post("/api/public/otel/v1/traces", json=body).raise_for_status()
        for span in spans[:: len(spans) // TRACES]:
            score = {"traceId": span["traceId"], "name": "quality", "value": round(dice.uniform(0.4, 1), 2)}
            http.post("/api/public/scores", json=score).raise_for_status()
        eventually(
            lambda: http.get("/api/public/traces", params={"limit": 1}).json()["meta"]["totalItems"],
            until=lambda total: total == TRACES,
        )


def _trace(dice: random.Random, number: int, start: int) -> Iterator[dict[str, Any]]:
    name = dice.choice(list(QUESTIONS))
    trace = f"{dice.getrandbits(128):032x}"
    model = dice.choice(MODELS)
    fails = number % 9 == 4
    root, plan, answer = (f"{dice.getrandbits(64):016x}" for _ in range(3))
    messages = [{"role": "system", "content": "You help customers."}, {"role": "user", "content": QUESTIONS[name]}]
    reply = {
        "role": "assistant",
        "content": REPLY,
    }
    ms = 10**6
    facts = {"user.id": f"user-{dice.randrange(40)}", "session.id": f"chat-{number // 3}"}
    shared = facts | {"langfuse.trace.name": name, "langfuse.trace.tags": ["prod", dice.choice(["eu", "us"])]}

    def span(identity: str, parent: str, title: str, begin: int, end: int, kind: str, **more: Any) -> dict[str, Any]:
        attributes = (
            shared | {"langfuse.observation.type": kind} | {f"langfuse.observation.{k}": v for k, v in more.items()}
        )
        return {
            "traceId": trace,
            "spanId": identity,
            "parentSpanId": parent,
            "name": title,
            "startTimeUnixNano": str(start + begin * ms),
            "endTimeUnixNano": str(start + end * ms),
            "attributes": [{"key": key, "value": _value(value)} for key, value in attributes.items()],
        }

    def call(identity: str, parent: str, title: str, begin: int, end: int, tokens: int) -> dict[str, Any]:
        usage = json.dumps({"input": tokens, "output": tokens // 3})
        first = json.dumps(time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime((start + begin * ms) // 10**9 + 1)))
        texts = {"input": json.dumps(messages), "output": json.dumps(reply), "completion_start_time": first}
        return span(
            identity, parent, title, begin, end, "generation", **{"model.name": model, "usage_details": usage}, **texts
        )

    length = dice.randrange(1800, 5200)
    yield span(root, "", name, 0, length, "agent", input=QUESTIONS[name], output=reply["content"])
    yield call(plan, root, "plan", 40, length // 4, dice.randrange(300, 900))
    yield span(f"{dice.getrandbits(64):016x}", root, "search-documents", length // 4, length // 3, "retriever")
    tool = {"level": "ERROR", "status_message": "upstream timed out"} if fails else {}
    yield span(f"{dice.getrandbits(64):016x}", root, "lookup-customer", length // 3, length // 2, "tool", **tool)
    yield call(answer, root, "answer", length // 2, length - 60, dice.randrange(1200, 4000))
    yield span(f"{dice.getrandbits(64):016x}", answer, "check-tone", length - 400, length - 80, "evaluator")


def _value(value: Any) -> dict[str, Any]:
    if isinstance(value, list):
        return {"arrayValue": {"values": [{"stringValue": entry} for entry in value]}}
    return {"stringValue": value}


async def _draw(appliance: Appliance) -> str:
    from tui.app import LangfuseApp
    from tui.gateway import LocalGateway
    from tui.state import StateFile

    app = LangfuseApp(LocalGateway(appliance.data_dir, may_start=False), StateFile(str(appliance.data_dir)))
    async with app.run_test(size=SIZE) as pilot:
        await pilot.press("2")
        await _see(app, pilot, "support-chat")
        await pilot.press("enter")
        await _see(app, pilot, "search-documents")
        await pilot.press(*["down"] * 5)
        await _see(app, pilot, "You help customers")
        return app.export_screenshot(title="langfuse-local")


async def _see(app: LangfuseApp, pilot: Pilot[None], text: str) -> None:
    """Waits until the screen shows the text; raises TimeoutError."""
    async with asyncio.timeout(PATIENCE_S):
        while text not in app.export_screenshot().replace("&#160;", " "):
            await pilot.pause(0.1)


if __name__ == "__main__":
    main()
