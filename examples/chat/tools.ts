/**
 * Let an agent call a function of yours, and answer from what it returns.
 *
 *   npm run example chat/tools                    offline, against the emulator
 *   SILICONFLOW_API_KEY=sk-… npm run example chat/tools
 */
import { AIMessage, createAgent, tool } from "langchain";
import { ChatSiliconFlow } from "langchain-siliconflow";
import { z } from "zod";

const getWeather = tool(({ city }) => `It is 21 °C and sunny in ${city}.`, {
  name: "get_weather",
  description: "The weather in a city right now.",
  schema: z.object({ city: z.string().describe("Name of the city, e.g. Hangzhou") }),
});

const agent = createAgent({
  model: new ChatSiliconFlow({ model: "Qwen/Qwen3-32B", enableThinking: false }),
  tools: [getWeather],
});

const { messages } = await agent.invoke({ messages: [{ role: "user", content: "What is the weather in Hangzhou?" }] });

for (const message of messages) {
  const calls = AIMessage.isInstance(message) ? (message.tool_calls ?? []) : [];
  for (const call of calls) console.log(`calls   ${call.name}(${JSON.stringify(call.args)})`);
  if (message.text) console.log(`${message.type.padEnd(7)} ${message.text}`);
}
