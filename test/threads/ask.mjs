import { parentPort, workerData } from "node:worker_threads";
import { ChatSiliconFlow } from "@langchain-siliconflow/chat";

// One model in a thread of its own: what it answers goes back as plain data.

const model = new ChatSiliconFlow({ model: "Qwen/Qwen3-8B", apiKey: "sk-threads", baseURL: workerData.url });
let whole;
for await (const chunk of await model.stream("Well?")) whole = whole === undefined ? chunk : whole.concat(chunk);
const { text, usage_metadata, contentBlocks } = whole;
// oxlint-disable-next-line unicorn/require-post-message-target-origin -- the port of a thread, no window
parentPort.postMessage({ text, usage_metadata, types: contentBlocks.map((block) => block.type) });
