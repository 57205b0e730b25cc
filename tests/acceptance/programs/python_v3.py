"""Official Python SDK 3: one trace as a user's program writes it; prints the ids as JSON."""

import datetime
import json
import sys

from langfuse import get_client

session = sys.argv[1]
langfuse = get_client()
assert langfuse.auth_check()

with langfuse.start_as_current_span(
    name="answer-question", input={"question": "What is a span?"}, metadata={"step": 1}, version="7"
) as root:
    with langfuse.start_as_current_observation(name="retrieve", as_type="retriever", input="What is a span?") as step:
        with langfuse.start_as_current_generation(
            name="call-model",
            model="gpt-4o-mini",
            model_parameters={"temperature": 0.2, "max_tokens": 256},
            input=[{"role": "user", "content": "What is a span?"}],
            completion_start_time=datetime.datetime.now(datetime.UTC),
            metadata={"attempt": 2, "nested": {"a": [1, 2]}},
        ) as generation:
            generation.update(
                output={"role": "assistant", "content": "A unit of work."},
                usage_details={"input": 1000, "output": 500},
            )
            generation.score(name="verdict", value="good", data_type="CATEGORICAL")
        step.update(output=["A unit of work."])
    with langfuse.start_as_current_observation(name="broken-tool", as_type="tool") as failure:
        failure.update(level="ERROR", status_message="upstream timed out")
    root.update_trace(
        name="rag-answer",
        user_id="user-acceptance",
        session_id=session,
        tags=["sdk", "acceptance"],
        metadata={"tenant": "t1"},
        version="7",
    )
    root.score_trace(name="quality", value=0.75, data_type="NUMERIC", comment="close")
    root.score_trace(name="helpful", value=1, data_type="BOOLEAN")
    root.update(output={"answer": "A unit of work."})

langfuse.flush()
print(
    json.dumps(
        {
            "trace": root.trace_id,
            "root": root.id,
            "step": step.id,
            "generation": generation.id,
            "failure": failure.id,
        }
    )
)
langfuse.shutdown()
