// Vercel AI SDK with Anthropic's provider: cached and cache-written tokens.
import { createAnthropic } from "@ai-sdk/anthropic";
import { generateText, stepCountIs, tool } from "ai";
import { z } from "zod";
import { otlp, QUESTION } from "./_setup.mjs";

const provider = otlp();
const anthropic = createAnthropic({ baseURL: `${process.env.PROVIDER_URL}/v1`, apiKey: "sk-fake" });
const description = "Number of inhabitants of a city.";
const inputSchema = z.object({ city: z.string() });
await generateText({
  model: anthropic("claude-sonnet-4-5"),
  prompt: QUESTION,
  tools: { get_population: tool({ description, inputSchema, execute: async () => 2102650 }) },
  stopWhen: stepCountIs(3),
  experimental_telemetry: { isEnabled: true, functionId: "rag-question", metadata: { sessionId: "chat-1", userId: "user-ada" } },
});
await provider.forceFlush();
process.exit(0);
