/**
 * Ask a model one question.
 *
 *   npm run example chat/hello                    offline, against the emulator
 *   SILICONFLOW_API_KEY=sk-… npm run example chat/hello
 */
import { ChatSiliconFlow } from "langchain-siliconflow";

const model = new ChatSiliconFlow({ model: "Qwen/Qwen3-8B", enableThinking: false });

const message = await model.invoke("Say hello in one sentence.");

console.log(message.text);
console.log(`\n${message.usage_metadata?.total_tokens} tokens`);
