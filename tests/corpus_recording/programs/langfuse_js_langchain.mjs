// Langfuse's callback handler for LangChain in JavaScript.
import { CallbackHandler } from "@langfuse/langchain";
import { LangfuseSpanProcessor } from "@langfuse/otel";
import { ChatPromptTemplate } from "@langchain/core/prompts";
import { ChatOpenAI } from "@langchain/openai";
import { NodeTracerProvider } from "@opentelemetry/sdk-trace-node";

const provider = new NodeTracerProvider({ spanProcessors: [new LangfuseSpanProcessor()] });
provider.register();
const handler = new CallbackHandler({ sessionId: "chat-1", userId: "user-ada", tags: ["corpus"] });
const prompt = ChatPromptTemplate.fromMessages([["human", "What is the population of {city}?"]]);
const chain = prompt.pipe(new ChatOpenAI({ model: "gpt-4o-mini", configuration: { baseURL: process.env.OPENAI_BASE_URL } }));
await chain.invoke({ city: "Paris" }, { callbacks: [handler], runName: "rag-question" });
await provider.forceFlush();
process.exit(0);
