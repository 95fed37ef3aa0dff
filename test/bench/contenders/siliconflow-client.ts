/** Our client without LangChain. */
import { SiliconFlowClient } from "@langchain-siliconflow/client";
import type { Contender, Host } from "../contender.ts";
import { prompt, readDelta, toolForOpenAI } from "./wire.ts";

export function make({ url, apiKey }: Host): Contender {
  const client = new SiliconFlowClient({ apiKey, baseURL: url });
  const request = { model: "deepseek-ai/DeepSeek-R1", messages: [{ role: "user" as const, content: prompt }] };
  return {
    async stream(reading, { tools } = {}) {
      let last;
      for await (const chunk of client.chat.stream({ ...request, ...(tools && { tools: [toolForOpenAI] }) })) {
        readDelta(chunk.choices[0]?.delta, reading);
        last = chunk.usage;
      }
      reading.usage(last?.prompt_tokens, last?.completion_tokens);
    },

    async invoke(reading) {
      const { choices, usage } = await client.chat.create(request);
      readDelta(choices[0]?.message, reading);
      reading.usage(usage?.prompt_tokens, usage?.completion_tokens);
    },
  };
}
