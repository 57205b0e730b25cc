// Mastra with its OpenTelemetry exporter.
import { createOpenAI } from "@ai-sdk/openai";
import { Agent } from "@mastra/core/agent";
import { Mastra } from "@mastra/core";
import { createTool } from "@mastra/core/tools";
import { Observability } from "@mastra/observability";
import { OtelExporter } from "@mastra/otel-exporter";
import { z } from "zod";
import { QUESTION } from "./_setup.mjs";

const openai = createOpenAI({ baseURL: process.env.OPENAI_BASE_URL, apiKey: "sk-fake" });
const tool = createTool({
  id: "get_population",
  description: "Number of inhabitants of a city.",
  inputSchema: z.object({ city: z.string() }),
  execute: async () => ({ population: 2102650 }),
});
const agent = new Agent({ id: "geographer", name: "geographer", instructions: "Be brief.", model: openai.chat("gpt-4o-mini"), tools: { get_population: tool } });
const endpoint = process.env.SINK_TRACES_URL;
const headers = { Authorization: process.env.SINK_AUTHORIZATION };
const exporter = new OtelExporter({ provider: { custom: { endpoint, headers, protocol: "http/protobuf" } } });
const observability = new Observability({ configs: { otel: { serviceName: "mastra", exporters: [exporter] } } });
const mastra = new Mastra({ agents: { geographer: agent }, observability });
await mastra.getAgent("geographer").generate(QUESTION, {
  tracingOptions: { metadata: { sessionId: "chat-1", userId: "user-ada" }, tags: ["corpus"] },
});
await mastra.shutdown();
process.exit(0);
