// Langfuse's JavaScript SDK 5 with its openai wrapper.
import { LangfuseSpanProcessor } from "@langfuse/otel";
import { observeOpenAI } from "@langfuse/openai";
import { propagateAttributes, startActiveObservation } from "@langfuse/tracing";
import { NodeTracerProvider } from "@opentelemetry/sdk-trace-node";
import OpenAI from "openai";
import { askWithTool, QUESTION, streamJoke } from "./_setup.mjs";

const provider = new NodeTracerProvider({ spanProcessors: [new LangfuseSpanProcessor()] });
provider.register();
await propagateAttributes({ userId: "user-ada", sessionId: "chat-1", tags: ["corpus"] }, () =>
  startActiveObservation("rag-question", async (root) => {
    root.update({ input: QUESTION });
    const client = observeOpenAI(new OpenAI());
    root.update({ output: await askWithTool(client) });
    await streamJoke(client);
  }),
);
await provider.forceFlush();
process.exit(0);
