"""Official Python SDK 2 (ingestion events): one trace as a user's program writes it; prints the ids as JSON."""

import datetime
import json
import sys

from langfuse import Langfuse


def now():
    return datetime.datetime.now(datetime.UTC)


session = sys.argv[1]
langfuse = Langfuse()
assert langfuse.auth_check()

trace = langfuse.trace(
    name="rag-answer",
    user_id="user-acceptance",
    session_id=session,
    tags=["sdk", "acceptance"],
    metadata={"tenant": "t1"},
    version="7",
    input={"question": "What is a span?"},
)
root = trace.span(name="answer-question", input={"question": "What is a span?"}, metadata={"step": 1}, version="7")
step = root.span(name="retrieve", input="What is a span?")
generation = step.generation(
    name="call-model",
    model="gpt-4o-mini",
    model_parameters={"temperature": 0.2, "max_tokens": 256},
    input=[{"role": "user", "content": "What is a span?"}],
    metadata={"attempt": 2, "nested": {"a": [1, 2]}},
)
generation.update(completion_start_time=now())
generation.end(
    output={"role": "assistant", "content": "A unit of work."},
    usage_details={"input": 1000, "output": 500},
)
generation.score(name="verdict", value="good", data_type="CATEGORICAL")
step.end(output=["A unit of work."])
failure = root.event(name="broken-tool", level="ERROR", status_message="upstream timed out")
root.end(output={"answer": "A unit of work."})
trace.update(output={"answer": "A unit of work."})
trace.score(name="quality", value=0.75, data_type="NUMERIC", comment="close")
trace.score(name="helpful", value=1, data_type="BOOLEAN")

langfuse.flush()
print(
    json.dumps(
        {
            "trace": trace.id,
            "root": root.id,
            "step": step.id,
            "generation": generation.id,
            "failure": failure.id,
        }
    )
)
langfuse.shutdown()
