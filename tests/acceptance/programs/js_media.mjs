// Official JavaScript SDK 5: files in a trace, sent and read back; prints both as JSON.
import { createHash } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";

import { LangfuseClient } from "@langfuse/client";
import { LangfuseMedia } from "@langfuse/core";
import { LangfuseSpanProcessor } from "@langfuse/otel";
import { startObservation } from "@langfuse/tracing";
import { NodeSDK } from "@opentelemetry/sdk-node";

const picture = `data:image/png;base64,${process.argv[2]}`;
const bytes = createHash("sha256").update(Buffer.from(process.argv[2], "base64")).update("js").digest();
const sound = `data:audio/wav;base64,${bytes.toString("base64")}`;

const processor = new LangfuseSpanProcessor();
const sdk = new NodeSDK({ spanProcessors: [processor] });
sdk.start();
const generation = startObservation(
  "describe",
  {
    input: [{ role: "user", content: [{ type: "image_url", image_url: { url: picture } }] }],
    metadata: { sound: new LangfuseMedia({ source: "bytes", contentBytes: bytes, contentType: "audio/wav" }) },
  },
  { asType: "generation" },
);
generation.end();
await processor.forceFlush();

const langfuse = new LangfuseClient();
const keys = Buffer.from(`${process.env.LANGFUSE_PUBLIC_KEY}:${process.env.LANGFUSE_SECRET_KEY}`).toString("base64");
const deadline = Date.now() + 15_000;
let answer;
do {
  answer = await fetch(`${process.env.LANGFUSE_BASE_URL}/api/public/observations/${generation.id}`, {
    headers: { Authorization: `Basic ${keys}` },
  });
  if (answer.status !== 200) await sleep(100);
} while (answer.status !== 200 && Date.now() < deadline);
const found = await answer.json();
const stored = [found.input, found.metadata.sound];
const resolved = await langfuse.media.resolveReferences({ obj: stored, resolveWith: "base64DataUri" });
await sdk.shutdown();
console.log(
  JSON.stringify({
    stored: JSON.stringify(stored),
    resolved: JSON.stringify(resolved),
    expected: JSON.stringify([picture, sound]),
    items: "[]",
  }),
);
