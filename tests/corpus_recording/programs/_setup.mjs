// What the recorded JavaScript programs share: an OpenTelemetry pipeline to the sink, and the one tool.
import { trace } from "@opentelemetry/api";
import { OTLPTraceExporter } from "@opentelemetry/exporter-trace-otlp-proto";
import { BatchSpanProcessor } from "@opentelemetry/sdk-trace-base";
import { NodeTracerProvider } from "@opentelemetry/sdk-trace-node";

export const QUESTION = "What is the population of Paris?";
export const MODEL = "gpt-4o-mini";
const parameters = { type: "object", properties: { city: { type: "string" } }, required: ["city"] };
export const TOOL = {
  type: "function",
  function: { name: "get_population", description: "Number of inhabitants of a city.", parameters },
};

export function otlp() {
  const provider = new NodeTracerProvider({ spanProcessors: [new BatchSpanProcessor(new OTLPTraceExporter())] });
  provider.register();
  return provider;
}

export async function askWithTool(client) {
  const messages = [{ role: "user", content: QUESTION }];
  const first = await client.chat.completions.create({ model: MODEL, messages, tools: [TOOL] });
  const wanted = first.choices[0].message;
  messages.push(wanted, { role: "tool", tool_call_id: wanted.tool_calls[0].id, content: "2102650" });
  return (await client.chat.completions.create({ model: MODEL, messages, tools: [TOOL] })).choices[0].message.content;
}

export async function streamJoke(client) {
  const stream = await client.chat.completions.create({
    model: MODEL,
    messages: [{ role: "user", content: "Tell me a joke" }],
    stream: true,
    stream_options: { include_usage: true },
  });
  let text = "";
  for await (const part of stream) text += part.choices[0]?.delta?.content ?? "";
  return text;
}
export { trace };
