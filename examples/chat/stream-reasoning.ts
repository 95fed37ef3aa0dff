/**
 * Watch a reasoning model think, then answer.
 *
 *   npm run example chat/stream-reasoning         offline, against the emulator
 *   SILICONFLOW_API_KEY=sk-… npm run example chat/stream-reasoning
 */
import { ChatSiliconFlow } from "langchain-siliconflow";

const model = new ChatSiliconFlow({ model: "deepseek-ai/DeepSeek-R1", maxTokens: 512 });

let answering = false;

for await (const chunk of await model.stream("Which is larger, 9.11 or 9.9?")) {
  for (const block of chunk.contentBlocks) {
    if (block.type === "reasoning") process.stderr.write(block.reasoning);
    if (block.type !== "text") continue;
    if (!answering) process.stdout.write("\n\nAnswer: ");
    answering = true;
    process.stdout.write(block.text);
  }
}
console.log();
