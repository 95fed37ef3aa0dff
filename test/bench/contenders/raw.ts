/** The practical limit: undici alone, events cut from Buffers, `JSON.parse`, and nothing that an answer could be checked by. */
import { Agent, request } from "undici";
import { batch, type Score } from "../answers.ts";
import type { Contender, Host } from "../contender.ts";
import { prompt, readDelta, toolForOpenAI, type WireDelta, type WireUsage } from "./wire.ts";

interface WireEvent {
  choices: { delta: WireDelta }[];
  usage: WireUsage;
}

export function make({ url, apiKey }: Host): Contender {
  const dispatcher = new Agent();
  const headers = { "content-type": "application/json", authorization: `Bearer ${apiKey}` };
  const post = async (path: string, body: object) => {
    const response = await request(url + path, { method: "POST", headers, body: JSON.stringify(body), dispatcher });
    if (response.statusCode !== 200) throw new Error(`HTTP ${response.statusCode}`);
    return response.body;
  };
  return {
    async stream(reading, { tools } = {}) {
      const body = await post("/chat/completions", {
        model: "deepseek-ai/DeepSeek-R1",
        messages: [{ role: "user", content: prompt }],
        stream: true,
        stream_options: { include_usage: true },
        ...(tools && { tools: [toolForOpenAI] }),
      });
      let usage: WireUsage | undefined;
      const cut = eventCutter((data) => {
        const event = JSON.parse(data) as WireEvent;
        readDelta(event.choices[0]?.delta, reading);
        usage = event.usage;
      });
      await new Promise((resolve, reject) => body.on("data", cut).on("end", resolve).on("error", reject));
      reading.usage(usage?.prompt_tokens, usage?.completion_tokens);
    },

    async invoke(reading) {
      const messages = [{ role: "user", content: prompt }];
      const body = await post("/chat/completions", { model: "deepseek-ai/DeepSeek-R1", messages, stream: false });
      const { choices, usage } = (await body.json()) as { choices: { message: WireDelta }[]; usage: WireUsage };
      readDelta(choices[0]?.message, reading);
      reading.usage(usage.prompt_tokens, usage.completion_tokens);
    },

    async embed(texts) {
      const vectors: Float32Array[] = [];
      const firsts = Array.from({ length: Math.ceil(texts.length / batch) }, (_, index) => index * batch).values();
      const worker = async () => {
        for (const first of firsts) {
          const input = texts.slice(first, first + batch);
          const body = await post("/embeddings", { model: "BAAI/bge-m3", input, encoding_format: "base64" });
          const { data } = (await body.json()) as { data: { index: number; embedding: string }[] };
          for (const { index, embedding } of data) vectors[first + index] = floats(embedding);
        }
      };
      await Promise.all(Array.from({ length: 16 }, worker));
      return vectors;
    },

    async rerank(query, documents) {
      const body = await post("/rerank", {
        model: "BAAI/bge-reranker-v2-m3",
        query,
        documents,
        top_n: documents.length,
      });
      const { results } = (await body.json()) as { results: { index: number; relevance_score: number }[] };
      return results.map(({ index, relevance_score: relevanceScore }): Score => ({ index, relevanceScore }));
    },
  };
}

/** Whole events only; what is left waits for its rest, so that no character is cut. */
function eventCutter(onData: (data: string) => void): (bytes: Buffer) => void {
  let rest: Buffer | undefined;
  return (bytes) => {
    const all = rest === undefined ? bytes : Buffer.concat([rest, bytes]);
    const lastEnd = all.lastIndexOf("\n\n");
    const end = lastEnd < 0 ? 0 : lastEnd + 2;
    rest = end < all.length ? all.subarray(end) : undefined;
    const text = all.toString("utf8", 0, end);
    for (let from = 0; from < text.length;) {
      const to = text.indexOf("\n\n", from);
      if (!text.startsWith("data: [DONE]", from)) onData(text.slice(from + 6, to));
      from = to + 2;
    }
  };
}

function floats(base64: string): Float32Array {
  const bytes = Buffer.from(base64, "base64");
  const aligned = bytes.byteOffset % 4 === 0 ? bytes : new Uint8Array(bytes);
  return new Float32Array(aligned.buffer, aligned.byteOffset, bytes.length / 4);
}
