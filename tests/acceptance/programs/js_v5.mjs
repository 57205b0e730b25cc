// Official JavaScript SDK 5 (OpenTelemetry): one trace as a user's program writes it; prints the ids as JSON.
import { LangfuseClient } from "@langfuse/client";
import { LangfuseSpanProcessor } from "@langfuse/otel";
import { propagateAttributes, startActiveObservation, startObservation } from "@langfuse/tracing";
import { NodeSDK } from "@opentelemetry/sdk-node";

const session = process.argv[2];
const processor = new LangfuseSpanProcessor();
const sdk = new NodeSDK({ spanProcessors: [processor] });
sdk.start();
const langfuse = new LangfuseClient();

const ids = await startActiveObservation("answer-question", async (root) =>
  propagateAttributes(
    {
      traceName: "rag-answer",
      userId: "user-acceptance",
      sessionId: session,
      tags: ["sdk", "acceptance"],
      metadata: { tenant: "t1" },
      version: "7",
    },
    async () => {
      root.update({ input: { question: "What is a span?" }, metadata: { step: 1 } });
      const step = startObservation("retrieve", { input: "What is a span?" }, { asType: "retriever" });
      const generation = step.startObservation(
        "call-model",
        {
          model: "gpt-4o-mini",
          modelParameters: { temperature: 0.2, max_tokens: 256 },
          input: [{ role: "user", content: "What is a span?" }],
          completionStartTime: new Date(),
          metadata: { attempt: 2, nested: { a: [1, 2] } },
        },
        { asType: "generation" },
      );
      generation.update({
        output: { role: "assistant", content: "A unit of work." },
        usageDetails: { input: 1000, output: 500 },
      });
      generation.end();
      step.update({ output: ["A unit of work."] }).end();
      const failure = startObservation("broken-tool", {}, { asType: "tool" });
      failure.update({ level: "ERROR", statusMessage: "upstream timed out" }).end();
      root.update({ output: { answer: "A unit of work." } });

      const trace = root.traceId;
      langfuse.score.create({
        traceId: trace, observationId: generation.id, name: "verdict", value: "good", dataType: "CATEGORICAL",
      });
      langfuse.score.create({ traceId: trace, name: "quality", value: 0.75, dataType: "NUMERIC", comment: "close" });
      langfuse.score.create({ traceId: trace, name: "helpful", value: 1, dataType: "BOOLEAN" });
      return { trace, root: root.id, step: step.id, generation: generation.id, failure: failure.id };
    },
  ),
);

await processor.forceFlush();
await langfuse.flush();
await sdk.shutdown();
console.log(JSON.stringify(ids));
