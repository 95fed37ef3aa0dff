/** The SDK beneath the LangChain packages of others. */
import { OpenAI } from "openai";
import type { Contender, Host } from "../contender.ts";
import { prompt, readDelta, toolForOpenAI, type WireDelta } from "./wire.ts";

export function make({ url, apiKey }: Host): Contender {
  const client = new OpenAI({ apiKey, baseURL: url });
  const request = { model: "deepseek-ai/DeepSeek-R1", messages: [{ role: "user" as const, content: prompt }] };
  return {
    async stream(reading, { tools } = {}) {
      const stream = await client.chat.completions.create({
        ...request,
        stream: true,
        stream_options: { include_usage: true },
        ...(tools && { tools: [toolForOpenAI] }),
      });
      let last;
      for await (const { choices, usage } of stream) {
        // Its types know nothing of thoughts.
        readDelta(choices[0]?.delta as WireDelta, reading);
        last = usage;
      }
      reading.usage(last?.prompt_tokens, last?.completion_tokens);
    },

    async invoke(reading) {
      const { choices, usage } = await client.chat.completions.create(request);
      readDelta(choices[0]?.message as WireDelta, reading);
      reading.usage(usage?.prompt_tokens, usage?.completion_tokens);
    },
  };
}
