// Official JavaScript SDK 3 (ingestion events): one trace as a user's program writes it; prints the ids as JSON.
import { Langfuse } from "langfuse";

const session = process.argv[2];
const langfuse = new Langfuse();

const trace = langfuse.trace({
  name: "rag-answer",
  userId: "user-acceptance",
  sessionId: session,
  tags: ["sdk", "acceptance"],
  metadata: { tenant: "t1" },
  version: "7",
  input: { question: "What is a span?" },
});
const root = trace.span({
  name: "answer-question", input: { question: "What is a span?" }, metadata: { step: 1 }, version: "7",
});
const step = root.span({ name: "retrieve", input: "What is a span?" });
const generation = step.generation({
  name: "call-model",
  model: "gpt-4o-mini",
  modelParameters: { temperature: 0.2, max_tokens: 256 },
  input: [{ role: "user", content: "What is a span?" }],
  metadata: { attempt: 2, nested: { a: [1, 2] } },
});
generation.update({ completionStartTime: new Date() });
generation.end({
  output: { role: "assistant", content: "A unit of work." },
  usageDetails: { input: 1000, output: 500 },
});
generation.score({ name: "verdict", value: "good", dataType: "CATEGORICAL" });
step.end({ output: ["A unit of work."] });
const failure = root.event({ name: "broken-tool", level: "ERROR", statusMessage: "upstream timed out" });
root.end({ output: { answer: "A unit of work." } });
trace.update({ output: { answer: "A unit of work." } });
trace.score({ name: "quality", value: 0.75, dataType: "NUMERIC", comment: "close" });
trace.score({ name: "helpful", value: 1, dataType: "BOOLEAN" });

await langfuse.shutdownAsync();
console.log(JSON.stringify({
  trace: trace.id, root: root.id, step: step.id, generation: generation.id, failure: failure.id,
}));
