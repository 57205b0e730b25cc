// Langfuse's JavaScript SDK 3 (ingestion events) with its openai wrapper.
import { Langfuse, observeOpenAI } from "langfuse";
import OpenAI from "openai";
import { askWithTool, QUESTION, streamJoke } from "./_setup.mjs";

const langfuse = new Langfuse();
const trace = langfuse.trace({ name: "rag-question", userId: "user-ada", sessionId: "chat-1", tags: ["corpus"], input: QUESTION });
const client = observeOpenAI(new OpenAI(), { parent: trace });
trace.update({ output: await askWithTool(client) });
await streamJoke(client);
await client.flushAsync();
await langfuse.shutdownAsync();
process.exit(0);
