/**
 * Ask through the endpoint in Anthropic's shape, thoughts included.
 *
 *   npm run example chat/messages-endpoint        offline, against the emulator
 *   SILICONFLOW_API_KEY=sk-… npm run example chat/messages-endpoint
 */
import { ChatSiliconFlow } from "langchain-siliconflow";

const model = new ChatSiliconFlow({ model: "moonshotai/Kimi-K2-Thinking", api: "messages", maxTokens: 2000 });

const message = await model.invoke("Say in one sentence what an emulator is.");

for (const block of message.contentBlocks) {
  if (block.type === "reasoning") console.error(`(thinks) ${block.reasoning}\n`);
  if (block.type === "text") console.log(block.text);
}
