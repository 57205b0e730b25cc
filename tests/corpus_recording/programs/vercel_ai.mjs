// Vercel AI SDK 4 to 6: a tool round, a streamed answer and an embedding, with its telemetry metadata.
import { createOpenAI } from "@ai-sdk/openai";
import * as ai from "ai";
import { z } from "zod";
import { otlp, MODEL, QUESTION } from "./_setup.mjs";

const provider = otlp();
const openai = createOpenAI({ baseURL: process.env.OPENAI_BASE_URL, apiKey: "sk-fake" });
const telemetry = (functionId) => ({
  isEnabled: true,
  functionId,
  metadata: { sessionId: "chat-1", userId: "user-ada", tags: ["corpus"], tenant: "t1" },
});
const schema = z.object({ city: z.string() });
const tool = ai.tool({
  description: "Number of inhabitants of a city.",
  parameters: schema,
  inputSchema: schema,
  execute: async () => 2102650,
});
const steps = ai.stepCountIs ? { stopWhen: ai.stepCountIs(3) } : { maxSteps: 3 };
await ai.generateText({
  model: openai.chat(MODEL),
  prompt: QUESTION,
  tools: { get_population: tool },
  ...steps,
  experimental_telemetry: telemetry("rag-question"),
});
const stream = ai.streamText({
  model: openai.chat(MODEL, { streamOptions: { includeUsage: true } }),
  prompt: "Tell me a joke",
  experimental_telemetry: telemetry("joke"),
});
for await (const _ of stream.textStream);
await ai.embed({
  model: openai.embedding("text-embedding-3-small"),
  value: QUESTION,
  experimental_telemetry: telemetry("embed"),
});
await provider.forceFlush();
process.exit(0);
