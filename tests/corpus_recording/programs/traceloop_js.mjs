// OpenLLMetry for JavaScript with decorated functions around openai.
import * as traceloop from "@traceloop/node-server-sdk";
import OpenAI from "openai";
import { askWithTool, QUESTION, streamJoke } from "./_setup.mjs";

traceloop.initialize({
  appName: "traceloop-js",
  baseUrl: process.env.OTEL_EXPORTER_OTLP_ENDPOINT,
  headers: { Authorization: process.env.SINK_AUTHORIZATION },
  instrumentModules: { openAI: OpenAI },
  silenceInitializationMessage: true,
});
await traceloop.withWorkflow({ name: "rag-question", associationProperties: { session_id: "chat-1", user_id: "user-ada" } }, async (question) => {
  const client = new OpenAI();
  await traceloop.withTool({ name: "get_population" }, async (city) => 2102650, "Paris");
  const answer = await traceloop.withTask({ name: "answer" }, () => askWithTool(client), question);
  await streamJoke(client);
  return answer;
}, QUESTION);
await traceloop.forceFlush();
process.exit(0);
