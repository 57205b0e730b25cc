// OpenInference's JavaScript instrumentation of openai.
import { OpenAIInstrumentation } from "@arizeai/openinference-instrumentation-openai";
import { setSession, setUser } from "@arizeai/openinference-core";
import { context } from "@opentelemetry/api";
import OpenAI from "openai";
import { askWithTool, otlp, streamJoke, trace } from "./_setup.mjs";

const provider = otlp();
const instrumentation = new OpenAIInstrumentation({ tracerProvider: provider });
instrumentation.manuallyInstrument(OpenAI);
const said = setUser(setSession(context.active(), { sessionId: "chat-1" }), { userId: "user-ada" });
await context.with(said, () =>
  trace.getTracer("app").startActiveSpan("rag-question", async (span) => {
    const client = new OpenAI();
    await askWithTool(client);
    await streamJoke(client);
    span.end();
  }),
);
await provider.forceFlush();
process.exit(0);
